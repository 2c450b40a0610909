import test from 'ava';
import {createUniform} from '../../models/random.ts';
import {binTable} from '../../models/trees/bins.ts';
import {BOOSTING_DEFAULTS, trainForest} from '../../models/trees/boosting.ts';
import {type Forest, marginOf} from '../../models/trees/forest.ts';
import fc from '../support/fast-check.ts';
import {drawSample} from './fixtures.ts';

const COLUMNS = 4;

/** Waves: no column has the direction that is asked of it. */
function wavyRisk(row: Float32Array): number {
  const [first, second, third] = row as unknown as [number, number, number];
  if (Number.isNaN(first)) return 0.7;
  return 0.5 + 0.2 * Math.sin(9 * first) + 0.15 * Math.cos(7 * (second || 0) + 5 * (third || 0));
}

function trainWithin(seed: number, monotone: Int8Array | undefined): Forest {
  const sample = drawSample(seed, 600, COLUMNS, wavyRisk, 0.1);
  const table = binTable(sample.features, COLUMNS, sample.rows);
  const options = {
    ...BOOSTING_DEFAULTS,
    ...{rounds: 15, minChildHessian: 0.5, learningRate: 0.3, leavesMax: 24, seed},
    ...(monotone === undefined ? {} : {monotone}),
  };
  const input = {table, labels: sample.labels, train: sample.rows, validation: new Int32Array()};
  return trainForest(input, options).forest;
}

/** Largest step against `direction` of one column over a grid, at random places of the others. */
function worstStep(forest: Forest, column: number, direction: number, seed: number): number {
  const random = createUniform(seed);
  const row = new Float32Array(COLUMNS);
  let worst = 0;
  for (let place = 0; place < 20; place++) {
    for (let other = 0; other < COLUMNS; other++) {
      row[other] = random() < 0.1 ? Number.NaN : random();
    }
    let before: number | undefined;
    for (let at = 0; at <= 60; at++) {
      row[column] = at / 60;
      const margin = marginOf(forest, row, 0);
      if (before !== undefined) worst = Math.max(worst, direction * (before - margin));
      before = margin;
    }
  }
  return worst;
}

test('a constrained column never moves the margin the wrong way, wherever the others are', t => {
  const direction = fc.constantFrom(-1, 0, 1);
  fc.assert(
    fc.property(
      fc.integer({min: 1, max: 1e6}),
      fc.tuple(direction, direction, direction, direction),
      (seed, directions) => {
        const forest = trainWithin(seed, Int8Array.from(directions));
        return directions.every(
          (one, column) => one === 0 || worstStep(forest, column, one, seed) === 0,
        );
      },
    ),
    {numRuns: 25},
  );
  t.pass();
});

test('without the constraint the same trees do move the wrong way', t => {
  t.true(worstStep(trainWithin(1, undefined), 0, 1, 1) > 0.1);
});

test('constraints that bind nothing change nothing but rounding', t => {
  const free = trainWithin(2, undefined);
  const bound = trainWithin(2, new Int8Array(COLUMNS));
  t.deepEqual(bound.feature, free.feature);
  t.deepEqual(bound.threshold, free.threshold);
  for (const [node, value] of free.value.entries()) {
    t.true(Math.abs((bound.value[node] as number) - value) < 1e-6);
  }
});

test('a rising risk is learned as well with the right constraint as without', t => {
  const rising = (row: Float32Array) => 0.05 + 0.8 * ((row[0] as number) || 0);
  const sample = drawSample(5, 4000, 2, rising, 0);
  const table = binTable(sample.features, 2, sample.rows);
  const input = {table, labels: sample.labels, train: sample.rows, validation: new Int32Array()};
  const monotone = Int8Array.of(1, 0);
  const {forest} = trainForest(input, {...BOOSTING_DEFAULTS, rounds: 60, monotone, columnShare: 1});
  for (const value of [0.1, 0.3, 0.5, 0.7, 0.9]) {
    const risk = 1 / (1 + Math.exp(-marginOf(forest, Float32Array.of(value, 0.5), 0)));
    t.true(Math.abs(risk - (0.05 + 0.8 * value)) < 0.09, `${value} has ${risk}`);
  }
});

test('what only moves the wrong way is not asked at all', t => {
  const falling = (row: Float32Array) => 0.9 - 0.8 * (row[0] as number);
  const sample = drawSample(6, 2000, 1, falling, 0);
  const table = binTable(sample.features, 1, sample.rows);
  const input = {table, labels: sample.labels, train: sample.rows, validation: new Int32Array()};
  const nodesWith = (direction: number) => {
    const monotone = Int8Array.of(direction);
    const options = {...BOOSTING_DEFAULTS, rounds: 1, monotone, minChildHessian: 100};
    return trainForest(input, options).forest.feature.length;
  };
  t.is(nodesWith(1), 1);
  t.true(nodesWith(-1) > 1);
});
