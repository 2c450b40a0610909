import assert from 'node:assert/strict';
import test from 'ava';
import {
  DIRTY_CLASSES,
  dirtyClassOf,
  dirtyRate,
  learnedCriticality,
  plannedDirtyRate,
  UNKNOWN_WORKLOAD,
  WORKLOAD_KINDS,
  weighedCriticality,
} from '../../core/domain/workload-profile.ts';
import fc from '../support/fast-check.ts';

const ratio = fc.double({min: 0, max: 1, noNaN: true});
const like = fc.record({kind: fc.constantFrom(...WORKLOAD_KINDS), isDaily: fc.boolean()});

test('a VM that people use weighs more, one that nobody waits for less; of others nothing is known', t => {
  const factorOf = (changes: object) =>
    learnedCriticality({...UNKNOWN_WORKLOAD, ...changes}).factor;
  t.is(factorOf({}), 1);
  t.is(factorOf({kind: 'steady'}), 1);
  t.is(factorOf({kind: 'bursty'}), 1);
  t.is(factorOf({kind: 'steady', isDaily: true}), 1.25);
  t.is(factorOf({kind: 'batch'}), 0.8);
  t.is(factorOf({kind: 'idle', isDaily: true}), 0.8);
});

test('what was learned is bounded, explained where it counts, and keeps a criticality in its range', t => {
  fc.assert(
    fc.property(like, ratio, (changes, declared) => {
      const workload = {...UNKNOWN_WORKLOAD, ...changes};
      const {factor, because} = learnedCriticality(workload);
      assert.ok(factor >= 0.8 && factor <= 1.25);
      assert.equal(because === '', factor === 1);
      const weighed = weighedCriticality(declared, workload);
      assert.ok(weighed >= 0 && weighed <= 1);
      assert.ok(weighed >= declared * 0.8 && weighed <= declared * 1.25);
    }),
  );
  t.pass();
});

test('the dirty rate is the one that is known best; what is written is the least', t => {
  const nothing = {inventory: 0, migration: Number.NaN, writes: Number.NaN};
  const sourceOf = (known: object) => dirtyRate({...nothing, ...known});
  t.deepEqual(sourceOf({}), {dirtyBytesPerSecond: Number.NaN, dirtySource: 'unknown'});
  t.deepEqual(sourceOf({writes: 5}), {dirtyBytesPerSecond: 5, dirtySource: 'writes'});
  t.like(sourceOf({writes: 5, migration: 3}), {dirtyBytesPerSecond: 3, dirtySource: 'migration'});
  t.like(sourceOf({writes: 5, migration: 3, inventory: 1}), {dirtySource: 'inventory'});
});

test('a dirty class is a share of the link, and is not left by a hair', t => {
  t.is(dirtyClassOf(Number.NaN, 'high'), 'unknown');
  t.is(dirtyClassOf(0.19, 'unknown'), 'low');
  t.is(dirtyClassOf(0.2, 'low'), 'medium');
  t.is(dirtyClassOf(0.5, 'medium'), 'high');
  t.is(dirtyClassOf(0.41, 'high'), 'high');
  t.is(dirtyClassOf(0.39, 'high'), 'medium');
  t.is(dirtyClassOf(0.17, 'medium'), 'medium');
  t.is(dirtyClassOf(0.15, 'medium'), 'low');
  fc.assert(
    fc.property(fc.constantFrom(...DIRTY_CLASSES), ratio, (before, share) => {
      const once = dirtyClassOf(share, before);
      assert.equal(dirtyClassOf(share, once), once, 'the same again changes nothing');
    }),
  );
});

test('a bursty VM is copied as if it had a burst; an unknown rate is no rate', t => {
  const known = {...UNKNOWN_WORKLOAD, dirtyBytesPerSecond: 1e8, variation: 0.5};
  t.is(plannedDirtyRate(UNKNOWN_WORKLOAD), 0);
  t.is(plannedDirtyRate({...known, kind: 'steady'}), 1e8);
  t.is(plannedDirtyRate({...known, kind: 'bursty'}), 1.5e8);
  t.is(plannedDirtyRate({...known, kind: 'bursty', variation: 9}), 2e8);
});
