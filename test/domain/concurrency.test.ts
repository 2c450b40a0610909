import test from 'ava';
import {eachAtOnce, within} from '../../core/domain/concurrency.ts';

/** A clock whose deadlines pass when told; says how many still wait. */
function deadlines() {
  const waiting = new Set<() => void>();
  return {
    waiting,
    clock: {
      sleep: (_ms: number, signal: AbortSignal) =>
        new Promise<void>(resolve => {
          const end = () => {
            waiting.delete(end);
            resolve();
          };
          waiting.add(end);
          signal.addEventListener('abort', end, {once: true});
        }),
    },
    pass: () => {
      for (const end of waiting) end();
    },
  };
}

test('work that is done in time leaves no deadline behind', async t => {
  const {clock, waiting} = deadlines();
  t.true(await within(clock, 1000, Promise.resolve()));
  t.is(waiting.size, 0);
});

test('a wait ends with its deadline, and what fails later fails unheard', async t => {
  const {clock, pass} = deadlines();
  const work = Promise.withResolvers<void>();
  const waited = within(clock, 1000, work.promise);
  pass();
  t.false(await waited);
  work.reject(new Error('too late for anybody'));
  await new Promise(resolve => setImmediate(resolve));
});

test('work that fails in time fails the wait and leaves no deadline', async t => {
  const {clock, waiting} = deadlines();
  const error = new Error('refused');
  t.is(await t.throwsAsync(within(clock, 1000, Promise.reject(error))), error);
  t.is(waiting.size, 0);
});

test('items are worked on in order, no more at once than the bound', async t => {
  const begun: number[] = [];
  const releases: (() => void)[] = [];
  const all = eachAtOnce([1, 2, 3, 4, 5], 2, item => {
    begun.push(item);
    return new Promise(resolve => releases.push(resolve));
  });
  for (const expected of [[1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5], begun]) {
    t.deepEqual(begun, expected);
    releases.shift()?.();
    await new Promise(resolve => setImmediate(resolve));
  }
  releases.shift()?.();
  await all;
});

test('after a failure nothing more is begun, and it is thrown once the rest is over', async t => {
  const begun: number[] = [];
  const other = Promise.withResolvers<void>();
  let isOver = false;
  const all = eachAtOnce([1, 2, 3, 4], 2, async item => {
    begun.push(item);
    if (item === 1) throw new Error('the first');
    await other.promise;
    isOver = true;
  });
  setImmediate(other.resolve);
  await t.throwsAsync(all, {message: 'the first'});
  t.true(isOver);
  t.deepEqual(begun, [1, 2]);
});
