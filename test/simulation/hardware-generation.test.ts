import test from 'ava';
import {runActingFleet} from '../../bench/support/acting-fleet.ts';
import {labelFleet, scoreSymptoms, trainSymptoms} from '../../bench/support/symptom-model.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {hostColumn} from '../../core/simulation/columns.ts';
import {createDatacenter, type DatacenterOptions} from '../../core/simulation/datacenter.ts';

const START_MS = 1000;
const MINUTE_MS = 60_000;

function build(seed: number, generation?: DatacenterOptions['generation']) {
  return createDatacenter({
    random: seededRandom(seed),
    startMs: START_MS,
    durationMs: 60 * MINUTE_MS,
    ...(generation && {generation}),
  });
}

test('nothing is otherwise without it, and the other hosts are as they were with it', t => {
  const [plain, mixed] = [build(5), build(5, {arrivesAtMs: START_MS, hosts: 6})];
  const isNew = mixed.hosts.map(({traits}) => traits.generation !== undefined);
  t.is(isNew.filter(Boolean).length, 6);
  for (const [index, {name}] of mixed.hosts.entries()) {
    t.is(mixed.inventory(name).hardware, isNew[index] ? 'gen-2' : 'gen-1');
    t.is(plain.inventory(name).hardware, '', 'nobody names what is the same everywhere');
  }
  for (let minute = 1; minute <= 10; minute++) {
    for (const each of [plain, mixed]) each.step(START_MS + minute * MINUTE_MS);
    for (const [index, host] of plain.hosts.entries()) {
      const other = mixed.hosts[index] as typeof host;
      t.deepEqual(other.outages, host.outages, 'the same faults');
      if (host.state !== 'up') continue;
      if (isNew[index]) t.notDeepEqual(other.values, host.values);
      else t.deepEqual(other.values, host.values);
    }
  }
});

test('its sensors tell the same physics by other ranges; what is missing stays missing', t => {
  const [plain, mixed] = [build(6), build(6, {arrivesAtMs: START_MS, hosts: 24})];
  for (const each of [plain, mixed]) each.step(START_MS + 5 * MINUTE_MS);
  const temperature = hostColumn('temperature_celsius');
  const rpm = hostColumn('fan_speed_rpm');
  for (const [index, {values, traits}] of plain.hosts.entries()) {
    const others = mixed.hosts[index]?.values as Float32Array;
    const expected = 0.8 * (values[temperature] as number) + 34;
    t.true(Math.abs((others[temperature] as number) - expected) < 1e-4);
    t.is(Number.isNaN(others[rpm]), traits.missing[rpm] === 1);
    t.deepEqual(
      [...others].map(value => Number.isNaN(value)),
      [...values].map(value => Number.isNaN(value)),
    );
  }
});

test('each draws its own sensors where they are drawn, within what such sensors can tell, and the same ones fail', t => {
  const arrivesAtMs = START_MS;
  const known = build(6, {arrivesAtMs, hosts: 24});
  const drawn = build(6, {arrivesAtMs, hosts: 24, isDrawn: true});
  const other = build(10, {arrivesAtMs, hosts: 24, isDrawn: true});
  const rangesOf = ({hosts}: typeof known) =>
    hosts.find(({traits}) => traits.generation !== undefined)?.traits.generation ?? [];
  t.notDeepEqual(rangesOf(drawn), rangesOf(other));
  t.deepEqual(rangesOf(build(6, {arrivesAtMs, hosts: 3, isDrawn: true})), rangesOf(drawn));
  const ratios = ['cpu_frequency_ratio', 'cpu_throttled_ratio'].map(hostColumn);
  for (const [at, {column, scale, offset, isWhole}] of rangesOf(known).entries()) {
    for (const each of [drawn, other].map(
      fleet => rangesOf(fleet)[at] as {scale: number; offset: number},
    )) {
      t.true(Math.abs(each.offset) <= 1.3 * Math.abs(offset) + 1e-9);
      t.true(Math.abs(Math.log(each.scale)) <= 1.3 * Math.abs(Math.log(scale)) + 1e-9);
      t.true(each.offset * offset >= 0 && Math.log(each.scale) * Math.log(scale) >= 0);
      if (ratios.includes(column)) t.true(each.scale + each.offset <= 1, 'a ratio stays one');
      if (isWhole) t.true(each.scale > 0);
    }
  }
  for (const each of [known, drawn]) each.step(START_MS + 5 * MINUTE_MS);
  for (const [index, {outages, values}] of known.hosts.entries()) {
    const host = drawn.hosts[index] as (typeof known.hosts)[number];
    t.deepEqual(host.outages, outages);
    t.notDeepEqual(host.values, values);
    for (const {column, isWhole} of rangesOf(drawn)) {
      const value = host.values[column] as number;
      if (isWhole && !Number.isNaN(value)) t.true(Number.isInteger(value));
    }
  }
});

