import assert from 'node:assert/strict';
import test from 'ava';
import {fnv1a32, PARTITION_COUNT, partitionOfCell} from '../../core/domain/hash.ts';
import fc from '../support/fast-check.ts';

test('the hash is the published 32-bit FNV-1a', t => {
  t.is(fnv1a32(''), 0x811c9dc5);
  t.is(fnv1a32('a'), 0xe40c292c);
  t.is(fnv1a32('b'), 0xe70c2de5);
  t.is(fnv1a32('foobar'), 0xbf9cf968);
});

test('the hash is of UTF-8 bytes and never negative', t => {
  let expected = 0x811c9dc5n;
  for (const byte of Buffer.from('Zürich 🗻')) {
    expected = ((expected ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
  }
  t.is(fnv1a32('Zürich 🗻'), Number(expected));
});

test('every cell has one of 64 partitions, the same for ever', t => {
  t.is(PARTITION_COUNT, 64);
  t.is(partitionOfCell('default'), 30);
  t.is(partitionOfCell('c1'), fnv1a32('c1') % 64);
  fc.assert(
    fc.property(fc.string(), cell => {
      const partition = partitionOfCell(cell);
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < PARTITION_COUNT);
    }),
  );
});

test('a thousand cells are spread over the partitions: none is empty, none has five times its share', t => {
  const counts = new Array<number>(PARTITION_COUNT).fill(0);
  for (let cell = 0; cell < 1000; cell++) {
    const partition = partitionOfCell(`cell-${cell}`);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  t.true(Math.min(...counts) > 0);
  t.true(Math.max(...counts) < (5 * 1000) / PARTITION_COUNT);
});
