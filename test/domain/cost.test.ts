import assert from 'node:assert/strict';
import test from 'ava';
import {
  effectiveness,
  estimateGhost,
  estimateMigration,
  ghostCost,
  interruptionCost,
  vmWeight,
} from '../../core/domain/cost.ts';
import fc from '../support/fast-check.ts';
import {GIB, MINUTE_MS, policy} from './cells.ts';

const {costs} = policy;
const ratio = fc.double({min: 0, max: 1, noNaN: true});
const memoryBytes = fc.integer({min: 1, max: 256}).map(gib => gib * GIB);
const speed = fc.integer({min: 1, max: 100}).map(tenths => (tenths * GIB) / 10);

function near(t: {true: (ok: boolean, note: string) => void}, actual: number, expected: number) {
  t.true(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);
}

test('the weight of a VM rises from the base with its criticality', t => {
  t.is(vmWeight(0, costs), 0.25);
  t.is(vmWeight(1, costs), 1.5);
  t.is(vmWeight(0.5, costs), 0.875);
});

test('without a ghost a loss costs the restart and the interruption, weighted', t => {
  near(t, interruptionCost({criticality: 0, ghostArmed: false}, costs), 0.25 * 6.5);
  near(t, interruptionCost({criticality: 1, ghostArmed: false}, costs), 1.5 * 6.5);
});

test('with a ghost it costs the takeover and a fifth of the interruption', t => {
  near(t, interruptionCost({criticality: 1, ghostArmed: true}, costs), 1.5 * 1.3);
});

test('a more critical VM never costs less, and a ghost never costs more than none', t => {
  fc.assert(
    fc.property(ratio, ratio, (a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      for (const ghostArmed of [false, true]) {
        const less = interruptionCost({criticality: low, ghostArmed}, costs);
        assert.ok(interruptionCost({criticality: high, ghostArmed}, costs) >= less);
      }
      const bare = interruptionCost({criticality: a, ghostArmed: false}, costs);
      assert.ok(interruptionCost({criticality: a, ghostArmed: true}, costs) <= bare);
    }),
  );
  t.pass();
});

test('an action is the less likely to be done in time the longer it takes', t => {
  t.is(effectiveness(0, 1000), 1);
  t.is(effectiveness(250, 1000), 0.75);
  t.is(effectiveness(1000, 1000), 0);
  t.is(effectiveness(5000, 1000), 0);
  t.is(effectiveness(-5, 1000), 1);
  t.is(effectiveness(Number.POSITIVE_INFINITY, 1000), 0);
  const times = fc.integer({min: 0, max: 10_000_000});
  fc.assert(
    fc.property(times, times, fc.integer({min: 1, max: 10_000_000}), (a, b, horizonMs) => {
      assert.ok(
        effectiveness(Math.max(a, b), horizonMs) <= effectiveness(Math.min(a, b), horizonMs),
      );
    }),
  );
});

test('pre-copy takes memory ÷ (bandwidth − dirty rate), and a few seconds round it', t => {
  const estimate = estimateMigration({memoryBytes: 8 * GIB, dirtyBytesPerSecond: GIB / 2}, GIB);
  t.deepEqual(estimate, {converges: true, finishesInMs: 16_000 + 3000, downtimeMs: 300});
});

test('pre-copy is not tried above four fifths of the bandwidth, nor without any', t => {
  const at = (dirtyBytesPerSecond: number, bytesPerSecond: number) =>
    estimateMigration({memoryBytes: GIB, dirtyBytesPerSecond}, bytesPerSecond);
  t.true(at(800, 1000).converges);
  t.false(at(801, 1000).converges);
  t.false(at(0, 0).converges);
  t.false(at(0, -1).converges);
  t.is(at(801, 1000).finishesInMs, Number.POSITIVE_INFINITY);
});

test('more memory or more dirtying never migrates sooner, more bandwidth never later', t => {
  const dirty = fc.integer({min: 0, max: GIB});
  fc.assert(
    fc.property(memoryBytes, memoryBytes, dirty, dirty, speed, speed, (m1, m2, d1, d2, s1, s2) => {
      const worse = estimateMigration(
        {memoryBytes: Math.max(m1, m2), dirtyBytesPerSecond: Math.max(d1, d2)},
        Math.min(s1, s2),
      );
      const better = estimateMigration(
        {memoryBytes: Math.min(m1, m2), dirtyBytesPerSecond: Math.min(d1, d2)},
        Math.max(s1, s2),
      );
      assert.ok(better.finishesInMs <= worse.finishesInMs);
      assert.ok(better.converges || !worse.converges);
    }),
  );
  t.pass();
});

test('a ghost is loaded in one copy of the memory; without bandwidth never', t => {
  t.is(estimateGhost({memoryBytes: 4 * GIB}, GIB), 6000);
  t.is(estimateGhost({memoryBytes: 4 * GIB}, 0), Number.POSITIVE_INFINITY);
});

test('holding a ghost costs by the GiB and by the hour', t => {
  near(t, ghostCost({memoryBytes: 8 * GIB}, 30 * MINUTE_MS, costs), 8 * 0.5 * 0.02);
  near(t, ghostCost({memoryBytes: 16 * GIB}, 60 * MINUTE_MS, costs), 16 * 0.02);
});
