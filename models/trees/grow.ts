import {type BinnedTable, MISSING_BIN} from './bins.ts';
import {addLeaf, type ForestBuilder, splitLeaf} from './forest.ts';
import {
  findSplit,
  type Histogram,
  type Split,
  type SplitRules,
  type Sums,
  subtractHistogram,
  sumHistogram,
} from './split.ts';

export type TreeRules = SplitRules & {
  readonly leavesMax: number;
  readonly depthMax: number;
  /** What a leaf's value is multiplied with. */
  readonly learningRate: number;
};

/** Buffers that one tree after the other grows in. */
export type Nursery = {
  readonly table: BinnedTable;
  readonly gradients: Float64Array;
  readonly hessians: Float64Array;
  readonly scratch: Int32Array;
  /** Histograms that no leaf holds. */
  readonly spare: Histogram[];
};

/** A leaf that may still be split: rows[from … to). */
type Candidate = {
  node: number;
  from: number;
  to: number;
  depth: number;
  sums: Sums;
  histogram: Histogram;
  split: Split | undefined;
};

export function createNursery(table: BinnedTable): Nursery {
  return {
    table,
    gradients: new Float64Array(table.rows),
    hessians: new Float64Array(table.rows),
    scratch: new Int32Array(table.rows),
    spare: [],
  };
}

/**
 * Grows one tree leaf by leaf, always where the loss falls most, and appends it to the forest.
 *
 * @param rows The sampled rows; they are reordered.
 * @param columns The sampled columns.
 */
export function growTree(
  builder: ForestBuilder,
  nursery: Nursery,
  rows: Int32Array,
  columns: Int32Array,
  rules: TreeRules,
): void {
  const {table, gradients, hessians} = nursery;
  const sums = sumRows(nursery, rows, 0, rows.length);
  const root = addLeaf(builder, leafValue(sums, rules), rows.length);
  builder.roots.push(root);
  const histogram = borrow(nursery);
  sumHistogram(histogram, table, columns, rows, 0, rows.length, gradients, hessians);
  const split = findSplit(histogram, table, columns, sums, rules);
  const open: Candidate[] = [
    {node: root, from: 0, to: rows.length, depth: 0, sums, histogram, split},
  ];
  for (let leaves = 1; leaves < rules.leavesMax; leaves++) {
    const best = takeBest(open);
    if (best === undefined) break;
    open.push(...divide(builder, nursery, rows, columns, rules, best));
  }
  for (const candidate of open) nursery.spare.push(candidate.histogram);
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

function divide(
  builder: ForestBuilder,
  nursery: Nursery,
  rows: Int32Array,
  columns: Int32Array,
  rules: TreeRules,
  parent: Candidate & {split: Split},
): [Candidate, Candidate] {
  const {table} = nursery;
  const {column, bin, missingLeft} = parent.split;
  const middle = partition(nursery, rows, parent.from, parent.to, parent.split);
  const leftSums = sumRows(nursery, rows, parent.from, middle);
  const rightSums = sumRows(nursery, rows, middle, parent.to);
  const threshold = (table.edges[column] as Float32Array)[bin - 1] as number;
  const [leftNode, rightNode] = splitLeaf(
    builder,
    parent.node,
    {feature: column, threshold, missingLeft},
    {value: leafValue(leftSums, rules), cover: middle - parent.from},
    {value: leafValue(rightSums, rules), cover: parent.to - middle},
  );
  const depth = parent.depth + 1;
  const left: Candidate = {
    ...{node: leftNode, from: parent.from, to: middle, depth, sums: leftSums},
    ...{histogram: parent.histogram, split: undefined},
  };
  const right: Candidate = {
    ...{node: rightNode, from: middle, to: parent.to, depth, sums: rightSums},
    ...{histogram: borrow(nursery), split: undefined},
  };
  if (depth < rules.depthMax) openChildren(nursery, rows, columns, rules, left, right);
  return [left, right];
}

/** Sums the smaller child's histogram; the larger one's is the parent's less that. */
function openChildren(
  nursery: Nursery,
  rows: Int32Array,
  columns: Int32Array,
  rules: TreeRules,
  left: Candidate,
  right: Candidate,
): void {
  const {table, gradients, hessians} = nursery;
  const [small, large] =
    left.to - left.from <= right.to - right.from ? [left, right] : [right, left];
  const parentHistogram = left.histogram;
  small.histogram = right.histogram;
  large.histogram = parentHistogram;
  const {histogram, from, to} = small;
  sumHistogram(histogram, table, columns, rows, from, to, gradients, hessians);
  subtractHistogram(large.histogram, histogram);
  for (const child of [left, right]) {
    child.split = findSplit(child.histogram, table, columns, child.sums, rules);
  }
}

/** Moves the rows that go left to the front, in order; gives where the right ones start. */
function partition(
  nursery: Nursery,
  rows: Int32Array,
  from: number,
  to: number,
  split: Split,
): number {
  const {codes, columns} = nursery.table;
  const {scratch} = nursery;
  let middle = from;
  let kept = 0;
  for (let at = from; at < to; at++) {
    const row = rows[at] as number;
    const code = codes[row * columns + split.column] as number;
    if (code === MISSING_BIN ? split.missingLeft : code <= split.bin) rows[middle++] = row;
    else scratch[kept++] = row;
  }
  rows.set(scratch.subarray(0, kept), middle);
  return middle;
}

function sumRows(nursery: Nursery, rows: Int32Array, from: number, to: number): Sums {
  let gradient = 0;
  let hessian = 0;
  for (let at = from; at < to; at++) {
    const row = rows[at] as number;
    gradient += nursery.gradients[row] as number;
    hessian += nursery.hessians[row] as number;
  }
  return {gradient, hessian};
}

function leafValue(sums: Sums, rules: TreeRules): number {
  return Math.fround((-rules.learningRate * sums.gradient) / (sums.hessian + rules.l2));
}

function borrow(nursery: Nursery): Histogram {
  const {offsets, columns} = nursery.table;
  return nursery.spare.pop() ?? new Float64Array(2 * (offsets[columns] as number));
}
