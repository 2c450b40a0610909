import test, {type ExecutionContext} from 'ava';
import {FleetWatch, type HostAnomaly} from '../../core/domain/anomaly/fleet-watch.ts';
import {WATCHED_METRICS} from '../../core/domain/anomaly/metric-spans.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import type {Tick} from '../../core/domain/records.ts';
import {AnomalyObserver} from '../../core/engine/anomaly-observer.ts';
import type {PartitionRuntime} from '../../core/engine/partition-runtime.ts';
import {listen} from '../../core/events.ts';
import type {Watch} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {createNormal} from '../domain/streams.ts';
import {createRig, hostBatch, hostFacts, PARTITION, type Rig} from '../support/partition.ts';

const HOSTS = 12;
const MINUTE_MS = 60_000;
const LATENCY = HOST_METRICS.columns.indexOf('disk_latency_seconds');
const WATCHED = WATCHED_METRICS.map(name => HOST_METRICS.columns.indexOf(name));
const ODD_VMS = HOST_METRICS.columns.indexOf('anomalous_vms_ratio');

function inlineWatch(): Watch {
  const watch = new FleetWatch({oddMinutesPerHostDay: 5});
  return {observe: async rows => watch.observe(rows), close: async () => {}};
}

type Fleet = {rig: Rig; minute: number; runtime: PartitionRuntime; next: () => number};

/** Hosts in one partition, each tick a minute later. */
async function startFleet(
  t: ExecutionContext,
  watch: Watch | undefined,
  options: {rig?: Rig; rowsWaitingMax?: number} = {},
) {
  const rig = options.rig ?? createRig();
  const found: HostAnomaly[] = [];
  const ticks: Tick[] = [];
  const observer =
    watch &&
    new AnomalyObserver({
      watch,
      log: rig.log,
      codec,
      onFound: (_, {anomalies = []}) => void found.push(...anomalies),
      ...(options.rowsWaitingMax && {rowsWaitingMax: options.rowsWaitingMax}),
    });
  const runtime = await rig.start({
    onTick: (tick, state) => {
      ticks.push(tick);
      observer?.ticked(state);
    },
  });
  t.teardown(() => watch?.close());
  const fleet: Fleet = {rig, minute: 0, runtime, next: createNormal(2)};
  return {
    found,
    ticks,
    rig,
    runtime,
    observer,
    /** A minute: a sample of each host, a tick. */
    async pass(isIncident = false, hosts = HOSTS, stepMs = MINUTE_MS) {
      await passMinute(fleet, isIncident, hosts, stepMs);
      if (options.rowsWaitingMax === undefined) await observer?.settled();
    },
  };
}

async function passMinute(
  fleet: Fleet,
  isIncident: boolean,
  hosts: number,
  stepMs: number,
): Promise<void> {
  const {rig, runtime, next} = fleet;
  fleet.minute++;
  rig.pass(stepMs);
  for (let host = 0; host < hosts; host++) {
    const name = `h${host}`;
    const batch = hostBatch(name, fleet.minute, [{atMs: rig.clock.nowMs()}], {
      inventory: {hosts: [hostFacts(name, {rack: `rack-${host % 3}`})]},
    });
    const values = batch.blocks[0]?.values as Float32Array;
    for (const column of WATCHED) values[column] = 0.3 + 0.02 * next();
    values[ODD_VMS] = 0.25;
    if (isIncident && host === 4) values[LATENCY] = 3;
    await rig.log.append('telemetry', PARTITION, [codec.encodeTelemetry({kind: 'batch', batch})]);
  }
  await runtime.executor.poll();
  await runtime.step(rig.clock.nowMs());
  await runtime.settled();
}

