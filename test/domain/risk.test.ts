import assert from 'node:assert/strict';
import test from 'ava';
import {
  applyRisk,
  type BandChange,
  combineRisks,
  createBands,
  growBands,
  worstComponent,
} from '../../core/domain/risk.ts';
import fc from '../support/fast-check.ts';
import {policy} from './cells.ts';

const {band} = policy;
const START_MS = 1_000_000;

type Step = {afterMs: number; risk: number; change: BandChange};

const tables: Record<string, readonly Step[]> = {
  'a risk that stays high raises the band when the hold is over, once': [
    {afterMs: 0, risk: 0.3, change: undefined},
    {afterMs: 9_999, risk: 0.3, change: undefined},
    {afterMs: 10_000, risk: 0.3, change: 'raised'},
    {afterMs: 30_000, risk: 0.9, change: undefined},
  ],
  'the threshold itself is inside the band': [
    {afterMs: 0, risk: 0.25, change: undefined},
    {afterMs: 10_000, risk: 0.25, change: 'raised'},
  ],
  'a risk just below the threshold never raises': [
    {afterMs: 0, risk: 0.2499, change: undefined},
    {afterMs: 999_999, risk: 0.2499, change: undefined},
  ],
  'one low risk begins the hold anew': [
    {afterMs: 0, risk: 0.3, change: undefined},
    {afterMs: 9_000, risk: 0.2, change: undefined},
    {afterMs: 10_000, risk: 0.3, change: undefined},
    {afterMs: 19_999, risk: 0.3, change: undefined},
    {afterMs: 20_000, risk: 0.3, change: 'raised'},
  ],
  'between the thresholds a raised band stays raised': [
    {afterMs: 0, risk: 0.5, change: undefined},
    {afterMs: 10_000, risk: 0.5, change: 'raised'},
    {afterMs: 500_000, risk: 0.15, change: undefined},
    {afterMs: 900_000, risk: 0.2, change: undefined},
  ],
  'a low risk clears the band when its own hold is over, once': [
    {afterMs: 0, risk: 0.5, change: undefined},
    {afterMs: 10_000, risk: 0.5, change: 'raised'},
    {afterMs: 20_000, risk: 0.1, change: undefined},
    {afterMs: 139_999, risk: 0.1, change: undefined},
    {afterMs: 140_000, risk: 0.1, change: 'cleared'},
    {afterMs: 141_000, risk: 0.1, change: undefined},
  ],
  'an unknown risk neither ends nor begins a hold': [
    {afterMs: 0, risk: 0.5, change: undefined},
    {afterMs: 10_000, risk: Number.NaN, change: undefined},
    {afterMs: 10_001, risk: 0.5, change: 'raised'},
  ],
};

for (const [title, steps] of Object.entries(tables)) {
  test(title, t => {
    const bands = createBands(2);
    for (const {afterMs, risk, change} of steps) {
      t.is(applyRisk(bands, 1, risk, START_MS + afterMs, band), change, `after ${afterMs} ms`);
    }
    t.is(bands.band[0], 0, 'another row is touched');
  });
}

test('the last known risk of a row is kept; an unknown one does not overwrite it', t => {
  const bands = createBands(1);
  t.is(bands.risk[0], Number.NaN);
  applyRisk(bands, 0, 0.5, START_MS, band);
  applyRisk(bands, 0, Number.NaN, START_MS + 1, band);
  t.is(bands.risk[0], 0.5);
});

test('a risk that flaps faster than the hold never changes a band, in or out', t => {
  const flaps = fc.array(fc.integer({min: 1, max: 9_999}), {maxLength: 100});
  const high = fc.double({min: band.enter, max: 1, noNaN: true});
  const low = fc.double({min: 0, max: 0.1499, noNaN: true});
  fc.assert(
    fc.property(flaps, high, low, fc.boolean(), (gapsMs, above, below, inside) => {
      const bands = createBands(1);
      let atMs = START_MS;
      const calm = inside ? above : below;
      if (inside) applyRisk(bands, 0, above, atMs - band.enterHoldMs, band);
      applyRisk(bands, 0, calm, atMs, band);
      const before = bands.band[0];
      assert.equal(before, inside ? 1 : 0);
      for (const gapMs of gapsMs) {
        // Off for less than the hold, looked at twice, then back for a moment.
        assert.equal(applyRisk(bands, 0, inside ? below : above, atMs + 1, band), undefined);
        assert.equal(applyRisk(bands, 0, inside ? below : above, atMs + gapMs, band), undefined);
        atMs += gapMs + 1;
        assert.equal(applyRisk(bands, 0, calm, atMs, band), undefined);
      }
      assert.equal(bands.band[0], before);
    }),
  );
  t.pass();
});

