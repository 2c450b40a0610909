import assert from 'node:assert/strict';
import {createUniform, drawSome} from '../random.ts';
import type {BinnedTable} from './bins.ts';
import {createForestBuilder, type Forest, type ForestBuilder, finishForest} from './forest.ts';
import {createNursery, divideLeaf, type Leaf, type Nursery, plantTree} from './grow.ts';
import {createHistogram, type Histogram, sumHistogram} from './histogram.ts';
import {findSplit} from './split.ts';

export type RandomForestOptions = {
  readonly trees: number;
  readonly depthMax: number;
  /** A child with less weight of rows than this is not made. */
  readonly minLeafWeight: number;
  /** Columns drawn anew for every split; 0: the square root of all. */
  readonly columnsPerSplit: number;
  readonly seed: number;
};

export const RANDOM_FOREST_DEFAULTS: RandomForestOptions = {
  trees: 100,
  depthMax: 32,
  minLeafWeight: 1,
  columnsPerSplit: 0,
  seed: 1,
};

export type RandomForestInput = {
  readonly table: BinnedTable;
  /** One a row of the table: 0 or 1. */
  readonly labels: Uint8Array;
  /** How often each row of the table counts, more than 0; left out: once. */
  readonly weights?: Float32Array;
  /** Rows to learn from, each once. */
  readonly train: Int32Array;
};

/**
 * A random forest for a binary outcome. Its margin is the risk itself, in [0, 1] but for rounding:
 * every leaf holds its share of positives over the number of trees. Each tree sees a bootstrap
 * sample of the rows, each split a fresh draw of columns; the purer children (Gini) win, and missing
 * values go where that is best. Equal input and seed give equal trees.
 *
 * Cost: about 2.5 ns × rows × columnsPerSplit × depth a tree.
 *
 * @see L. Breiman, "Random forests", Machine Learning 45(1), 2001.
 */
export function trainRandomForest(input: RandomForestInput, options: RandomForestOptions): Forest {
  const {table, labels, weights, train} = input;
  assert(train.length > 0, 'nothing to learn from');
  assert(labels.length === table.rows, 'one label a row');
  assert(weights === undefined || weights.length === table.rows, 'one weight a row');
  const random = createUniform(options.seed);
  const builder = createForestBuilder();
  const counts = new Float32Array(table.rows);
  const nursery = createNursery(table, counts);
  const histogram = createHistogram(table);
  for (let tree = 0; tree < options.trees; tree++) {
    counts.fill(0);
    for (let draw = 0; draw < train.length; draw++) {
      const row = train[Math.floor(random() * train.length)] as number;
      counts[row] = (counts[row] as number) + (weights?.[row] ?? 1);
    }
    const rows = train.filter(row => (counts[row] as number) > 0);
    // Squared error to the labels: its best leaf value is their mean, its gain that of Gini.
    for (const row of rows) {
      const count = counts[row] as number;
      nursery.derivatives[2 * row] = -count * (labels[row] as number);
      nursery.derivatives[2 * row + 1] = count;
    }
    growDeepTree(builder, nursery, histogram, rows, options, random);
  }
  return finishForest(builder, 0);
}

/** Divides every leaf as long as there is something to gain, the left side first. */
function growDeepTree(
  builder: ForestBuilder,
  nursery: Nursery,
  histogram: Histogram,
  rows: Int32Array,
  options: RandomForestOptions,
  random: () => number,
): void {
  const {table, derivatives} = nursery;
  const drawn = options.columnsPerSplit || Math.round(Math.sqrt(table.columns));
  const pool = Int32Array.from({length: table.columns}, (_, column) => column);
  const rules = {
    l2: 0,
    minChildHessian: options.minLeafWeight,
    minGain: 1e-9,
    leavesMax: Number.POSITIVE_INFINITY,
    depthMax: options.depthMax,
    learningRate: 1 / options.trees,
  };
  const open: Leaf[] = [plantTree(builder, nursery, rows, rules)];
  for (let leaf = open.pop(); leaf !== undefined; leaf = open.pop()) {
    const {gradient, hessian} = leaf.sums;
    const isPure = gradient === 0 || -gradient === hessian;
    if (isPure || leaf.depth >= rules.depthMax || hessian < 2 * rules.minChildHessian) continue;
    const columns = drawSome(pool, Math.min(drawn, table.columns), random);
    sumHistogram(histogram, table, columns, rows, leaf.from, leaf.to, derivatives);
    const split = findSplit(histogram, table, columns, leaf.sums, rules);
    if (split === undefined) continue;
    const [left, right] = divideLeaf(builder, nursery, rows, rules, leaf, split);
    open.push(right, left);
  }
}
