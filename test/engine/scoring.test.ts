import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import type {Batch} from '../../core/domain/telemetry.ts';
import {createPartitionState} from '../../core/engine/partition-state.ts';
import {createScoringClient} from '../../core/engine/scoring.ts';
import {ServedModels} from '../../core/engine/served-models.ts';
import {advance} from '../../core/engine/tick.ts';
import type {Scorer} from '../../core/ports.ts';
import {
  createRig,
  hostBatch,
  metricScorer,
  PARTITION,
  START_MS,
  second,
} from '../support/partition.ts';

/** A scorer whose requests end when and how a test says, in any order. */
function slowScorer() {
  const requests: {rows: number; end(risk: number): void; fail(): void}[] = [];
  const scorer: Scorer = {
    ...metricScorer(),
    score: (_hash, rows) =>
      new Promise((resolve, reject) => {
        requests.push({
          rows,
          end: risk => resolve(new Float32Array(rows * COMPONENTS.length).fill(risk)),
          fail: () => reject(new Error('the pool is gone')),
        });
      }),
  };
  return {scorer, requests};
}

function fleet(intervalMs = 0) {
  const {scorer, requests} = slowScorer();
  const state = createPartitionState(PARTITION, createRig().policy, scorer.signature());
  const client = createScoringClient(
    new ServedModels(scorer),
    systemClock,
    seededRandom(1),
    {intervalMs},
    7,
  );
  let seq = 0;
  const sample = (...hosts: string[]) => {
    seq++;
    take(
      hosts.map(host => hostBatch(host, seq, [{atMs: START_MS + 1000 * seq}], {incarnation: seq})),
    );
  };
  const take = (batches: readonly Batch[]) => {
    advance(state, {
      timeMs: START_MS + 1000 * seq,
      cut: state.cut,
      telemetry: batches.map(batch => ({kind: 'batch', batch})),
      inbox: [],
      scores: [],
      timers: false,
    });
  };
  const soon = () => systemClock.sleep(0);
  return {state, client, requests, sample, soon, take};
}

test('results are handed on in the order in which they were asked for', async t => {
  const {state, client, requests, sample, soon} = fleet();
  sample('b', 'a');
  t.is(client.request(state), 8);
  sample('a');
  t.is(client.request(state), 9);
  requests[1]?.end(0.2);
  await soon();
  t.deepEqual(client.take(), []);
  t.is(client.taken(), 7);
  requests[0]?.end(0.1);
  await soon();
  const results = client.take();
  t.deepEqual(
    results.map(({request, hosts}) => [request, hosts]),
    [
      [8, ['a', 'b']],
      [9, ['a']],
    ],
  );
  t.is(client.taken(), 9);
  t.is(client.pending(), 0);
});

test('only rows with newer samples are sent, and a failed request leaves them dirty', async t => {
  const {state, client, requests, sample, soon} = fleet();
  sample('a', 'b');
  client.request(state);
  t.is(client.request(state), 8, 'nothing is newer');
  requests[0]?.fail();
  await soon();
  t.deepEqual(client.take(), []);
  t.is(client.taken(), 8, 'a failure has its place in the order');
  client.request(state);
  t.is(requests[1]?.rows, 2);
});

test('a failure does not undo what was sent since', async t => {
  const {state, client, requests, sample, soon} = fleet();
  sample('a', 'b');
  client.request(state);
  sample('a');
  client.request(state);
  requests[0]?.fail();
  await soon();
  client.request(state);
  t.is(requests[2]?.rows, 1, 'b only');
});

test('no more than four requests are in flight', t => {
  const {state, client, requests, sample} = fleet();
  for (let count = 0; count < 6; count++) {
    sample('a');
    client.request(state);
  }
  t.is(requests.length, 4);
  t.is(client.pending(), 4);
});

test('a host is scored again when its samples have moved on by the interval', t => {
  const {state, client, requests, sample} = fleet(3000);
  for (let count = 0; count < 7; count++) {
    sample('a');
    client.request(state);
  }
  t.is(requests.length, 3);
});

test('waiting for scores has a bound', async t => {
  const {state, client, requests, sample} = fleet();
  await client.settled(10_000);
  sample('a');
  client.request(state);
  await client.settled(5);
  t.is(client.pending(), 1);
  requests[0]?.end(0.5);
  await client.settled(10_000);
  t.is(client.pending(), 0);
});

