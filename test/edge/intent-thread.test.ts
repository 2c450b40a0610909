import test from 'ava';
import {INTENT_COLUMNS} from '../../core/domain/intent-step.ts';
import {riskColumn} from '../../core/domain/reboot-risks.ts';
import {openIntentModel} from '../../edge/intent-model.ts';
import {FAULTS, rowOf, SCHEDULED, startThread, writeHandmade} from './intent-fixture.ts';

const CRASH = riskColumn('crash', 30);
const failing = new URL('./failing-intent-worker.ts', import.meta.url);
const fatal = rowOf({cpu_utilisation_ratio: 666});

test('hosts share a thread, and each has its own past', async t => {
  const folder = await writeHandmade(t);
  const {thread} = await startThread(t, folder);
  const model = await openIntentModel(folder);
  const rows = Array.from({length: 20}, (_, at) => rowOf({[FAULTS]: at % 3, [SCHEDULED]: at / 40}));
  const states = [new Float32Array(model.stateLength), new Float32Array(model.stateLength)];
  for (const [at, row] of rows.entries()) {
    const other = rows[(at * 7) % rows.length] as Float32Array;
    const asked = [thread.next('h01', row), thread.next('h02', other)];
    const expected = [];
    expected.push((await model.next(row, states[0] as Float32Array)).slice());
    expected.push((await model.next(other, states[1] as Float32Array)).slice());
    t.deepEqual(await Promise.all(asked), expected);
  }
  t.is(thread.counters.predictions, 40);
  await model.release();
});

test('a host that is forgotten begins anew', async t => {
  const {thread} = await startThread(t, await writeHandmade(t));
  const first = await thread.next('h01', rowOf({[FAULTS]: 1}));
  const second = await thread.next('h01', rowOf({[FAULTS]: 1}));
  t.true((second?.[CRASH] as number) > (first?.[CRASH] as number));
  thread.forget('h01');
  t.deepEqual(await thread.next('h01', rowOf({[FAULTS]: 1})), first);
});

test('a row that waits for its turn is not the first of the next life', async t => {
  const {thread} = await startThread(t, await writeHandmade(t));
  const first = await thread.next('h01', rowOf({[FAULTS]: 1}));
  const old = [1, 2].map(faults => thread.next('h01', rowOf({[FAULTS]: faults})));
  thread.forget('h01');
  const next = thread.next('h01', rowOf({[FAULTS]: 1}));
  t.is((await Promise.all(old))[1], undefined);
  t.deepEqual(await next, first);
});

test('of the rows of a host that come too fast, the newest waits and the others are counted', async t => {
  const {thread} = await startThread(t, await writeHandmade(t));
  const asked = [0, 0.25, 0.5, 1].map(value => thread.next('h01', rowOf({[SCHEDULED]: value})));
  const answers = await Promise.all(asked);
  t.deepEqual(
    answers.map(answer => answer !== undefined),
    [true, false, false, true],
  );
  t.true((answers[3]?.[riskColumn('intentional', 30)] as number) > 0.8);
  t.like(thread.counters, {predictions: 2, dropped: 2});
  t.truthy(await thread.next('h01', rowOf({})), 'and it goes on');
});

test('so many explanations may wait, and no more', async t => {
  const {thread} = await startThread(t, await writeHandmade(t));
  const samples = new Float32Array(60 * INTENT_COLUMNS);
  const asked = Array.from({length: 70}, () => thread.explain(samples, CRASH));
  const step = thread.next('h01', rowOf({}));
  const order: string[] = [];
  void step.then(() => order.push('step'));
  void asked[1]?.then(() => order.push('second explanation'));
  const answers = await Promise.all(asked);
  await step;
  t.is(answers.filter(answer => answer === undefined).length, 5);
  t.like(thread.counters, {explanations: 65, dropped: 5});
  t.deepEqual(order, ['step', 'second explanation'], 'a step waits for one explanation at most');
});

test('a thread that dies is started again, and what it was asked is not known', async t => {
  const slept: number[] = [];
  const {thread, notes} = await startThread(t, await writeHandmade(t), {
    worker: failing,
    clock: {
      nowMs: () => 0,
      monotonicMs: () => 0,
      sleep: async ms => {
        slept.push(ms);
      },
    },
  });
  for (let crash = 1; crash <= 3; crash++) {
    t.is(await thread.next('h01', fatal), undefined);
    let answer: Float32Array | undefined;
    while (answer === undefined)
      answer = await Promise.resolve(thread.next('h01', rowOf({}))).then(later);
    t.is(thread.counters.crashes, crash);
  }
  t.deepEqual(slept.slice(0, 3), [1500, 3000, 6000], 'longer each time, and not all at once');
  t.is(thread.counters.failed, 3);
  t.regex(
    notes[0] ?? '',
    /thread of the reboot-intent model ended; .* in 1500 ms: Error: struck down/,
  );
});

test('a thread that keeps dying stays off, and the agent goes on without', async t => {
  const {thread, notes} = await startThread(t, await writeHandmade(t), {
    worker: failing,
    clock: {nowMs: () => 0, monotonicMs: () => 0, sleep: async () => {}},
  });
  while (!notes.some(line => line.includes('stays off')))
    await thread.next('h01', fatal).then(later);
  t.is(thread.counters.crashes, 6);
  t.is(await thread.next('h01', rowOf({})), undefined);
  await thread.close();
});

test('what was asked is answered before the thread ends', async t => {
  const {thread} = await startThread(t, await writeHandmade(t));
  const asked = Array.from({length: 50}, (_, host) => thread.next(`h${host}`, rowOf({})));
  await thread.close();
  const answers = await Promise.all(asked);
  t.true(answers.every(answer => answer !== undefined));
  t.is(await thread.next('h1', rowOf({})), undefined);
  t.is(thread.counters.crashes, 0);
});

/** Lets messages of threads in. */
function later<Value>(value: Value): Promise<Value> {
  return new Promise(resolve => setTimeout(resolve, 2, value));
}
