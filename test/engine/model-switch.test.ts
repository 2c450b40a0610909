/** What a command that asks for another model does to a partition that is at work. */
import test from 'ava';
import {ForestayError} from '../../core/domain/errors.ts';
import {canaryFor} from '../../core/domain/model-use.ts';
import type {Tick} from '../../core/domain/records.ts';
import {encodeState} from '../../core/engine/checkpoint.ts';
import type {PartitionRuntime} from '../../core/engine/partition-runtime.ts';
import {recover} from '../../core/engine/recovery.ts';
import {ServedModels} from '../../core/engine/served-models.ts';
import type {Scorer} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {createRig, metricScorer, PARTITION, type Rig, second} from '../support/partition.ts';
import {replayed} from './replayed.ts';

const HOSTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const FLEET = Object.fromEntries(HOSTS.map(host => [host, {risk: 0.1}]));

/** Models of a registry, by hash: the served one's risks times a factor. */
function shelf(models: Readonly<Record<string, Scorer | ForestayError>>) {
  const first = metricScorer();
  const opened: string[] = [];
  const served = new ServedModels(first, {
    async open(hash) {
      opened.push(hash);
      const found = models[hash];
      if (found === undefined) throw new ForestayError('NOT_FOUND', `no model ${hash} here`);
      if (found instanceof ForestayError) throw found;
      return found;
    },
  });
  return {served, opened};
}

const double = () => metricScorer({hash: 'double', name: 'double'}, 2);

async function startWith(models: Readonly<Record<string, Scorer | ForestayError>>) {
  const rig = createRig();
  const {served, opened} = shelf(models);
  const runtime = await rig.start({models: served});
  await seconds(rig, runtime, 2);
  return {rig, runtime, served, opened};
}

async function seconds(rig: Rig, runtime: PartitionRuntime, count: number): Promise<void> {
  for (let at = 0; at < count; at++) await second(rig, runtime, FLEET);
}

function riskOf({state}: PartitionRuntime, host: string): number {
  const {table, row = -1} = state.hosts.get(host) ?? {};
  return state.tables.get(table ?? '')?.bands.risk[row] as number;
}

/** Nothing is waited for: what is not there yet is left to the next tick. */
function impatient({clock}: Rig) {
  return {clock: {...clock, sleep: async () => {}}, scoring: {intervalMs: 0, waitMs: 0}};
}

const switchTo = (modelHash: string, percent = 100) => ({
  kind: 'switch-model' as const,
  modelHash,
  percent,
  comment: '',
});

const usesOf = (ticks: readonly Tick[]) =>
  ticks.flatMap(({models}) => (models === undefined ? [] : [models]));

test('after a switch every host is scored by the new model, and the journal says so', async t => {
  const {rig, runtime} = await startWith({double: double()});
  t.is(riskOf(runtime, 'a'), Math.fround(0.1));
  await rig.command(switchTo('double'));
  await seconds(rig, runtime, 2);
  for (const host of HOSTS) t.true(Math.abs(riskOf(runtime, host) - 0.2) < 1e-6, host);
  t.deepEqual(usesOf(rig.ticks), [{champion: 'double'}]);
  t.is(rig.ticks.at(-1)?.modelHash, 'double');
});

test('a canary scores its share of the hosts, and a growing share keeps those that it had', async t => {
  const {rig, runtime} = await startWith({double: double()});
  for (const percent of [30, 60]) {
    await rig.command(switchTo('double', percent));
    await seconds(rig, runtime, 2);
    for (const host of HOSTS) {
      const wanted = canaryFor(host, {percent}) ? 0.2 : 0.1;
      t.true(Math.abs(riskOf(runtime, host) - wanted) < 1e-6, `${host} at ${percent} %`);
    }
  }
  const trying = HOSTS.map(host => [30, 60].map(percent => canaryFor(host, {percent})));
  t.true(trying.every(([few, many]) => !few || many));
  t.true(trying.some(([few]) => few) && trying.some(([, many]) => !many));
  await rig.command(switchTo('double', 0));
  await seconds(rig, runtime, 2);
  t.is(runtime.state.canary, undefined);
  t.true(HOSTS.every(host => Math.abs(riskOf(runtime, host) - 0.1) < 1e-6));
  t.deepEqual(usesOf(rig.ticks), [
    {champion: 'metric', canary: {modelHash: 'double', percent: 30}},
    {champion: 'metric', canary: {modelHash: 'double', percent: 60}},
    {champion: 'metric'},
  ]);
});

test('what cannot serve is refused with its reason, and what served goes on', async t => {
  const {rig, runtime} = await startWith({
    broken: new ForestayError('MODEL_HASH_MISMATCH', 'its bytes are not those that were signed'),
    other: metricScorer({hash: 'other', components: ['cpu']}),
    strict: metricScorer({hash: 'strict', requiredMetrics: ['nobody_measures_this']}),
  });
  const wanted: [string, number, RegExp][] = [
    ['broken', 100, /MODEL_HASH_MISMATCH.*not those that were signed/],
    ['gone', 10, /NOT_FOUND.*no model gone/],
    ['other', 100, /it foretells cpu; served are cpu, memory/],
    ['strict', 50, /metric set/],
  ];
  for (const [hash, percent, because] of wanted) {
    await rig.command(switchTo(hash, percent));
    await seconds(rig, runtime, 2);
    const refused = usesOf(rig.ticks).at(-1)?.refused;
    t.is(refused?.modelHash, hash);
    t.regex(refused?.because ?? '', because);
    t.is(runtime.state.model.hash, 'metric');
  }
  t.is(riskOf(runtime, 'a'), Math.fround(0.1));
});

