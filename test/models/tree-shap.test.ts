import test from 'ava';
import {type Forest, marginOf} from '../../models/trees/forest.ts';
import {addContributions, expectedMargin, explainTrees} from '../../models/trees/tree-shap.ts';
import {drawSample, modelOn, trainOn, xorRisk} from './fixtures.ts';

/** The margin when only the features of `known` are: unknown ones go both ways, by cover. */
function marginKnowing(forest: Forest, row: Float32Array, known: Set<number>): number {
  const meanOf = (node: number): number => {
    const column = forest.feature[node] as number;
    if (column === -1) return forest.value[node] as number;
    const left = forest.left[node] as number;
    const right = forest.right[node] as number;
    if (!known.has(column)) {
      const cover = forest.cover[node] as number;
      const leftShare = (forest.cover[left] as number) / cover;
      return leftShare * meanOf(left) + (1 - leftShare) * meanOf(right);
    }
    const value = row[column] as number;
    const goesLeft = Number.isNaN(value)
      ? forest.missingLeft[node] === 1
      : value <= (forest.threshold[node] as number);
    return meanOf(goesLeft ? left : right);
  };
  return forest.roots.reduce((sum, root) => sum + meanOf(root), forest.base);
}

/** Shapley's formula as it is written: over all subsets. */
function shapley(forest: Forest, row: Float32Array): number[] {
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
  const count = row.length;
  return Array.from({length: count}, (_, feature) => {
    let sum = 0;
    for (let mask = 0; mask < 2 ** count; mask++) {
      if (mask & (1 << feature)) continue;
      const known = new Set([...Array(count).keys()].filter(bit => mask & (1 << bit)));
      const weight = (factorial(known.size) * factorial(count - known.size - 1)) / factorial(count);
      const without = marginKnowing(forest, row, known);
      sum += weight * (marginKnowing(forest, row, known.add(feature)) - without);
    }
    return sum;
  });
}

test('contributions are the Shapley values by the formula over all subsets', t => {
  const sample = drawSample(11, 1500, 5, xorRisk, 0.1);
  const forest = trainOn(sample, {rounds: 6, leavesMax: 12, depthMax: 7});
  for (let row = 0; row < 25; row++) {
    const found = new Float64Array(5);
    addContributions(forest, sample.features, row * 5, found, 0);
    const wanted = shapley(forest, sample.features.subarray(row * 5, row * 5 + 5));
    for (const [feature, value] of wanted.entries()) {
      t.true(Math.abs(value - (found[feature] as number)) < 1e-9);
    }
  }
});

test('contributions of a row sum to its margin less the expected margin', t => {
  const sample = drawSample(12, 3000, 9, xorRisk);
  const forest = trainOn(sample, {rounds: 30});
  const expected = expectedMargin(forest);
  for (let row = 0; row < 50; row++) {
    const found = new Float64Array(9);
    addContributions(forest, sample.features, row * 9, found, 0);
    const sum = found.reduce((total, value) => total + value, expected);
    t.true(Math.abs(sum - marginOf(forest, sample.features, row * 9)) < 1e-9);
  }
});

test('a model is explained in calibrated log-odds, by component', t => {
  const sample = drawSample(13, 500, 4, xorRisk);
  const model = modelOn(sample, 3);
  const contributions = explainTrees(model, 2, sample.features);
  t.is(contributions.length, 2 * 3 * 4);
  const [forest] = model.forests.slice(2);
  const plain = new Float64Array(4);
  addContributions(forest as Forest, sample.features, 4, plain, 0);
  for (const [feature, value] of plain.entries()) {
    const got = contributions[(1 * 3 + 2) * 4 + feature] as number;
    t.true(Math.abs(got - value * (model.slopes[2] as number)) < 1e-6);
  }
});
