import assert from 'node:assert/strict';
import test from 'ava';
import {cutMsMax, type Extent, nextCut} from '../../core/domain/retention.ts';
import fc from '../support/fast-check.ts';

const nowMs = 1_000_000;
const unbounded = Number.POSITIVE_INFINITY;
const extent = (table: string, oldestMs: number, newestMs: number): Extent => ({
  table,
  oldestMs,
  newestMs,
});

test('what goes next, by age and by bytes', t => {
  const two = [extent('a', 500, 990_000), extent('b', 400, 600)];
  const cuts = [
    {title: 'nothing is there', extents: [], usedBytes: 9, ageMs: 1, bytes: 1, cut: undefined},
    {
      title: 'within both bounds',
      extents: two,
      usedBytes: 9,
      ageMs: 1e6,
      bytes: 9,
      cut: undefined,
    },
    {
      title: 'too old, counted from the newest row',
      extents: two,
      usedBytes: 9,
      ageMs: 100_000,
      bytes: 9,
      cut: {table: 'a', beforeMs: 890_000},
    },
    {
      title: 'too old, counted from now: a row of the future makes nothing older',
      extents: [extent('a', 500, 9e9)],
      usedBytes: 9,
      ageMs: 999_000,
      bytes: 9,
      cut: {table: 'a', beforeMs: 1000},
    },
    {
      title: 'too much: the oldest of all tables',
      extents: two,
      usedBytes: 10,
      ageMs: unbounded,
      bytes: 9,
      cut: {table: 'b', beforeMs: 400 + cutMsMax},
    },
    {
      title: 'as old as allowed is kept',
      extents: [extent('a', 890_000, 990_000)],
      usedBytes: 9,
      ageMs: 100_000,
      bytes: 9,
      cut: undefined,
    },
  ];
  for (const {title, extents, usedBytes, ageMs, bytes, cut} of cuts) {
    t.deepEqual(nextCut(extents, usedBytes, {ageMs, bytes}, nowMs), cut, title);
  }
});

test('following the cuts ends within both bounds, oldest first, and keeps all that fits', t => {
  const seed = Date.now() % 2 ** 31;
  t.log(`seed ${seed}`);
  const rows = fc.array(fc.integer({min: 0, max: 2 * nowMs}), {maxLength: 40});
  const tables = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), rows);
  const property = fc.property(
    tables,
    fc.integer({min: 0, max: 100}),
    fc.integer({min: 1, max: 2 * nowMs}),
    (before, bytes, ageMs) => {
      // Every row is a byte.
      const state = new Map(Object.entries(before));
      const used = () => [...state.values()].reduce((sum, of) => sum + of.length, 0);
      const extents = () =>
        [...state]
          .filter(([, of]) => of.length > 0)
          .map(([table, of]) => extent(table, Math.min(...of), Math.max(...of)));
      for (;;) {
        const usedBytes = used();
        const cut = nextCut(extents(), usedBytes, {ageMs, bytes}, nowMs);
        if (cut === undefined) break;
        const of = state.get(cut.table) ?? [];
        const left = of.filter(at => at >= cut.beforeMs);
        assert.ok(left.length < of.length, 'every cut takes something: the loop ends');
        const first = Math.min(...extents().map(({oldestMs}) => oldestMs));
        const tooOld = Math.min(nowMs, Math.max(...of)) - ageMs;
        assert.ok(cut.beforeMs === tooOld || cut.beforeMs <= first + cutMsMax);
        assert.ok(cut.beforeMs <= tooOld || usedBytes > bytes, 'nothing goes without need');
        state.set(cut.table, left);
      }
      assert.ok(used() <= bytes);
      for (const {oldestMs, newestMs} of extents()) {
        assert.ok(oldestMs >= Math.min(nowMs, newestMs) - ageMs);
      }
    },
  );
  fc.assert(property, {seed, numRuns: 300});
  t.pass();
});
