import test from 'ava';
import {tailQuantile} from '../../core/domain/anomaly/tail-quantile.ts';
import {createUniform} from '../../models/random.ts';

/** Evenly spread over a distribution, so that the true quantile is the oracle. */
const spread = (count: number, quantile: (p: number) => number) =>
  Float64Array.from({length: count}, (_, index) => quantile((index + 0.5) / count));

const DISTRIBUTIONS: Readonly<Record<string, (p: number) => number>> = {
  uniform: p => p,
  exponential: p => -Math.log(1 - p),
  'Pareto with shape 0.3': p => ((1 - p) ** -0.3 - 1) / 0.3,
};

for (const [name, quantile] of Object.entries(DISTRIBUTIONS)) {
  test(`${name}: the quantile is that of the distribution, within and beyond what was seen`, t => {
    for (const share of [0.5, 0.2, 0.05, 0.01, 0.001, 0.0005]) {
      const wanted = quantile(1 - share);
      const found = tailQuantile(spread(1000, quantile), share);
      t.true(Math.abs(found - wanted) < 0.12 * wanted, `${share}: ${found} for ${wanted}`);
    }
  });
}

test('a rarer share never has a lower quantile', t => {
  const uniform = createUniform(3);
  const values = Float64Array.from({length: 300}, () => uniform() ** 3);
  let before = 0;
  for (let share = 0.4; share > 1e-5; share /= 1.3) {
    const found = tailQuantile(values.slice(), share);
    // Where the fit takes over from the sorted values there may be a small step.
    t.true(found >= before * 0.98, `${share}`);
    before = found;
  }
});

test('values that are all the same have that quantile', t => {
  t.is(tailQuantile(new Float64Array(100).fill(2), 0.001), 2);
});
