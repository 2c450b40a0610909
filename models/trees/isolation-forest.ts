import assert from 'node:assert/strict';
import {createUniform, drawSome} from '../random.ts';
import {
  addLeaf,
  createForestBuilder,
  type Forest,
  type ForestBuilder,
  finishForest,
  splitLeaf,
} from './forest.ts';

export type IsolationForestOptions = {
  readonly trees: number;
  /** Rows that each tree isolates. */
  readonly sampleRows: number;
  readonly seed: number;
};

export const ISOLATION_FOREST_DEFAULTS: IsolationForestOptions = {
  trees: 100,
  sampleRows: 256,
  seed: 1,
};

/**
 * An isolation forest: what a few random cuts set apart from everything else is odd. Its margin is
 * −(mean path length) / c(sample), so the score of the paper is 2^margin, in (0, 1): 0.5 for what
 * is usual in a sample without odd rows, towards 1 for what is isolated early. Equal input and seed
 * give equal trees.
 *
 * A missing value goes to either side with the chance of the present ones, drawn once a split; a
 * column that is constant or missing in a node is not asked there.
 *
 * Cost: trees × sampleRows × log₂(sampleRows), whatever the number of rows.
 *
 * @param features Rows × columns, row-major; NaN is missing, infinities must not be there.
 * @param train Rows to learn from, at least 2.
 * @see F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation forest", ICDM 2008.
 */
export function trainIsolationForest(
  features: Float32Array,
  columns: number,
  train: Int32Array,
  options: IsolationForestOptions,
): Forest {
  assert(train.length >= 2, 'nothing to set apart');
  const random = createUniform(options.seed);
  const builder = createForestBuilder();
  const sampleRows = Math.min(options.sampleRows, train.length);
  const grower = {
    ...{features, columns, builder, random},
    depthMax: Math.ceil(Math.log2(sampleRows)),
    scale: 1 / (options.trees * unsuccessfulSearch(sampleRows)),
  };
  const pool = train.slice();
  for (let tree = 0; tree < options.trees; tree++) {
    const rows = drawSome(pool, sampleRows, random);
    const root = addLeaf(builder, 0, sampleRows);
    builder.roots.push(root);
    isolate(grower, root, rows, 0);
  }
  return finishForest(builder, 0);
}

/** Mean depth of a leaf in a random tree of so many rows: c(n) of the paper, by exact sums. */
export function unsuccessfulSearch(rows: number): number {
  if (rows <= 1) return 0;
  let harmonic = 0;
  for (let term = 1; term < rows; term++) harmonic += 1 / term;
  return 2 * harmonic - (2 * (rows - 1)) / rows;
}

type Grower = {
  readonly features: Float32Array;
  readonly columns: number;
  readonly builder: ForestBuilder;
  readonly random: () => number;
  readonly depthMax: number;
  readonly scale: number;
};

function isolate(grower: Grower, node: number, rows: Int32Array, depth: number): void {
  const {builder, scale} = grower;
  const cut = depth < grower.depthMax && rows.length > 1 ? drawCut(grower, rows) : undefined;
  if (cut === undefined) {
    builder.value[node] = -scale * (depth + unsuccessfulSearch(rows.length));
    return;
  }
  const {left, right} = cut;
  const children = splitLeaf(
    builder,
    node,
    cut,
    {value: 0, cover: left.length},
    {value: 0, cover: right.length},
  );
  isolate(grower, children[0], left, depth + 1);
  isolate(grower, children[1], right, depth + 1);
}

type Cut = {
  readonly feature: number;
  readonly threshold: number;
  readonly missingLeft: boolean;
  readonly left: Int32Array;
  readonly right: Int32Array;
};

/** A column that tells these rows apart, and a place between its ends; undefined if none does. */
function drawCut(grower: Grower, rows: Int32Array): Cut | undefined {
  const {features, columns, random} = grower;
  const order = Int32Array.from({length: columns}, (_, column) => column);
  for (let tried = 0; tried < columns; tried++) {
    const other = tried + Math.floor(random() * (columns - tried));
    const feature = order[other] as number;
    order[other] = order[tried] as number;
    const valueAt = (row: number) => features[row * columns + feature] as number;
    const [least, most] = rangeOf(rows, valueAt);
    if (!(least < most)) continue;
    const drawn = Math.fround(least + random() * (most - least));
    // Rounding must not put all on one side.
    const threshold = drawn < most ? drawn : least;
    const below = rows.filter(row => valueAt(row) <= threshold).length;
    const above = rows.filter(row => valueAt(row) > threshold).length;
    const missingLeft = random() * (below + above) < below;
    const goesLeft = (row: number) =>
      Number.isNaN(valueAt(row)) ? missingLeft : valueAt(row) <= threshold;
    const left = rows.filter(goesLeft);
    return {feature, threshold, missingLeft, left, right: rows.filter(row => !goesLeft(row))};
  }
  return undefined;
}

/** Least and most of the present values; +∞ and −∞ of none. */
function rangeOf(rows: Int32Array, valueAt: (row: number) => number): [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    const value = valueAt(row);
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}
