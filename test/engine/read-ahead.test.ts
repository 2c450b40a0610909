import test from 'ava';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {readAhead} from '../../core/engine/read-ahead.ts';

test('reads that fall into the last one of their partition ask the log for nothing', async t => {
  const memory = createMemoryLog();
  const values = Array.from({length: 10}, (_, index) => Buffer.from([index]));
  await memory.append('telemetry', 3, values);
  await memory.append('inbox', 3, values.slice(0, 2));
  let reads = 0;
  const log = readAhead({
    ...memory,
    read: (...to) => {
      reads++;
      return memory.read(...to);
    },
  });
  const offsets = async (from: number, maxBytes?: number) =>
    (await log.read('telemetry', 3, from, maxBytes)).map(({offset}) => offset);
  t.deepEqual(await offsets(2, 4), [2, 3, 4, 5]);
  t.deepEqual(await offsets(4), [4, 5]);
  t.deepEqual(await offsets(5), [5]);
  t.is(reads, 1);
  t.is((await log.read('inbox', 3, 1)).length, 1);
  t.deepEqual(await offsets(5), [5], 'another topic is another reader');
  t.is(reads, 2);
  t.deepEqual(await offsets(6), [6, 7, 8, 9]);
  t.deepEqual(await offsets(1), [1, 2, 3, 4, 5, 6, 7, 8, 9], 'what lies before is read anew');
  t.deepEqual(await offsets(10), []);
  t.deepEqual(await offsets(10), []);
  t.is(reads, 6);
  t.is(await log.endOffset('telemetry', 3), 10);
  t.is(await log.startOffset('telemetry', 3), 0);
});