test('a score that is late joins the next tick', async t => {
  const {scorer, requests} = slowScorer();
  const rig = createRig({
    scorer,
    runtime: {clock: systemClock, scoring: {intervalMs: 0, waitMs: 1}},
  });
  const runtime = await rig.start();
  await second(rig, runtime, {a: {}});
  await second(rig, runtime, {a: {}});
  t.deepEqual(
    rig.ticks.flatMap(tick => tick.risks),
    [],
  );
  requests[0]?.end(0.05);
  await second(rig, runtime, {a: {}});
  t.is(rig.ticks.at(-1)?.risks[0]?.host, 'a');
  t.is(rig.ticks.at(-1)?.cut.scoreRequest, 1);
});

test('risks and reasons go to the scores topic; a scorer that fails leaves rows out', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  for (let count = 0; count < 3; count++) await second(rig, runtime, {a: {risk: 0.9}, b: {}});
  t.true((await rig.log.endOffset('scores', PARTITION)) > 0);
  const {codec} = await import('../../proto/codec.ts');
  const records = (await rig.log.read('scores', PARTITION, 0)).map(({value}) =>
    codec.decodeScores(value),
  );
  t.deepEqual(records[0]?.hosts, ['a', 'b']);
  t.true(records.some(({reasons}) => reasons.some(({component}) => component === 'cpu')));
  const {ForestayError} = await import('../../core/domain/errors.ts');
  const broken = createRig({
    scorer: {
      ...metricScorer(),
      explain: async () => {
        throw new ForestayError('SCORER_SATURATED', 'full', {retryable: true});
      },
    },
  });
  const other = await broken.start();
  for (let count = 0; count < 3; count++) await second(broken, other, {a: {risk: 0.9}});
  t.is(await broken.log.endOffset('scores', PARTITION), 1, 'once it was not at risk yet');
  t.is(other.state.actors.path('hosts/a').split('.')[0], 'at-risk');
});

test('a host that measures nothing is not scored, and is as soon as it does', async t => {
  const {state, client, requests, sample, take} = fleet();
  const mute = hostBatch('mute', 1, [{atMs: START_MS}], {incarnation: 0});
  for (const {values} of mute.blocks) values.fill(Number.NaN);
  take([mute]);
  t.is(client.request(state), 7, 'no request');
  sample('a', 'mute');
  client.request(state);
  t.deepEqual(
    requests.map(({rows}) => rows),
    [2],
  );
});

test('a defect of the program is not counted as a failed score', async t => {
  const {scorer} = slowScorer();
  const broken: Scorer = {
    ...scorer,
    score: async () => {
      throw new TypeError('a defect');
    },
  };
  const state = createPartitionState(PARTITION, createRig().policy, scorer.signature());
  const client = createScoringClient(new ServedModels(broken), systemClock, seededRandom(1), {
    intervalMs: 0,
  });
  advance(state, {
    timeMs: START_MS,
    cut: state.cut,
    telemetry: [{kind: 'batch', batch: hostBatch('a', 1, [{atMs: START_MS}])}],
    inbox: [],
    scores: [],
    timers: false,
  });
  client.request(state);
  await t.throwsAsync(client.settled(1000), {instanceOf: TypeError});
});

test('what the agent says of a reboot is a risk beside the components', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  for (let count = 0; count < 3; count++) {
    await second(rig, runtime, {a: {risk: 0.05, reboot: 0.9}, b: {risk: 0.05}});
  }
  const context = JSON.parse(
    rig.ticks.flatMap(tick => tick.transitions).find(({actor}) => actor === 'hosts/a')?.context ??
      '{}',
  );
  t.is(context.component, 'reboot');
  t.true(Math.abs(context.risk - (1 - 0.95 * 0.1)) < 1e-6, `${context.risk}`);
  t.is(runtime.state.actors.path('hosts/b'), 'normal');
  const told = rig.ticks.find(tick => tick.risks.length > 0);
  t.deepEqual(told?.components, [...COMPONENTS, 'reboot']);
  t.deepEqual([...(told?.risks[1]?.risks ?? [])].slice(-1), [Number.NaN], 'of b nothing is said');
  // Less than the threshold is no risk, and if it says no more the risk is what the components have.
  await second(rig, runtime, {a: {risk: 0.05, reboot: 0.7}, b: {}});
  await second(rig, runtime, {a: {risk: 0.05}, b: {}});
  await second(rig, runtime, {a: {risk: 0.05}, b: {}});
  t.is(runtime.state.actors.path('hosts/a').split('.')[0], 'normal');
});
