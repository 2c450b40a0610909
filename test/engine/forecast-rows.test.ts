/** What those who tend models are told of the rows that hosts were forecast from. */
import test from 'ava';
import {canaryFor} from '../../core/domain/model-use.ts';
import type {ObservedRows} from '../../core/domain/observed.ts';
import {REBOOT} from '../../core/domain/risk.ts';
import type {PartitionRuntime} from '../../core/engine/partition-runtime.ts';
import {recover} from '../../core/engine/recovery.ts';
import {ServedModels} from '../../core/engine/served-models.ts';
import type {Scorer} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {createRig, metricScorer, PARTITION, QUICK_BANDS, type Rig} from '../support/partition.ts';

const HOSTS = ['a', 'b', 'c', 'd'];
const CALM = {...QUICK_BANDS, enter: 0.99, leave: 0.98};

type Said = {risks?: Record<string, number>; boots?: Record<string, string>; silent?: string};

async function minute(rig: Rig, runtime: PartitionRuntime, said: Said = {}): Promise<void> {
  rig.pass(60_000);
  for (const [index, host] of HOSTS.entries()) {
    if (host === said.silent) continue;
    const risk = said.risks?.[host] ?? 0.1 * (index + 1);
    await rig.send(host, risk, {
      bootId: said.boots?.[host] ?? 'boot-1',
      hardware: `model ${host}`,
    });
  }
  await runtime.step(rig.clock.nowMs());
  await runtime.settled();
}

/** A scorer with all that it was ever asked and has answered, by its own bits. */
function spy(scorer: Scorer) {
  const answers: {features: Float32Array; risks: Float32Array}[] = [];
  const spied: Scorer = {
    ...scorer,
    async score(hash, rows, features) {
      const risks = await scorer.score(hash, rows, features);
      answers.push({features: features.slice(), risks: risks.slice()});
      return risks;
    },
  };
  return {spied, answers};
}

function rowsOf(told: ObservedRows) {
  const {hosts, features, featureCount, risks, outputs} = told;
  return hosts.map((host, row) => ({
    ...host,
    features: features.slice(row * featureCount, (row + 1) * featureCount),
    risks: risks.slice(row * outputs.length, (row + 1) * outputs.length),
  }));
}

test('rows are those that the model was sent last, with what it said of them, once a step', async t => {
  const {spied, answers} = spy(metricScorer());
  const told: ObservedRows[] = [];
  const rig = createRig({scorer: spied, policy: {band: CALM}});
  const runtime = await rig.start({onForecast: rows => told.push(rows)});
  const asked: number[] = [];
  for (let at = 0; at < 16; at++) {
    const before = told.length;
    const answered = answers.length;
    await minute(rig, runtime, {risks: {a: 0.01 * at}});
    // What came back before the tick, not what is asked for after it.
    if (told.length > before) asked.push(answered - 1);
  }
  t.is(told.length, asked.length);
  t.true(told.length >= 3);
  for (const [index, rows] of told.entries()) {
    const {features, risks} = answers[asked[index] as number] as (typeof answers)[number];
    t.deepEqual(rows.features, features);
    t.deepEqual(
      rows.hosts.map(({name}) => name),
      HOSTS,
    );
    t.is(rows.outputs.at(-1), REBOOT);
    for (const [row, each] of rowsOf(rows).entries()) {
      t.deepEqual(each.risks.subarray(0, -1), risks.slice(row * 5, (row + 1) * 5));
    }
    t.like(rows, {partition: PARTITION, featureHash: spied.signature().featureHash});
    t.like(rows.hosts[0], {cell: 'c1', hardware: 'model a', modelHash: 'metric', bootAtMs: 0});
  }
  t.deepEqual(
    told.map(({atMs}) => Math.floor(atMs / 300_000)),
    [...new Set(told.map(({atMs}) => Math.floor(atMs / 300_000)))],
  );
});

test('risks are told as the model said them, whatever the cell has learned since', async t => {
  const said = 0.5;
  const risks = Object.fromEntries(HOSTS.map(host => [host, said]));
  const told: ObservedRows[] = [];
  const rig = createRig({policy: {band: CALM}});
  const runtime = await rig.start({onForecast: rows => told.push(rows)});
  for (let boot = 0; boot <= 11; boot++) {
    await minute(rig, runtime, {risks, boots: {a: `boot-${boot}`}});
  }
  for (let at = 0; at < 240; at++) await minute(rig, runtime, {risks, boots: {a: 'boot-11'}});
  const {table = '', row = -1} = runtime.state.hosts.get('b') ?? {};
  const served = runtime.state.tables.get(table)?.bands.risk[row] as number;
  t.true(served < 0.7 * said, 'the cell has moved what is served');
  const last = rowsOf(told.at(-1) as ObservedRows);
  t.is(last.length, HOSTS.length);
  for (const host of last) t.is(host.risks[0], Math.fround(said));
});

