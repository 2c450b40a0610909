import test from 'ava';
import {KafkaTail} from '../../core/adapters/log-kafka-tail.ts';
import fc from '../support/fast-check.ts';

const value = (text: string, length = 1) => new Uint8Array(Buffer.alloc(length, text));
const offsets = (records: readonly {offset: number}[] | undefined) =>
  records?.map(({offset}) => offset);

test('what was appended is read from the tail; what was not is left to the brokers', t => {
  const tail = new KafkaTail(1000);
  t.is(tail.read(0, 0, 100), undefined);
  tail.add(0, 5, [value('a'), value('b')]);
  tail.add(0, 7, [value('c')]);
  t.deepEqual(offsets(tail.read(0, 6, 100)), [6, 7]);
  t.is(tail.read(0, 4, 100), undefined);
  t.is(tail.read(0, 8, 100), undefined);
  t.is(tail.read(1, 6, 100), undefined);
});

test('a read gives at least one record and otherwise no more than asked for', t => {
  const tail = new KafkaTail(1000);
  tail.add(0, 0, [value('a', 40), value('b', 40), value('c', 40)]);
  t.deepEqual(offsets(tail.read(0, 0, 1)), [0]);
  t.deepEqual(offsets(tail.read(0, 0, 80)), [0, 1]);
});

test('where another process appended in between, the tail begins behind it', t => {
  const tail = new KafkaTail(1000);
  tail.add(0, 0, [value('a')]);
  tail.add(0, 2, [value('c')]);
  t.is(tail.read(0, 0, 100), undefined);
  t.is(tail.read(0, 1, 100), undefined);
  t.deepEqual(offsets(tail.read(0, 2, 100)), [2]);
});

test('however appends and strangers take turns, a read is a run of what is in the log, and bounded', t => {
  const step = fc.record({mine: fc.boolean(), count: fc.integer({min: 1, max: 5})});
  fc.assert(
    fc.property(fc.array(step, {maxLength: 60}), fc.nat(100), (steps, from) => {
      const tail = new KafkaTail(30);
      let end = 0;
      for (const {mine, count} of steps) {
        const values = Array.from({length: count}, (_, index) => Uint8Array.of(end + index, 0, 0));
        if (mine) tail.add(0, end, values);
        end += count;
      }
      const read = tail.read(0, from, 1000) ?? [];
      for (const [index, record] of read.entries()) {
        t.is(record.offset, from + index);
        t.is(record.value[0], (from + index) & 255);
      }
      t.true(read.length <= 13);
    }),
  );
});
