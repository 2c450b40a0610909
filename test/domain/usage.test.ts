import assert from 'node:assert/strict';
import test from 'ava';
import {
  clearUsage,
  createUsage,
  growUsage,
  recordUsage,
  usageP95,
} from '../../core/domain/usage.ts';
import fc from '../support/fast-check.ts';
import {MINUTE_MS} from './cells.ts';

const SLOT_MS = 10 * MINUTE_MS;
const START_MS = SLOT_MS * 2_833_333;
const BIN = 0.05;

/** Nearest-rank 95th percentile, exactly. */
function exactP95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil((19 * sorted.length) / 20) - 1] as number;
}

const ratios = fc.array(fc.double({min: 0, max: 1, noNaN: true}), {minLength: 1, maxLength: 300});

test('the estimate is the upper edge of the bin that holds the exact percentile', t => {
  fc.assert(
    fc.property(ratios, values => {
      const usage = createUsage(1);
      values.forEach((ratio, index) => {
        recordUsage(usage, 0, START_MS + index * 10_000, ratio);
      });
      const exact = exactP95(values);
      const estimate = usageP95(usage, 0);
      assert.ok(estimate >= exact - 1e-12, `${estimate} is below ${exact}`);
      assert.ok(estimate - exact <= BIN + 1e-12, `${estimate} is a bin above ${exact}`);
    }),
    {numRuns: 300},
  );
  t.pass();
});

test('nothing recorded, or only missing values, is unknown', t => {
  const usage = createUsage(1);
  t.is(usageP95(usage, 0), Number.NaN);
  recordUsage(usage, 0, START_MS, Number.NaN);
  t.is(usageP95(usage, 0), Number.NaN);
});

test('what is out of range counts as the nearest end', t => {
  const usage = createUsage(2);
  recordUsage(usage, 0, START_MS, 7);
  t.is(usageP95(usage, 0), 1);
  recordUsage(usage, 1, START_MS, -3);
  t.is(usageP95(usage, 1), BIN);
});

test('what is older than an hour no longer counts, slot by slot', t => {
  const usage = createUsage(1);
  recordUsage(usage, 0, START_MS, 0.97);
  for (let slot = 1; slot < 6; slot++) {
    recordUsage(usage, 0, START_MS + slot * SLOT_MS, 0.02);
    t.is(usageP95(usage, 0), 1, `after ${slot} slots`);
  }
  recordUsage(usage, 0, START_MS + 6 * SLOT_MS, 0.02);
  t.is(usageP95(usage, 0), BIN);
});

test('after a silence of any length only the last hour counts', t => {
  const times = fc.array(
    fc.record({gapSlots: fc.nat(9), ratio: fc.double({min: 0, max: 1, noNaN: true})}),
    {minLength: 1, maxLength: 40},
  );
  fc.assert(
    fc.property(times, steps => {
      const usage = createUsage(1);
      const history: {slot: number; ratio: number}[] = [];
      let slot = START_MS / SLOT_MS;
      for (const {gapSlots, ratio} of steps) {
        slot += gapSlots;
        history.push({slot, ratio});
        recordUsage(usage, 0, slot * SLOT_MS + 17, ratio);
      }
      const recent = history.filter(step => step.slot > slot - 6).map(step => step.ratio);
      const error = usageP95(usage, 0) - exactP95(recent);
      assert.ok(error >= -1e-12 && error <= BIN + 1e-12, `off by ${error}`);
    }),
    {numRuns: 300},
  );
  t.pass();
});

test('a count that is full stays full instead of starting from zero', t => {
  const usage = createUsage(1);
  for (let count = 0; count < 0x1_0010; count++) recordUsage(usage, 0, START_MS, 0.99);
  t.is(Math.max(...usage.counts), 0xffff);
  t.is(usageP95(usage, 0), 1);
});

test('rows do not mix, growing keeps them, clearing empties one', t => {
  const usage = createUsage(2);
  recordUsage(usage, 0, START_MS, 0.1);
  recordUsage(usage, 1, START_MS, 0.9);
  const before = [usageP95(usage, 0), usageP95(usage, 1)];
  growUsage(usage, 2);
  t.is(usage.capacity, 2);
  growUsage(usage, 3);
  t.is(usage.capacity, 4);
  t.deepEqual([usageP95(usage, 0), usageP95(usage, 1)], before);
  t.is(usageP95(usage, 2), Number.NaN);
  clearUsage(usage, 0);
  t.is(usageP95(usage, 0), Number.NaN);
  t.is(usageP95(usage, 1), before[1] ?? 0);
  t.is(createUsage().capacity, 16);
});