/** The band from the whole history, without any state but the band. */
function bandChanges(history: readonly {atMs: number; risk: number}[]): BandChange[] {
  let atRisk = false;
  let changedAt = -1;
  return history.map(({atMs}, now) => {
    const isAcross = (risk: number) => (atRisk ? risk < band.leave : risk >= band.enter);
    let from = now + 1;
    while (from - 1 > changedAt && isAcross(history[from - 1]?.risk as number)) from--;
    const crossedAtMs = history[from]?.atMs ?? Number.POSITIVE_INFINITY;
    if (from > now || atMs - crossedAtMs < (atRisk ? band.leaveHoldMs : band.enterHoldMs)) {
      return undefined;
    }
    atRisk = !atRisk;
    changedAt = now;
    return atRisk ? 'raised' : 'cleared';
  });
}

test('bands change exactly when a look at the whole history says so', t => {
  const risk = fc.constantFrom(0.05, 0.14, 0.15, 0.2, 0.25, 0.3, 0.9);
  const steps = fc.array(fc.record({gapMs: fc.integer({min: 1, max: 60_000}), risk}));
  let changes = 0;
  fc.assert(
    fc.property(steps, gaps => {
      let atMs = START_MS;
      const history = gaps.map(step => {
        atMs += step.gapMs;
        return {atMs, risk: step.risk};
      });
      const bands = createBands(1);
      const actual = history.map(step => applyRisk(bands, 0, step.risk, step.atMs, band));
      assert.deepEqual(actual, bandChanges(history));
      changes += actual.filter(change => change !== undefined).length;
    }),
    {numRuns: 500},
  );
  t.true(changes > 0, 'no history changed a band: the property says nothing');
});

const risks = fc.array(
  fc.oneof(fc.float({min: -1, max: 2, noNaN: true}), fc.constant(Number.NaN)),
  {minLength: 1, maxLength: 8},
);

test('the combined risk is that at least one component fails; unknown ones are left out', t => {
  fc.assert(
    fc.property(risks, values => {
      const known = values.filter(value => !Number.isNaN(value));
      const survive = known.map(value => 1 - Math.min(1, Math.max(0, value)));
      const expected = known.length === 0 ? Number.NaN : 1 - survive.reduce((a, b) => a * b, 1);
      const array = Float32Array.from([0.99, ...values, 0.99]);
      const actual = combineRisks(array, 1, values.length);
      if (Number.isNaN(expected)) assert.ok(Number.isNaN(actual));
      else assert.ok(Math.abs(actual - expected) < 1e-9 && actual >= 0 && actual <= 1);
    }),
  );
  t.is(combineRisks(Float32Array.of(0.5, 0.5), 0, 2), 0.75);
});

test('one more component never lowers the combined risk, and none is above it', t => {
  fc.assert(
    fc.property(risks, values => {
      const array = Float32Array.from(values, value => Math.min(1, Math.max(0, value)));
      const all = combineRisks(array, 0, array.length);
      const fewer = combineRisks(array, 0, array.length - 1);
      assert.ok(Number.isNaN(fewer) || all >= fewer - 1e-12);
      for (const risk of array) assert.ok(Number.isNaN(risk) || all >= risk - 1e-7);
    }),
  );
  t.pass();
});

test('the worst component is the first of the highest known risks', t => {
  fc.assert(
    fc.property(risks, values => {
      const array = Float32Array.from([2, ...values]);
      const known = [...array.subarray(1)].filter(value => !Number.isNaN(value));
      const expected = known.length === 0 ? -1 : array.subarray(1).indexOf(Math.max(...known));
      assert.equal(worstComponent(array, 1, values.length), expected);
    }),
  );
  t.is(worstComponent(Float32Array.of(0.1, 0.7, Number.NaN, 0.7), 0, 4), 1);
  t.is(worstComponent(Float32Array.of(Number.NaN), 0, 1), -1);
});

test('room for more rows keeps bands, holds and risks', t => {
  const bands = createBands(2);
  applyRisk(bands, 1, 0.5, START_MS, band);
  growBands(bands, 2);
  t.is(bands.capacity, 2);
  growBands(bands, 3);
  t.is(bands.capacity, 4);
  t.is(bands.risk[3], Number.NaN);
  t.is(applyRisk(bands, 1, 0.5, START_MS + band.enterHoldMs, band), 'raised');
  growBands(bands, 50);
  t.deepEqual([...bands.band.subarray(0, 3)], [0, 1, 0]);
  t.is(createBands().capacity, 16);
});
