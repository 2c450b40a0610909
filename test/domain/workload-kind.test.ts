import assert from 'node:assert/strict';
import test from 'ava';
import {type Behaviour, isDailyAt, isFull, kindOf} from '../../core/domain/workload-kind.ts';
import {WORKLOAD_KINDS} from '../../core/domain/workload-profile.ts';
import fc from '../support/fast-check.ts';

const service: Behaviour = {
  mean: 0.3,
  deviation: 0.03,
  bytesPerSecond: 1e6,
  fullShare: 0,
  stretchSlots: 0,
  isDaily: false,
};
const kind = (changes: Partial<Behaviour>, before: Parameters<typeof kindOf>[1] = 'unknown') =>
  kindOf({...service, ...changes}, before);

test('a kind is told by how much, how evenly and how long at a stretch a VM works', t => {
  t.is(kind({}), 'steady');
  t.is(kind({deviation: 0.09}), 'bursty');
  t.is(kind({mean: 0.04, deviation: 0.02, bytesPerSecond: 0}), 'idle');
  t.is(kind({mean: 0.05, deviation: 0.02, bytesPerSecond: 0}), 'bursty');
  t.is(kind({mean: 0.04, deviation: 0.02, bytesPerSecond: 1e5}), 'bursty');
  t.is(kind({mean: 0, deviation: 0, bytesPerSecond: 0}), 'idle');
  t.is(kind({fullShare: 0.2, stretchSlots: 6}), 'batch');
  t.is(kind({fullShare: 0.2, stretchSlots: 5}), 'steady', 'peaks are no batch');
  t.is(
    kind({fullShare: 0.2, stretchSlots: 6, isDaily: true}),
    'steady',
    'nor is the day of a service',
  );
});

test('what a VM was it stays near a threshold, from either side', t => {
  t.is(kind({deviation: 0.3 * 0.25}, 'bursty'), 'bursty');
  t.is(kind({deviation: 0.3 * 0.19}, 'bursty'), 'steady');
  t.is(kind({deviation: 0.3 * 0.4}, 'steady'), 'steady');
  t.is(kind({deviation: 0.3 * 0.46}, 'steady'), 'bursty');
  const behaviour = fc.record({
    mean: fc.double({min: 0, max: 1, noNaN: true}),
    deviation: fc.double({min: 0, max: 1, noNaN: true}),
    bytesPerSecond: fc.integer({min: 0, max: 1_000_000}),
    fullShare: fc.double({min: 0, max: 1, noNaN: true}),
    stretchSlots: fc.integer({min: 0, max: 20}),
    isDaily: fc.boolean(),
  });
  fc.assert(
    fc.property(behaviour, fc.constantFrom(...WORKLOAD_KINDS), (what, before) => {
      const first = kindOf(what, before);
      const second = kindOf(what, first);
      assert.equal(kindOf(what, second), second, 'the same behaviour settles');
    }),
  );
});

test('a rhythm is left later than it is found, and an unknown one is none', t => {
  t.true(isDailyAt(0.3, false));
  t.false(isDailyAt(0.29, false));
  t.true(isDailyAt(0.2, true));
  t.false(isDailyAt(0.19, true));
  t.false(isDailyAt(Number.NaN, true));
});

test('a slot at seven tenths of the CPU is full', t => {
  t.true(isFull(0.7));
  t.false(isFull(0.69));
  t.false(isFull(Number.NaN));
});
