import {type BinnedTable, MISSING_BIN} from './bins.ts';
import {addLeaf, type ForestBuilder, splitLeaf} from './forest.ts';
import {createHistogram, type Histogram, subtractHistogram, sumHistogram} from './histogram.ts';
import {
  type Bounds,
  boundedValue,
  findSplit,
  type Split,
  type SplitRules,
  type Sums,
  UNBOUNDED,
} from './split.ts';

export type TreeRules = SplitRules & {
  /** Leaf by leaf up to this many; 2^depthMax or more gives a tree level by level. */
  readonly leavesMax: number;
  readonly depthMax: number;
  /** What a leaf's value is multiplied with. */
  readonly learningRate: number;
};

/** Buffers that one tree after the other grows in. */
export type Nursery = {
  readonly table: BinnedTable;
  /** First and second derivative of the loss in turns, by row. */
  readonly derivatives: Float64Array;
  /** How often a row counts; undefined: once. */
  readonly weights: Float32Array | undefined;
  readonly scratch: Int32Array;
  /** Histograms that no leaf holds. */
  readonly spare: Histogram[];
};

/** A leaf of the tree, and its rows: rows[from … to). */
export type Leaf = {
  readonly node: number;
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  readonly sums: Sums;
  readonly bounds: Bounds;
};

/** A leaf that may still be split. */
type Candidate = Leaf & {histogram: Histogram | undefined; split: Split | undefined};

export function createNursery(table: BinnedTable, weights?: Float32Array): Nursery {
  return {
    table,
    weights,
    derivatives: new Float64Array(2 * table.rows),
    scratch: new Int32Array(table.rows),
    spare: [],
  };
}

/**
 * Grows one tree leaf by leaf, always where the loss falls most, and appends it to the forest.
 *
 * @param rows The sampled rows; they are reordered.
 * @param columns The sampled columns.
 * @returns The leaves, which share all rows among them.
 */
export function growTree(
  builder: ForestBuilder,
  nursery: Nursery,
  rows: Int32Array,
  columns: Int32Array,
  rules: TreeRules,
): readonly Leaf[] {
  const root = plantTree(builder, nursery, rows, rules);
  const histogram = borrow(nursery);
  sumHistogram(histogram, nursery.table, columns, rows, 0, rows.length, nursery.derivatives);
  const split = findSplit(histogram, nursery.table, columns, root.sums, rules, root.bounds);
  const open: Candidate[] = [{...root, histogram, split}];
  for (let leaves = 1; leaves < rules.leavesMax; leaves++) {
    const best = takeBest(open);
    if (best === undefined) break;
    const [left, right] = divideLeaf(builder, nursery, rows, rules, best, best.split);
    const isLast = leaves + 1 === rules.leavesMax;
    open.push(...openChildren(nursery, rows, columns, rules, best, left, right, isLast));
  }
  for (const {histogram: held} of open) if (held !== undefined) nursery.spare.push(held);
  return open;
}

/** Appends a tree of one leaf over all rows. */
export function plantTree(
  builder: ForestBuilder,
  nursery: Nursery,
  rows: Int32Array,
  rules: TreeRules,
): Leaf {
  const sums = sumRows(nursery, rows, 0, rows.length);
  const cover = coverOf(nursery, rows, 0, rows.length);
  const node = addLeaf(builder, leafValue(sums, rules, UNBOUNDED), cover);
  builder.roots.push(node);
  return {node, from: 0, to: rows.length, depth: 0, sums, bounds: UNBOUNDED};
}

/** Removes the candidate of the highest gain; the earlier one of equals. */
function takeBest(open: Candidate[]): (Candidate & {split: Split}) | undefined {
  let best = -1;
  let bestGain = 0;
  for (let index = 0; index < open.length; index++) {
    const gain = open[index]?.split?.gain ?? 0;
    if (gain > bestGain) {
      best = index;
      bestGain = gain;
    }
  }
  if (best < 0) return undefined;
  return open.splice(best, 1)[0] as Candidate & {split: Split};
}

/** Makes a leaf a branch and shares its rows between two leaves. */
export function divideLeaf(
  builder: ForestBuilder,
  nursery: Nursery,
  rows: Int32Array,
  rules: TreeRules,
  parent: Leaf,
  split: Split,
): [left: Leaf, right: Leaf] {
  const {from, to} = parent;
  const middle = partition(nursery, rows, from, to, split);
  const leftSums = sumRows(nursery, rows, from, middle);
  const rightSums = sumRows(nursery, rows, middle, to);
  const {column, bin, missingLeft} = split;
  const [leftBounds, rightBounds] = boundsOf(parent.bounds, rules, column, leftSums, rightSums);
  const threshold = (nursery.table.edges[column] as Float32Array)[bin - 1] as number;
  const [leftNode, rightNode] = splitLeaf(
    builder,
    parent.node,
    {feature: column, threshold, missingLeft, bin},
    {value: leafValue(leftSums, rules, leftBounds), cover: coverOf(nursery, rows, from, middle)},
    {value: leafValue(rightSums, rules, rightBounds), cover: coverOf(nursery, rows, middle, to)},
  );
  const depth = parent.depth + 1;
  return [
    {node: leftNode, from, to: middle, depth, sums: leftSums, bounds: leftBounds},
    {node: rightNode, from: middle, to, depth, sums: rightSums, bounds: rightBounds},
  ];
}