test('nothing is told of a host in silence, of its former life, or in a replay', async t => {
  const told: ObservedRows[] = [];
  const onForecast = (rows: ObservedRows) => told.push(rows);
  const rig = createRig({policy: {band: CALM, mode: 'observe'}, runtime: {onForecast}});
  const runtime = await rig.start();
  for (let at = 0; at < 12; at++) await minute(rig, runtime, {silent: at > 2 ? 'b' : ''});
  t.deepEqual(
    told.at(-1)?.hosts.map(({name}) => name),
    ['a', 'c', 'd'],
  );
  while (rig.clock.nowMs() % 300_000 !== 240_000) await minute(rig, runtime);
  await minute(rig, runtime, {boots: {a: 'boot-2'}});
  t.deepEqual(
    told.at(-1)?.hosts.map(({name}) => name),
    ['b', 'c', 'd'],
    'nobody has scored what boot-2 measures yet',
  );
  const before = told.length;
  const {log, policy, scorer} = rig;
  await recover({log, codec, partition: PARTITION, policy, model: scorer.signature()});
  const again = await rig.start();
  t.is(told.length, before);
  for (let at = 0; at < 6; at++) await minute(rig, again, {boots: {a: 'boot-2'}});
  t.true(told.length > before);
  t.true((told.at(-1)?.hosts[0]?.bootAtMs ?? 0) > 0);
});

test('hosts that try another model are told with that model, and apart where it reads other rows', async t => {
  for (const featureHash of [metricScorer().signature().featureHash, 77]) {
    const told: ObservedRows[] = [];
    const rig = createRig({policy: {band: CALM}});
    const double = metricScorer({hash: 'double', featureHash}, 2);
    const models = new ServedModels(rig.scorer, {open: async () => double});
    const runtime = await rig.start({models, onForecast: rows => told.push(rows)});
    await minute(rig, runtime);
    const command = {modelHash: 'double', percent: 50, comment: ''};
    await rig.command({kind: 'switch-model', ...command});
    for (let at = 0; at < 6; at++) await minute(rig, runtime);
    const last = told.filter(({atMs}) => atMs === told.at(-1)?.atMs);
    t.is(last.length, featureHash === 77 ? 2 : 1);
    const hosts = last.flatMap(rowsOf);
    t.deepEqual(hosts.map(({name}) => name).toSorted(), HOSTS);
    for (const {name, modelHash, risks} of hosts) {
      const tries = canaryFor(name, command) !== undefined;
      t.is(modelHash, tries ? 'double' : 'metric');
      const said = 0.1 * (HOSTS.indexOf(name) + 1) * (tries ? 2 : 1);
      t.true(Math.abs((risks[0] as number) - said) < 1e-6);
    }
    t.true(new Set(hosts.map(({modelHash}) => modelHash)).size === 2, 'both were tried');
  }
});

test('what a listener throws ends the partition, and is not swallowed', async t => {
  const rig = createRig();
  const runtime = await rig.start({
    onForecast: () => {
      throw new TypeError('a defect');
    },
  });
  await t.throwsAsync(
    async () => {
      for (let at = 0; at < 12; at++) await minute(rig, runtime);
    },
    {instanceOf: TypeError, message: 'a defect'},
  );
});

test('where every so many samples are scored, the row of a host is its newest that came back', async t => {
  const {spied, answers} = spy(metricScorer());
  const told: ObservedRows[] = [];
  const rig = createRig({scorer: spied, policy: {band: CALM}});
  const scoring = {intervalMs: 0, everySamples: 2, waitMs: 60_000};
  const runtime = await rig.start({scoring, onForecast: rows => told.push(rows)});
  for (let at = 0; at < 16; at++) await minute(rig, runtime, {risks: {a: 0.01 * at}});
  const seen = new Map<string, {features: Float32Array; said: number}>();
  for (const {features, risks} of answers) {
    const width = spied.signature().featureCount;
    for (let row = 0; row < risks.length / 5; row++) {
      const said = risks[row * 5] as number;
      seen.set(`${said}`, {features: features.slice(row * width, (row + 1) * width), said});
    }
  }
  const last = rowsOf(told.at(-1) as ObservedRows);
  t.is(last.length, HOSTS.length);
  for (const {features, risks} of last) t.deepEqual(features, seen.get(`${risks[0]}`)?.features);
});
