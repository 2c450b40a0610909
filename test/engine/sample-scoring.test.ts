import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import type {SampleRisks} from '../../core/domain/records.ts';
import {recover} from '../../core/engine/recovery.ts';
import {requireCadence} from '../../core/engine/scoring.ts';
import type {Scorer} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {essence} from '../support/journal.ts';
import {
  createRig,
  hostBatch,
  metricScorer,
  PARTITION,
  type Rig,
  START_MS,
} from '../support/partition.ts';

const EVERY = 3;
const scoring = {intervalMs: 0, everySamples: EVERY, waitMs: 60_000};
/** Waits are real, the time of ticks is that of samples. */
const everySamples = {scoring, clock: systemClock, time: 'data' as const};
const hurried = {...everySamples, scoring: {...scoring, waitMs: 1}};
const BANDS = {enter: 0.6, enterHoldMs: 6000, leave: 0.4, leaveHoldMs: 6000};

let seq = 0;

/** Appends samples of a host, a second apart, the first at second `from`. */
async function sample(rig: Rig, host: string, from: number, risks: readonly number[]) {
  const samples = risks.map((risk, index) => ({atMs: START_MS + 1000 * (from + index), risk}));
  const batch = hostBatch(host, 1, samples, {incarnation: ++seq});
  await rig.log.append('telemetry', PARTITION, [codec.encodeTelemetry({kind: 'batch', batch})]);
}

function scored(rig: Rig) {
  return rig.ticks
    .flatMap(({sampleRisks = []}) => sampleRisks)
    .flatMap((each: SampleRisks) =>
      [...each.host].map((host, index) => ({
        host: each.hosts[host],
        second: ((each.atMs[index] as number) - START_MS) / 1000,
        risk: each.risks[index * each.components.length] as number,
      })),
    );
}

/** A scorer whose requests end when a test says. */
function heldScorer() {
  const waiting: (() => void)[] = [];
  const whole = metricScorer();
  const scorer: Scorer = {
    ...whole,
    async score(hash, rows, features) {
      await new Promise<void>(resolve => waiting.push(resolve));
      return whole.score(hash, rows, features);
    },
  };
  return {scorer, waiting};
}

test('every third sample of a host is scored as of that sample, hosts in turn', async t => {
  const rig = createRig({runtime: everySamples});
  const runtime = await rig.start();
  await sample(rig, 'a', 1, [0, 0, 0.25, 0.25, 0.25, 0.25]);
  await sample(rig, 'b', 1, [0.5, 0.5, 0.5, 0.5, 0.5]);
  await runtime.step(START_MS);
  await runtime.step(START_MS);
  const found = scored(rig);
  t.deepEqual(
    found.map(({host, second}) => `${host}${second}`),
    ['a3', 'a6', 'b2', 'b5'],
  );
  t.true((found[0]?.risk as number) < (found[1]?.risk as number), 'each as of its sample');
  t.is(found[2]?.risk, 0.5);
});

test('holds end by the times of samples, however late their risks are', async t => {
  const rig = createRig({policy: {band: BANDS}, runtime: everySamples});
  const runtime = await rig.start();
  await sample(rig, 'a', 1, new Array(8).fill(0.9));
  await runtime.step(START_MS);
  await sample(rig, 'a', 100, [0.9]);
  await runtime.step(START_MS);
  t.is(runtime.state.actors.path('hosts/a'), 'normal', 'samples 3 and 6 are three seconds apart');
  await runtime.step(START_MS);
  const moves = rig.ticks.flatMap(({transitions}) => transitions);
  t.deepEqual(
    moves.map(({event}) => event),
    ['risk.raised'],
    'the ninth sample is across for longer than the hold',
  );
});

