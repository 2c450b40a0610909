import test from 'ava';
import {binOf, binTable} from '../../models/trees/bins.ts';
import {BOOSTING_DEFAULTS, trainForest} from '../../models/trees/boosting.ts';
import {marginOf, sigmoid} from '../../models/trees/forest.ts';
import {createHistogram, sumHistogram} from '../../models/trees/histogram.ts';
import {findSplit} from '../../models/trees/split.ts';
import fc from '../support/fast-check.ts';
import {drawSample, trainOn, xorRisk} from './fixtures.ts';

const RULES = {l2: 1, minChildHessian: 0.5, minGain: 1e-6};

/** Tries every threshold of every column and both sides for missing values. */
function exactGain(features: Float32Array, columns: number, gradients: number[], hessian: number) {
  const score = (rows: number[]) => {
    const gradient = rows.reduce((sum, row) => sum + (gradients[row] as number), 0);
    return gradient ** 2 / (rows.length * hessian + RULES.l2);
  };
  const all = gradients.map((_, row) => row);
  let best = 0;
  for (let column = 0; column < columns; column++) {
    const cellOf = (row: number) => features[row * columns + column] as number;
    for (const threshold of new Set(all.map(cellOf))) {
      for (const missingLeft of [true, false]) {
        const goesLeft = (row: number) =>
          Number.isNaN(cellOf(row)) ? missingLeft : cellOf(row) <= threshold;
        const left = all.filter(goesLeft);
        const right = all.filter(row => !goesLeft(row));
        if (left.every(row => Number.isNaN(cellOf(row)))) continue;
        if (right.length > 0 && right.every(row => Number.isNaN(cellOf(row)))) continue;
        if (Math.min(left.length, right.length) * hessian < RULES.minChildHessian) continue;
        best = Math.max(best, score(left) + score(right) - score(all));
      }
    }
  }
  return best;
}

test('the split found on histograms is the best of all exact splits', t => {
  const value = fc.oneof(fc.constant(Number.NaN), fc.integer({min: 0, max: 9}));
  const row = fc.record({
    values: fc.tuple(value, value, value),
    gradient: fc.double({min: -1, max: 1, noNaN: true}),
  });
  fc.assert(
    fc.property(fc.array(row, {minLength: 4, maxLength: 40}), rows => {
      const features = Float32Array.from(rows.flatMap(one => one.values));
      const gradients = rows.map(one => one.gradient);
      const indices = Int32Array.from(rows.keys());
      const table = binTable(features, 3, indices);
      const columns = Int32Array.of(0, 1, 2);
      const derivatives = Float64Array.from(gradients.flatMap(gradient => [gradient, 0.25]));
      const histogram = createHistogram(table);
      sumHistogram(histogram, table, columns, indices, 0, rows.length, derivatives);
      const sums = {
        gradient: gradients.reduce((sum, one) => sum + one, 0),
        hessian: rows.length / 4,
      };
      const found = findSplit(histogram, table, columns, sums, RULES)?.gain ?? 0;
      const exact = exactGain(features, 3, gradients, 0.25);
      return Math.abs(found - (exact > RULES.minGain ? exact : 0)) < 1e-9;
    }),
    {numRuns: 300},
  );
  t.pass();
});

test('a value falls into the bin whose edge is the first not below it', t => {
  const edges = Float32Array.of(1, 2, 5);
  t.deepEqual(
    [0, 1, 1.5, 2, 3, 5, 6, Number.NaN].map(value => binOf(edges, value)),
    [1, 1, 2, 2, 3, 3, 4, 0],
  );
});

test('a column that is nearly always zero still has its tail resolved', t => {
  const features = Float32Array.from({length: 10_000}, (_, row) => (row < 9_500 ? 0 : row));
  const rows = Int32Array.from(features.keys());
  const table = binTable(features, 1, rows);
  const edges = table.edges[0] as Float32Array;
  t.true(edges.length > 200 && edges.length <= 254);
  t.true((edges[0] as number) > 0);
});

test('without sampling, the loss on the training rows falls with every tree', t => {
  const sample = drawSample(7, 1500, 4, xorRisk);
  const table = binTable(sample.features, 4, sample.rows);
  const options = {...BOOSTING_DEFAULTS, rounds: 30, rowShare: 1, columnShare: 1};
  const input = {table, ...sample, train: sample.rows, validation: new Int32Array()};
  const {trainLoss} = trainForest(input, options);
  t.is(trainLoss.length, 30);
  for (const [round, loss] of trainLoss.entries()) {
    if (round > 0) t.true(loss <= (trainLoss[round - 1] as number));
  }
});

test('a known rule is recovered on rows that were not seen, missing values included', t => {
  const forest = trainOn(drawSample(1, 20_000, 5, xorRisk), {rounds: 40, minChildHessian: 10});
  const unseen = drawSample(2, 2000, 5, xorRisk);
  let error = 0;
  for (const row of unseen.rows) {
    const values = unseen.features.subarray(row * 5, row * 5 + 5);
    if (Number.isNaN(values[1])) continue;
    error += Math.abs(sigmoid(marginOf(forest, unseen.features, row * 5)) - xorRisk(values));
  }
  t.true(error / 2000 < 0.05, `mean error ${error / 2000}`);
});

test('the same seed gives the same trees, another seed gives others', t => {
  const sample = drawSample(3, 800, 6, xorRisk);
  const options = {rounds: 5, rowShare: 0.5, columnShare: 0.5};
  t.deepEqual(trainOn(sample, {...options, seed: 9}), trainOn(sample, {...options, seed: 9}));
  t.notDeepEqual(trainOn(sample, {...options, seed: 9}), trainOn(sample, {...options, seed: 10}));
});

test('training stops when the validation loss no longer falls and keeps the best rounds', t => {
  const sample = drawSample(4, 600, 8, () => 0.3);
  const table = binTable(sample.features, 8, sample.rows);
  const train = sample.rows.filter(row => row % 2 === 0);
  const validation = sample.rows.filter(row => row % 2 === 1);
  const options = {...BOOSTING_DEFAULTS, rounds: 200, patience: 5};
  const result = trainForest({table, ...sample, train, validation}, options);
  t.true(result.validationLoss.length < 200);
  t.is(result.forest.roots.length, result.validationLoss.length - 5);
});

test('no tree has more leaves or is deeper than the rules allow', t => {
  const forest = trainOn(drawSample(5, 3000, 5, xorRisk), {leavesMax: 7, depthMax: 3});
  const depthOf = (node: number): number =>
    forest.feature[node] === -1
      ? 0
      : 1 + Math.max(depthOf(forest.left[node] as number), depthOf(forest.right[node] as number));
  for (const [tree, root] of forest.roots.entries()) {
    const end = forest.roots[tree + 1] ?? forest.feature.length;
    t.true((end - root + 1) / 2 <= 7);
    t.true(depthOf(root) <= 3);
  }
});

test('a component that never failed gets a low and finite risk', t => {
  const forest = trainOn(drawSample(6, 200, 3, () => 0));
  const margin = marginOf(forest, new Float32Array(3), 0);
  t.true(Number.isFinite(margin) && sigmoid(margin) < 0.01);
});
