import {setImmediate as turn} from 'node:timers/promises';
import test from 'ava';
import {createGathering} from '../../core/engine/ingest-gathering.ts';

/** Sleeps end when a test says so, or when they are given up. */
function clockOf() {
  let nowMs = 1000;
  const sleeps: {ms: number; wake: () => void}[] = [];
  return {
    sleeps,
    monotonicMs: () => nowMs,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>(resolve => {
        sleeps.push({ms, wake: resolve});
        signal?.addEventListener('abort', () => resolve());
      }),
    pass: (ms: number) => {
      nowMs += ms;
      for (const {wake} of sleeps.splice(0)) wake();
    },
  };
}

const LIMITS = {gatherMs: 50, gatherBytesMax: 1000};

test('the first append after a pause goes in the same turn, the next ones wait for each other', async t => {
  const clock = clockOf();
  const gathering = createGathering(clock, LIMITS);
  const done: string[] = [];
  gathering.add(10, () => done.push('a'));
  await turn();
  t.deepEqual(done, ['a']);
  clock.pass(20);
  gathering.add(10, () => done.push('b'));
  gathering.add(10);
  gathering.add(10, () => done.push('c'));
  await turn();
  t.deepEqual(done, ['a']);
  t.deepEqual(
    clock.sleeps.map(({ms}) => ms),
    [30],
  );
  clock.pass(30);
  await turn();
  await turn();
  t.deepEqual(done, ['a', 'b', 'c']);
});

test('nothing waits for more once there is enough', async t => {
  const clock = clockOf();
  const gathering = createGathering(clock, LIMITS);
  let flushes = 0;
  gathering.add(10, () => flushes++);
  await turn();
  gathering.add(10, () => flushes++);
  await turn();
  t.is(flushes, 1);
  gathering.add(990);
  await turn();
  await turn();
  t.is(flushes, 2);
  gathering.add(1000, () => flushes++);
  await turn();
  await turn();
  t.is(flushes, 3);
});

test('without a time to gather every turn of the event loop is a round', async t => {
  const clock = clockOf();
  const gathering = createGathering(clock, {...LIMITS, gatherMs: 0});
  let flushes = 0;
  for (let round = 1; round <= 3; round++) {
    gathering.add(1, () => flushes++);
    gathering.add(1, () => flushes++);
    await turn();
    t.is(flushes, 2 * round);
  }
  t.is(clock.sleeps.length, 0);
});

test('what a flush asks for is of the next round', async t => {
  const clock = clockOf();
  const gathering = createGathering(clock, LIMITS);
  const done: string[] = [];
  gathering.add(1, () => {
    done.push('first');
    gathering.add(0, () => done.push('again'));
  });
  await turn();
  t.deepEqual(done, ['first']);
  clock.pass(50);
  await turn();
  await turn();
  t.deepEqual(done, ['first', 'again']);
});