test('an incident on one host is told with its metric; the others stay usual; ticks are as without', async t => {
  const watched = await startFleet(t, inlineWatch());
  const unwatched = await startFleet(t, undefined);
  for (const fleet of [watched, unwatched]) {
    for (let minute = 0; minute < 150; minute++) await fleet.pass(minute >= 145);
  }
  const last = watched.found.slice(-HOSTS);
  t.deepEqual(
    last.filter(({isOdd}) => isOdd).map(({host}) => host),
    ['h4'],
  );
  const incident = last.find(({host}) => host === 'h4');
  t.is(incident?.metrics[0]?.metric, 'disk_latency_seconds');
  t.true((incident?.metrics[0]?.value ?? 0) > 2);
  t.true(Math.abs((incident?.metrics[0]?.usual ?? 0) - 0.3) < 0.02);
  t.is(incident?.rackOddRatio, 1 / 4);
  t.is(incident?.oddVmsRatio, 0.25);
  // Of healthy hosts at most three times the share that was asked for, and some minutes.
  const healthy = watched.found.filter(({host, score}) => host !== 'h4' && !Number.isNaN(score));
  const odd = healthy.filter(({isOdd}) => isOdd).length;
  t.true(healthy.length > 400);
  t.true(odd <= 5 + (3 * 5 * healthy.length) / 1440, `${odd} of ${healthy.length}`);
  t.deepEqual(watched.ticks, unwatched.ticks);
});

test('what was found goes to the scores topic, and every minute of a host is looked at once', async t => {
  const {pass, rig, found} = await startFleet(t, inlineWatch());
  for (let minute = 0; minute < 5; minute++) await pass();
  const records = (await rig.log.read('scores', PARTITION, 0)).map(({value}) =>
    codec.decodeScores(value),
  );
  const anomalies = records.flatMap(record => record.anomalies ?? []);
  t.deepEqual(anomalies, found);
  // The first is where it begins, the second the first whole minute.
  t.is(anomalies.length, 4 * HOSTS);
  t.is(new Set(anomalies.map(({host, atMs}) => `${host} ${atMs}`)).size, anomalies.length);
  t.true(anomalies.every(({atMs}) => atMs % MINUTE_MS === 0));
});

test('however often a host is sampled, it is looked at once a minute', async t => {
  let given = 0;
  const {pass} = await startFleet(t, {
    observe: async rows => {
      given += rows.hosts.length;
      return {anomalies: [], learned: 0};
    },
    close: async () => {},
  });
  for (let step = 0; step < 30; step++) await pass(false, 3, 10_000);
  // Five minutes, of which the first is not whole.
  t.is(given, 4 * 3);
});

test('a watch that does not answer delays no tick: what is beyond the bound is left out and counted', async t => {
  let missed = 0;
  t.teardown(
    listen('anomalies.missed', ({hosts, code}) => {
      if (code === 'SCORER_SATURATED') missed += hosts;
    }),
  );
  let given = 0;
  const silent: Watch = {
    observe: rows => {
      given += rows.hosts.length;
      return new Promise(() => {});
    },
    close: async () => {},
  };
  const {pass, ticks} = await startFleet(t, silent, {rowsWaitingMax: 2 * HOSTS});
  for (let minute = 0; minute < 6; minute++) await pass();
  t.is(ticks.length, 6);
  t.is(given, 2 * HOSTS);
  t.true(missed >= 3 * HOSTS);
});

test('a watch that fails is counted, and given the next minutes', async t => {
  let missed = 0;
  t.teardown(
    listen('anomalies.missed', ({hosts, code}) => {
      if (code === 'SCORER_FAILED') missed += hosts;
    }),
  );
  const inner = inlineWatch();
  let calls = 0;
  const {pass, found} = await startFleet(t, {
    ...inner,
    async observe(rows) {
      if (calls++ === 1) throw new ForestayError('SCORER_FAILED', 'its thread ended');
      return inner.observe(rows);
    },
  });
  for (let minute = 0; minute < 5; minute++) await pass();
  t.true(missed >= HOSTS);
  t.is(found.length, 3 * HOSTS);
});

test('after a restart it begins anew, and the partition does not', async t => {
  const before = await startFleet(t, inlineWatch());
  for (let minute = 0; minute < 10; minute++) await before.pass();
  await before.runtime.stop();
  t.is(before.found.at(-1)?.learnedRows, 9 * HOSTS);
  const after = await startFleet(t, inlineWatch(), {rig: before.rig});
  t.is(after.runtime.state.hosts.size, HOSTS);
  for (let minute = 0; minute < 13; minute++) await after.pass();
  t.true((after.found.at(-1)?.learnedRows ?? 0) < 5 * HOSTS);
});

test('hosts that fall silent are not looked at again', async t => {
  const {pass, found} = await startFleet(t, inlineWatch());
  for (let minute = 0; minute < 5; minute++) await pass();
  found.length = 0;
  for (let minute = 0; minute < 3; minute++) await pass(false, 2);
  t.deepEqual([...new Set(found.map(({host}) => host))], ['h0', 'h1']);
});
