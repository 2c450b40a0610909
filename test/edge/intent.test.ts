import test, {type ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import {RISK_OUTPUTS} from '../../core/domain/reboot-risks.ts';
import {BlockBuilder} from '../../edge/batch.ts';
import {concludeIntent} from '../../edge/intent.ts';
import type {IntentThread} from '../../edge/intent-thread.ts';
import {limitNotes} from '../../edge/note.ts';
import {createSampler} from '../../edge/sampler.ts';
import type {Conclusion, Sensor} from '../../edge/sensor.ts';
import {codec} from '../../proto/codec.ts';
import {makeAgent} from './edge-support.ts';
import {FAULTS, SCHEDULED, startThread, writeHandmade} from './intent-fixture.ts';
import {scriptedCore} from './scripted-core.ts';

const START_MS = 1_760_000_000_000;
const INTENTIONAL = 'reboot_intentional_30m_probability';
const CRASH = 'reboot_crash_30m_probability';
/** Metrics that a model knows a usual value of; the hosts here have the first alone. */
const [USUAL_AT, LACKED_AT] = [1, 2];
const OTHER = INTENT_INPUTS[USUAL_AT]?.name ?? '';
const columnOf = (column: string) => HOST_METRICS.columns.indexOf(column);

/** Says at each second what is told. */
type World = (second: number) => Readonly<Record<string, number>>;

function sensorOf(world: World): Sensor {
  return {
    name: 'host',
    columns: [],
    read(nowMs, row) {
      const told = Object.entries(world((nowMs - START_MS) / 1000));
      for (const [column, value] of told) row.set(column, value);
    },
  };
}

/** What the row of each second says, when every sample waits for what it set going. */
async function sampled(conclusion: Conclusion, seconds: readonly number[], world: World) {
  const builder = new BlockBuilder(HOST_METRICS);
  const sampler = createSampler({
    sensors: [sensorOf(world)],
    fleets: [],
    conclusions: [conclusion],
    hostRow: nowMs => builder.row('hosts/h01', nowMs),
    vmRow: (entity, nowMs) => builder.row(entity, nowMs),
    note: limitNotes(() => {}),
  });
  for (const second of seconds) {
    sampler.sample(START_MS + second * 1000);
    await sampler.settled();
  }
  const block = builder.take();
  const rows = seconds.length;
  return {
    failures: sampler.counters.failures,
    values: (column: string) => [
      ...(block?.values.subarray(columnOf(column) * rows, (columnOf(column) + 1) * rows) ?? []),
    ],
    device: (column: string, row: number) =>
      block?.devices.find(device => device.row === row && device.column === columnOf(column))?.name,
  };
}

/** Answers with what a metric was on average, as the probability of everything; keeps what it was asked. */
function plainThread(metric = SCHEDULED) {
  const input = INTENT_INPUTS.findIndex(({name}) => name === metric);
  const asked: number[] = [];
  const explained: {samples: Float32Array; output: number}[] = [];
  let forgotten = 0;
  const thread: Pick<IntentThread, 'manifest' | 'next' | 'explain' | 'forget'> = {
    manifest: {
      explainSteps: 60,
      usual: INTENT_INPUTS.map((_, at) => (at === USUAL_AT || at === LACKED_AT ? 7 : null)),
    } as unknown as IntentThread['manifest'],
    async next(_, row) {
      asked.push(row[input] as number);
      return new Float32Array(RISK_OUTPUTS.length).fill(row[input] as number);
    },
    async explain(samples, output) {
      explained.push({samples, output});
      return Float32Array.from(INTENT_INPUTS, (_, at) => (at === input ? 0.41 : -at / 100_000));
    },
    forget() {
      forgotten++;
    },
  };
  return {thread, asked, explained, forgotten: () => forgotten};
}

const upTo = (seconds: number, from = 0) =>
  Array.from({length: seconds - from}, (_, at) => from + at);

test('after a step the eight columns say how likely the host goes down, and what speaks for it', async t => {
  const {thread} = await startThread(t, await writeHandmade(t));
  const world: World = second => ({[SCHEDULED]: second >= 20 ? 1 : 0, [FAULTS]: 0});
  const {values, device, failures} = await sampled(
    concludeIntent({key: 'h01', thread}),
    upTo(42),
    world,
  );
  t.deepEqual(failures, {host: 0, intent: 0});
  const told = values(INTENTIONAL);
  t.true(told.slice(0, 11).every(Number.isNaN), 'nothing is known before the first step has ended');
  t.true(told.slice(11, 31).every(risk => risk < 0.02));
  t.true(
    told.slice(31).every(risk => risk > 0.8 && risk <= 1),
    `${told[31]}`,
  );
  t.true(values('reboot_intentional_15m_probability').every(risk => !(risk > 0.02)));
  t.regex(device(INTENTIONAL, 31) ?? '', /^shutdown_scheduled_ratio \+0\.\d\d$/);
  t.is(device(CRASH, 31), undefined);
  t.is(device(INTENTIONAL, 30), undefined);
  for (const cause of ['intentional', 'crash']) {
    for (const minutes of [1, 5, 15, 30]) {
      t.false(Number.isNaN(values(`reboot_${cause}_${minutes}m_probability`).at(-1)));
    }
  }
});

test('the same samples give the same rows, however slow the thread is', async t => {
  const folder = await writeHandmade(t);
  const world: World = second => ({
    [SCHEDULED]: Number(second % 50 > 30),
    [FAULTS]: (second * 7) % 11 === 0 ? 1 : 0,
  });
  const runs = [];
  for (const delayMs of [0, 3]) {
    const {thread} = await startThread(t, folder);
    const slow: typeof thread = {
      ...thread,
      manifest: thread.manifest,
      next: async (key, row) => {
        const answer = await thread.next(key, row);
        await systemClock.sleep(delayMs);
        return answer;
      },
      explain: (samples, output) => thread.explain(samples, output),
      forget: key => thread.forget(key),
    };
    const {values, device} = await sampled(
      concludeIntent({key: 'h01', thread: slow}),
      upTo(200),
      world,
    );
    runs.push([
      values(INTENTIONAL),
      values(CRASH),
      upTo(200).map(row => [device(INTENTIONAL, row), device(CRASH, row)]),
    ]);
  }
  t.deepEqual(runs[0], runs[1]);
});

test('an answer is good for half a minute', async t => {
  const {thread, asked} = plainThread();
  const silent = {
    ...thread,
    next: async (key: string, row: Float32Array) =>
      asked.length === 0 ? thread.next(key, row) : undefined,
  };
  const {values} = await sampled(concludeIntent({key: 'h01', thread: silent}), upTo(60), () => ({
    [SCHEDULED]: 0.25,
  }));
  const told = values(CRASH);
  t.deepEqual(told.slice(11, 41), new Array(30).fill(0.25));
  t.true(told.slice(41).every(Number.isNaN));
});

test('a sample never waits: while there is no answer, the columns are missing', async t => {
  const {thread} = plainThread();
  const conclusion = concludeIntent({
    key: 'h01',
    thread: {...thread, next: () => new Promise(() => {})},
  });
  const row = conclusion.hostRow({set: () => {}});
  for (const second of upTo(100)) conclusion.read(START_MS + second * 1000, row);
  t.pass();
});

for (const [what, seconds, world, lives] of [
  ['a host that is sampled all the time', upTo(100), () => ({}), 1],
  ['a step or two that nobody sampled', [...upTo(30), ...upTo(100, 55)], () => ({}), 1],
  ['more steps that nobody sampled', [...upTo(30), ...upTo(100, 65)], () => ({}), 2],
  [
    'another boot',
    upTo(100),
    (second: number) => ({boot_age_seconds: second < 40 ? 5000 + second : second - 40}),
    2,
  ],
  [
    'a boot whose age wavers',
    upTo(100),
    (second: number) => ({boot_age_seconds: 5000 + second - (second > 40 ? 15 : 0)}),
    1,
  ],
  ['a clock that is set back', [...upTo(500, 400), ...upTo(100)], () => ({}), 2],
] as const) {
  test(`lives of a host: ${what}`, async t => {
    const {thread, forgotten} = plainThread();
    await sampled(concludeIntent({key: 'h01', thread}), seconds, world);
    t.is(forgotten(), lives);
  });
}

test('what ended before a gap is not asked about, and what comes after it is', async t => {
  const {thread, asked} = plainThread();
  const {values} = await sampled(
    concludeIntent({key: 'h01', thread}),
    [...upTo(30), ...upTo(100, 70)],
    second => ({[SCHEDULED]: second < 30 ? 0.5 : 0.25}),
  );
  t.deepEqual(asked, [0.5, 0.5, 0.25, 0.25]);
  const told = values(CRASH);
  t.true(told.slice(30, 41).every(Number.isNaN));
  t.is(told[41], 0.25);
});

test('a likely cause is explained once a minute, the causes by turns, from the last ten minutes', async t => {
  const {thread, explained} = plainThread();
  const {device} = await sampled(concludeIntent({key: 'h01', thread}), upTo(200), second => ({
    [SCHEDULED]: 0.3 + (second >= 170 ? -0.2 : 0),
    [OTHER]: 3,
  }));
  t.deepEqual(
    explained.map(({output}) => RISK_OUTPUTS[output]),
    ['intentional-30m', 'crash-30m', 'intentional-30m'],
  );
  const [first] = explained;
  t.is(first?.samples.length, 60 * INTENT_INPUTS.length);
  const at = INTENT_INPUTS.findIndex(({name}) => name === SCHEDULED);
  t.is(first?.samples[59 * INTENT_INPUTS.length + at], Math.fround(0.3));
  const before =
    first?.samples.subarray(58 * INTENT_INPUTS.length, 59 * INTENT_INPUTS.length) ?? [];
  t.is(before[USUAL_AT], 7, 'before its first step all is as usual');
  t.true(
    before.every((value, input) => input === USUAL_AT || Number.isNaN(value)),
    'and what the host lacks was never there',
  );
  t.is(device(INTENTIONAL, 12), `${SCHEDULED} +0.41`);
  t.is(device(CRASH, 12), undefined);
  t.is(device(CRASH, 75), `${SCHEDULED} +0.41`);
  t.is(device(INTENTIONAL, 185), undefined, 'it is not likely any more');
});

test('an infinity is missing, as in the batch', async t => {
  const {thread, asked} = plainThread();
  await sampled(concludeIntent({key: 'h01', thread}), upTo(21), second => ({
    [SCHEDULED]: second % 2 === 0 ? Number.POSITIVE_INFINITY : 0.5,
  }));
  t.deepEqual(asked, [0.5, 0.5]);
});

test('no core is needed: the agent concludes while nobody listens, and sends it later', async t => {
  const {thread} = await startThread(t, await writeHandmade(t));
  const core = scriptedCore();
  core.script.isAway = true;
  const sent: string[] = [];
  const agent = agentOf(t, core.dial, thread, sent);
  for (const second of upTo(25)) await agent.sampleOnce(START_MS + second * 1000);
  t.is(thread.counters.predictions, 2);
  t.is(thread.counters.explanations, 1);
  t.is(agent.counters.spool.appendedBatches, 25);
  t.regex(sent.at(-1) ?? '', /shutdown_scheduled_ratio \+0/);
});

function agentOf(
  t: ExecutionContext,
  dial: ReturnType<typeof scriptedCore>['dial'],
  thread: IntentThread,
  sent: string[],
) {
  return makeAgent(t, {
    sensors: [sensorOf(() => ({[SCHEDULED]: 1}))],
    conclusions: [concludeIntent({key: 'h01', thread})],
    dial,
    codec: {
      encodeTelemetry(record) {
        if (record.kind === 'batch') sent.push(JSON.stringify(record.batch.blocks[0]?.devices));
        return codec.encodeTelemetry(record);
      },
    },
    drainMs: 0,
  }).agent;
}