/**
 * Below a constrained split no leaf of one side may pass the middle between the two sides, however
 * often they are divided again.
 */
function boundsOf(
  bounds: Bounds,
  rules: TreeRules,
  column: number,
  left: Sums,
  right: Sums,
): [left: Bounds, right: Bounds] {
  const direction = rules.monotone?.[column] ?? 0;
  if (direction === 0) return [bounds, bounds];
  const middle =
    (boundedValue(left.gradient, left.hessian, rules.l2, bounds) +
      boundedValue(right.gradient, right.hessian, rules.l2, bounds)) /
    2;
  const below = {least: bounds.least, most: middle};
  const above = {least: middle, most: bounds.most};
  return direction > 0 ? [below, above] : [above, below];
}

/** Sums the smaller child's histogram; the larger one's is the parent's less that. */
function openChildren(
  nursery: Nursery,
  rows: Int32Array,
  columns: Int32Array,
  rules: TreeRules,
  parent: Candidate,
  left: Leaf,
  right: Leaf,
  isLast: boolean,
): [Candidate, Candidate] {
  const {table, spare} = nursery;
  const parentHistogram = parent.histogram as Histogram;
  const closed = ({depth, sums}: Leaf) =>
    isLast || depth >= rules.depthMax || sums.hessian < 2 * rules.minChildHessian;
  const children: [Candidate, Candidate] = [
    {...left, histogram: undefined, split: undefined},
    {...right, histogram: undefined, split: undefined},
  ];
  if (closed(left) && closed(right)) {
    spare.push(parentHistogram);
    return children;
  }
  const [small, large] =
    left.to - left.from <= right.to - right.from ? children : [children[1], children[0]];
  const histogram = borrow(nursery);
  sumHistogram(histogram, table, columns, rows, small.from, small.to, nursery.derivatives);
  if (!closed(large)) subtractHistogram(parentHistogram, histogram);
  small.histogram = histogram;
  large.histogram = parentHistogram;
  for (const child of children) {
    if (closed(child)) continue;
    const held = child.histogram as Histogram;
    child.split = findSplit(held, table, columns, child.sums, rules, child.bounds);
  }
  return children;
}

/** Moves the rows that go left to the front, in order; gives where the right ones start. */
function partition(
  {table, scratch}: Nursery,
  rows: Int32Array,
  from: number,
  to: number,
  {column, bin, missingLeft}: Split,
): number {
  const codes = table.columnCodes.subarray(column * table.rows, (column + 1) * table.rows);
  // Looked up instead of asked: which way a row goes cannot be guessed by a processor.
  const goesLeft = Uint8Array.from({length: 256}, (_, code) =>
    (code === MISSING_BIN ? missingLeft : code <= bin) ? 1 : 0,
  );
  let middle = from;
  let kept = 0;
  for (let at = from; at < to; at++) {
    const row = rows[at] as number;
    const left = goesLeft[codes[row] as number] as number;
    rows[middle] = row;
    scratch[kept] = row;
    middle += left;
    kept += 1 - left;
  }
  rows.set(scratch.subarray(0, kept), middle);
  return middle;
}

function sumRows({derivatives}: Nursery, rows: Int32Array, from: number, to: number): Sums {
  let gradient = 0;
  let hessian = 0;
  for (let at = from; at < to; at++) {
    const cell = 2 * (rows[at] as number);
    gradient += derivatives[cell] as number;
    hessian += derivatives[cell + 1] as number;
  }
  return {gradient, hessian};
}

function coverOf({weights}: Nursery, rows: Int32Array, from: number, to: number): number {
  if (weights === undefined) return to - from;
  let cover = 0;
  for (let at = from; at < to; at++) cover += weights[rows[at] as number] as number;
  return cover;
}

function leafValue({gradient, hessian}: Sums, rules: TreeRules, bounds: Bounds): number {
  if (rules.monotone === undefined) {
    return Math.fround((-rules.learningRate * gradient) / (hessian + rules.l2));
  }
  return Math.fround(rules.learningRate * boundedValue(gradient, hessian, rules.l2, bounds));
}

function borrow({table, spare}: Nursery): Histogram {
  return spare.pop() ?? createHistogram(table);
}