test('hosts that arrive later are not heard before, run no VMs, and are filled like any other', t => {
  const arrivesAtMs = START_MS + 10 * MINUTE_MS;
  const datacenter = build(7, {arrivesAtMs, hosts: 3});
  const arriving = datacenter.hosts.filter(({traits}) => traits.generation !== undefined);
  t.is(arriving.length, 3);
  const heard = () => arriving.map(({name}) => datacenter.isReporting(name));
  t.deepEqual(heard(), [false, false, false]);
  t.true(arriving.every(({values}) => values.every(Number.isNaN)));
  t.false(datacenter.vms.some(({host}) => arriving.includes(host)));
  datacenter.step(arrivesAtMs - 1000);
  t.deepEqual(heard(), [false, false, false]);
  datacenter.step(arrivesAtMs + 1000);
  t.deepEqual(heard(), [true, true, true]);
  t.true(arriving.every(({state, values}) => state === 'up' && !values.every(Number.isNaN)));
  const down = datacenter.ledger.details(datacenter.nowMs);
  t.is(down.hostFailures, 0);
  t.deepEqual(down.violations, []);
});

test('more hosts than the others have room for are refused', t => {
  t.throws(() => build(8, {arrivesAtMs: START_MS + MINUTE_MS, hosts: 20}), {
    message: /the others have room for the VMs of \d+; let fewer hosts arrive/,
  });
});

test('a fleet of it fails like one that is not of it', t => {
  const run = (isNewGeneration: boolean) =>
    runActingFleet(
      {random: seededRandom(9), hosts: 12, minutes: 20, rateFactor: 3, isNewGeneration},
      0,
    );
  const [old, other] = [run(false), run(true)];
  t.deepEqual(other.events, old.events);
  t.true(old.events.some(({kind}) => kind === 'failed'));
  t.deepEqual(other.rows, old.rows);
  t.notDeepEqual(other.features, old.features);
});

test('a model of today’s hosts is worse on it, one that has seen it as well is not', t => {
  const fleetsOf = (seed: number, count: number, isNewGeneration: boolean) =>
    Array.from({length: count}, (_, fleet) =>
      labelFleet(
        runActingFleet(
          {random: seededRandom(seed), hosts: 24, minutes: 60, rateFactor: 2, isNewGeneration},
          fleet,
        ),
      ),
    );
  const [old, other] = [fleetsOf(1201, 8, false), fleetsOf(1201, 8, true)];
  const champion = trainSymptoms(old, {seed: 1, trees: 40});
  const challenger = trainSymptoms([...old, ...other], {seed: 1, trees: 40});
  for (const seed of [1_000_201, 1_000_202]) {
    const tests = {today: fleetsOf(seed, 6, false), next: fleetsOf(seed, 6, true)};
    const scores = {
      championToday: scoreSymptoms(champion, tests.today),
      championNext: scoreSymptoms(champion, tests.next),
      challengerToday: scoreSymptoms(challenger, tests.today),
      challengerNext: scoreSymptoms(challenger, tests.next),
    };
    t.log(`seed ${seed}: ${JSON.stringify(scores)}`);
    const loss = (name: keyof typeof scores) => scores[name].logLoss;
    t.true(loss('championNext') > 1.1 * loss('championToday'), 'it loses skill');
    t.true(loss('challengerNext') < loss('championNext') - 0.02, 'that comes back');
    t.true(loss('challengerToday') < loss('championToday') + 0.006, 'at hardly any cost');
    t.true(scores.championNext.averagePrecision < scores.challengerNext.averagePrecision - 0.02);
  }
});