test('answers of the former model that come after a switch are not taken', async t => {
  const late: (() => void)[] = [];
  const slow = metricScorer();
  const rig = createRig({
    scorer: {
      ...slow,
      score: async (...request) => {
        if (late.length > 0) await new Promise<void>(resolve => late.push(resolve));
        return slow.score(...request);
      },
    },
  });
  const {served} = shelf({double: double()});
  // The configured scorer is the slow one: only the other comes from the shelf.
  const models = new ServedModels(rig.scorer, {
    open: async hash => served.scorerOf(hash) ?? double(),
  });
  const runtime = await rig.start({models, ...impatient(rig)});
  await seconds(rig, runtime, 2);
  late.push(() => {});
  await second(rig, runtime, FLEET);
  await rig.command(switchTo('double'));
  await second(rig, runtime, FLEET);
  await second(rig, runtime, FLEET);
  t.is(runtime.state.model.hash, 'double');
  for (const answer of late.splice(0)) answer();
  await seconds(rig, runtime, 3);
  t.true(HOSTS.every(host => Math.abs(riskOf(runtime, host) - 0.2) < 1e-6));
  const switched = rig.ticks.findIndex(({models: use}) => use !== undefined);
  const applied = rig.ticks.slice(switched).flatMap(({risks}) => risks);
  t.true(applied.length > 0);
  t.true(applied.every(({risks}) => Math.abs((risks[0] as number) - 0.2) < 1e-6));
});

test('a start serves what was switched to, from the journal and from a checkpoint', async t => {
  const {rig, runtime, served} = await startWith({double: double()});
  await rig.command(switchTo('double', 50));
  await seconds(rig, runtime, 2);
  for (const withCheckpoint of [false, true]) {
    if (withCheckpoint) await runtime.stop();
    const {log, policy, scorer} = rig;
    const input = {log, codec, partition: PARTITION, policy, model: scorer.signature()};
    const {state} = await recover({...input, models: served});
    t.deepEqual(state.use, {champion: 'metric', canary: {modelHash: 'double', percent: 50}});
    t.is(state.canary?.model.hash, 'double');
    // Where the model is gone, the configured one serves, and what was asked for is not forgotten.
    const without = (await recover({...input, models: shelf({}).served})).state;
    t.is(without.canary, undefined);
    t.is(without.use?.canary?.modelHash, 'double');
  }
});

test('a replay of a switch gives the same ticks and the same state', async t => {
  const {rig, runtime, served} = await startWith({double: double()});
  const {log, policy, scorer} = rig;
  const input = {log, codec, partition: PARTITION, policy, model: scorer.signature()};
  await rig.command(switchTo('double', 50));
  await seconds(rig, runtime, 2);
  await rig.command(switchTo('gone'));
  await rig.command(switchTo('double'));
  await seconds(rig, runtime, 2);
  const {state} = await recover({...input, models: served});
  // What was sent to a model is not part of what was told.
  for (const each of [state, runtime.state]) {
    for (const {scoredMs} of each.tables.values()) scoredMs.fill(0);
  }
  state.epoch = runtime.state.epoch;
  t.deepEqual(encodeState(state), encodeState(runtime.state));
  await replayed(t, rig, {models: served});
});

test('while a model is being opened commands behind its switch wait, and ticks do not', async t => {
  let open: (scorer: Scorer) => void = () => {};
  const models = new ServedModels(metricScorer(), {
    open: () =>
      new Promise(resolve => {
        open = resolve;
      }),
  });
  const rig = createRig();
  const runtime = await rig.start({models, ...impatient(rig)});
  await seconds(rig, runtime, 2);
  await rig.command({kind: 'set-mode', mode: 'advise'});
  await rig.command(switchTo('double'));
  await rig.command({kind: 'set-mode', mode: 'observe'});
  const before = runtime.state.timeMs;
  await seconds(rig, runtime, 3);
  t.is(runtime.state.timeMs, before + 3000);
  t.is(runtime.state.control.mode, 'advise');
  t.is(runtime.state.model.hash, 'metric');
  open(double());
  await seconds(rig, runtime, 2);
  t.is(runtime.state.model.hash, 'double');
  t.is(runtime.state.control.mode, 'observe');
});

test('models that nothing uses are let go of, but for the last few', async t => {
  const closed: string[] = [];
  const models = new ServedModels(metricScorer(), {
    open: async hash => ({...metricScorer({hash}), close: async () => void closed.push(hash)}),
  });
  for (const hash of ['1', '2', '3', '4', '5', '6']) await models.open(hash);
  await models.keep(new Set(['1']));
  t.deepEqual(closed, ['2', '3']);
  t.not(models.scorerOf('1'), undefined);
  await models.close();
  t.deepEqual(closed.sort(), ['1', '2', '3', '4', '5', '6']);
});

test('a model that was opened for a command is kept until a partition has taken it', async t => {
  const closed: string[] = [];
  const models = new ServedModels(metricScorer(), {
    open: async hash => ({...metricScorer({hash}), close: async () => void closed.push(hash)}),
  });
  for (const hash of ['1', '2', '3', '4', 'next']) await models.open(hash);
  await models.keep(new Set(['1', '2', '3', '4']));
  t.deepEqual(closed, []);
  t.not(models.scorerOf('next'), undefined);
});
