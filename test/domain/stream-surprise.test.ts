import test from 'ava';
import {createSurprise} from '../../core/domain/anomaly/stream-surprise.ts';
import {createNormal} from './streams.ts';

/** Surprises of a day's season with noise, changed by `change` at some indexes. */
function surprisesOf(
  seed: number,
  length: number,
  change: (value: number, index: number) => number,
) {
  const normal = createNormal(seed);
  const surpriseOf = createSurprise();
  return Array.from({length}, (_, index) =>
    surpriseOf(change(50 + 20 * Math.sin((2 * Math.PI * index) / 288) + normal(), index)),
  );
}

const largest = (surprises: readonly number[], first: number, last: number) =>
  Math.max(...surprises.slice(first, last + 1));

const CHANGES: Readonly<Record<string, (value: number, index: number) => number>> = {
  'a spike': (value, index) => (index === 2500 ? value + 60 : value),
  'a dip at an hour of high load': (value, index) =>
    index >= 2376 && index < 2382 ? value - 25 : value,
  'a flat line': (value, index) => (index >= 2500 && index < 2530 ? 55 : value),
  'a new level': (value, index) => (index >= 2500 ? value + 40 : value),
  'wilder noise': (value, index) => (index >= 2500 ? value + 10 * Math.cos(3 * index) : value),
};

for (const [name, change] of Object.entries(CHANGES)) {
  test(`${name} surprises more than all before`, t => {
    for (const seed of [1, 2, 3]) {
      const surprises = surprisesOf(seed, 2600, change);
      const [before, then] = [largest(surprises, 600, 2370), largest(surprises, 2376, 2560)];
      t.true(then > before, `seed ${seed}: ${then} after ${before}`);
    }
  });
}

test('what happens every day stops being surprising', t => {
  const surprises = surprisesOf(4, 2880, (value, index) =>
    index % 288 === 100 ? value + 60 : value,
  );
  t.true(largest(surprises, 388, 391) > 3);
  t.true(largest(surprises, 2692, 2695) < largest(surprises, 388, 391) / 1.5);
});

test('units do not matter', t => {
  const normal = createNormal(5);
  const [one, other] = [createSurprise(), createSurprise()];
  for (let index = 0; index < 1500; index++) {
    const value = index === 1200 ? 30 : normal();
    // Powers of two are exact.
    t.is(one(value), other(1024 * value));
  }
});

test('a constant stream and missing values do not surprise, and gaps are not learned', t => {
  const constant = createSurprise();
  for (let index = 0; index < 500; index++) t.is(constant(3) + 0, 0);
  const [whole, holed] = [createSurprise(), createSurprise()];
  const normal = createNormal(6);
  for (let index = 0; index < 500; index++) {
    const value = normal();
    t.is(holed(Number.NaN), 0);
    t.is(holed(Number.POSITIVE_INFINITY), 0);
    t.is(holed(value), whole(value));
  }
});
