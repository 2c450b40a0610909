import test from 'ava';
import {Handover} from '../../core/adapters/log-kafka-handover.ts';

/** A handler that notes what it is told and is through with `assigned` only when released. */
function recorder() {
  const calls: string[] = [];
  const releases = new Map<number, PromiseWithResolvers<void>>();
  const handover = new Handover({
    assigned(partition) {
      calls.push(`assigned ${partition}`);
      const release = Promise.withResolvers<void>();
      releases.set(partition, release);
      return release.promise;
    },
    async revoking(partition, deadlineMs) {
      calls.push(`revoking ${partition} by ${deadlineMs}`);
    },
    lost: partition => void calls.push(`lost ${partition}`),
  });
  const take = (): string[] => calls.splice(0);
  const turn = () => new Promise(resolve => setImmediate(resolve));
  const release = (...partitions: number[]): Promise<unknown> => {
    for (const partition of partitions) releases.get(partition)?.resolve();
    return turn();
  };
  return {handover, take, release, releases, turn};
}

test('hands over a few at a time and says when all are', async t => {
  const {handover, take, release} = recorder();
  const all = handover.assign(Array.from({length: 10}, (_, n) => n));
  t.is(take().length, 8);
  await release(0, 1);
  t.deepEqual(take(), ['assigned 8', 'assigned 9']);
  await release(2, 3, 4, 5, 6, 7, 8, 9);
  await all;
  t.is(handover.wanted.size, 10);
});

test('what stays is not touched, what goes is lost, what comes is assigned', async t => {
  const {handover, take, release} = recorder();
  void handover.assign([1, 2]);
  await release(1, 2);
  take();
  void handover.assign([2, 3]);
  t.deepEqual(take(), ['lost 1', 'assigned 3']);
});

test('what is lost during its takeover is told so, and is taken again only after it', async t => {
  const {handover, take, release} = recorder();
  void handover.assign([1]);
  void handover.assign([]);
  t.deepEqual(take(), ['assigned 1', 'lost 1']);
  const again = handover.assign([1]);
  t.deepEqual(take(), []);
  await release(1);
  t.deepEqual(take(), ['assigned 1']);
  await release(1);
  await again;
  await handover.revokeAll(5);
  t.deepEqual(take(), ['revoking 1 by 5']);
});

test('revoking asks for what is held and drops what is still being taken over', async t => {
  const {handover, take, release} = recorder();
  void handover.assign([1, 2]);
  await release(1);
  take();
  handover.end();
  await handover.revokeAll(7);
  t.deepEqual(take(), ['lost 2', 'revoking 1 by 7']);
  await release(2);
  await handover.assign([1]);
  t.deepEqual(take(), []);
});

test('a takeover that fails is passed on, and the partition is not held', async t => {
  const {handover, take, releases, turn} = recorder();
  const all = handover.assign([1]);
  releases.get(1)?.reject(new Error('no checkpoint'));
  await t.throwsAsync(all, {message: 'no checkpoint'});
  await turn();
  take();
  handover.loseAll();
  t.deepEqual(take(), []);
  t.is(handover.wanted.size, 0);
});