test('telemetry waits in the log while samples wait for their scores, and none is left out', async t => {
  const {scorer, waiting} = heldScorer();
  const rig = createRig({scorer, runtime: hurried});
  const runtime = await rig.start();
  for (let round = 0; round < 8; round++) {
    await sample(rig, 'a', 1 + 3 * round, [0.5, 0.5, 0.5]);
    rig.pass();
    await runtime.step(rig.clock.nowMs());
  }
  t.is(waiting.length, 4);
  t.is(runtime.state.cut.telemetryOffset, 4);
  for (let round = 0; round < 8; round++) {
    for (const end of waiting.splice(0)) end();
    await new Promise(resolve => setImmediate(resolve));
    rig.pass();
    await runtime.step(rig.clock.nowMs());
  }
  t.is(scored(rig).length, 8);
  t.is(runtime.state.unscored.length, 0);
});

test('what was not scored when a core ended is scored by the next, from checkpoint or journal', async t => {
  for (const graceful of [false, true]) {
    const {scorer} = heldScorer();
    const rig = createRig({runtime: hurried});
    const first = await rig.start({scorer});
    await sample(rig, 'a', 1, new Array(7).fill(0.5));
    rig.pass();
    await first.step(rig.clock.nowMs());
    rig.pass(2000);
    await first.step(rig.clock.nowMs());
    t.is(first.state.unscored.length, 1);
    if (graceful) await first.stop();
    const second = await rig.start();
    for (let step = 0; step < 3; step++) {
      rig.pass();
      await second.step(rig.clock.nowMs());
    }
    t.deepEqual(
      scored(rig).map(({second: at}) => at),
      [3, 6],
    );
    t.is(second.state.unscored.length, 0);
  }
});

test('a replay comes to the same state, whatever is configured by then', async t => {
  const {scorer, waiting} = heldScorer();
  const band = {...BANDS, enterHoldMs: 2000};
  const rig = createRig({policy: {band}, scorer, runtime: hurried});
  const runtime = await rig.start();
  for (let round = 0; round < 5; round++) {
    await sample(rig, 'a', 1 + 7 * round, new Array(7).fill(0.9));
    await sample(rig, 'b', 1 + 7 * round, new Array(7).fill(0.1 * round));
    await runtime.step(START_MS);
    for (const end of waiting.splice(0, 1)) end();
    await new Promise(resolve => setImmediate(resolve));
  }
  const log = {log: rig.log, codec, partition: PARTITION, policy: rig.policy};
  const model = scorer.signature();
  const {state} = await recover({...log, model, everySamples: EVERY});
  t.true(state.unscored.length > 0);
  t.is(state.actors.path('hosts/a').split('.')[0], 'at-risk');
  t.deepEqual(essence(state), essence(runtime.state));
  const other = (await recover({...log, model})).state;
  t.deepEqual([...(other.tables.get('host.v2')?.bands.band ?? [])].slice(0, 2), [1, 0]);
  t.is(other.unscored.length, 0);
  t.deepEqual(other.actors.stored(), state.actors.stored());
});

test('a request that fails for a while is tried again', async t => {
  let failures = 2;
  const whole = metricScorer();
  const scorer: Scorer = {
    ...whole,
    async score(hash, rows, features) {
      if (failures-- > 0) throw new ForestayError('SCORER_SATURATED', 'full', {retryable: true});
      return whole.score(hash, rows, features);
    },
  };
  const rig = createRig({scorer, runtime: everySamples});
  const runtime = await rig.start();
  await sample(rig, 'a', 1, [0.5, 0.5, 0.5]);
  for (let step = 0; step < 50 && scored(rig).length === 0; step++) {
    rig.pass();
    await runtime.step(rig.clock.nowMs());
    await new Promise(resolve => setImmediate(resolve));
  }
  t.is(scored(rig).length, 1);
});

test('a cadence that a model has no features for is refused', t => {
  const model = metricScorer().signature();
  t.notThrows(() => requireCadence(model, 7));
  const contract = {
    family: 'count-window',
    metrics: ['m'],
    kinds: [],
    window: 10,
    stride: 5,
  } as const;
  t.notThrows(() => requireCadence({...model, contract}, 10));
  t.throws(() => requireCadence({...model, contract}, 7), {code: 'CONFIG_INVALID'});
});
