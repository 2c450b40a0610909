import {type BinnedTable, MISSING_BIN} from './bins.ts';

/** Sums of gradients and second derivatives, interleaved: bin b is at 2b and 2b + 1. */
export type Histogram = Float64Array;

/** What decides whether a split is worth it. */
export type SplitRules = {
  /** Added to the second derivative of every leaf: pulls small leaves to zero. */
  readonly l2: number;
  /** A child with less second derivative than this is not made. */
  readonly minChildHessian: number;
  /** A split that lowers the loss by less is not made. */
  readonly minGain: number;
};

export type Split = {
  readonly column: number;
  /** Bins ≤ this go left. */
  readonly bin: number;
  readonly missingLeft: boolean;
  /** Twice the decrease of the loss. */
  readonly gain: number;
};

export type Sums = {gradient: number; hessian: number};

/** Below this a bin's sum is the rounding left over from subtracting histograms. */
const NEGLIGIBLE_HESSIAN = 1e-9;

/** Fills `into` with the sums of the rows `rows[from … to)` for the given columns. */
export function sumHistogram(
  into: Histogram,
  table: BinnedTable,
  columns: Int32Array,
  rows: Int32Array,
  from: number,
  to: number,
  gradients: Float64Array,
  hessians: Float64Array,
): void {
  into.fill(0);
  const {codes, offsets, columns: width} = table;
  for (let at = from; at < to; at++) {
    const row = rows[at] as number;
    const gradient = gradients[row] as number;
    const hessian = hessians[row] as number;
    const base = row * width;
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index] as number;
      const cell = 2 * ((offsets[column] as number) + (codes[base + column] as number));
      into[cell] = (into[cell] as number) + gradient;
      into[cell + 1] = (into[cell + 1] as number) + hessian;
    }
  }
}

/** Turns the parent's histogram into that of the sibling of `child`. */
export function subtractHistogram(parent: Histogram, child: Histogram): void {
  for (let at = 0; at < parent.length; at++) {
    parent[at] = (parent[at] as number) - (child[at] as number);
  }
}

/**
 * The split of the highest gain over all columns and bins, with missing values tried on both
 * sides; where a node has none, they follow the heavier child. That a value is missing is never in
 * itself what a node asks. Undefined if no split satisfies the rules. Ties go to the lower column,
 * then the lower bin.
 *
 * @see T. Chen, C. Guestrin, "XGBoost: A Scalable Tree Boosting System", KDD 2016, algorithm 3.
 */
export function findSplit(
  histogram: Histogram,
  table: BinnedTable,
  columns: Int32Array,
  sums: Sums,
  rules: SplitRules,
): Split | undefined {
  const parentScore = leafScore(sums.gradient, sums.hessian, rules.l2);
  let best: Split | undefined;
  for (const column of columns) {
    const found = findInColumn(histogram, table, column, sums, rules, parentScore);
    if (found !== undefined && found.gain > (best?.gain ?? rules.minGain)) best = found;
  }
  return best;
}

function findInColumn(
  histogram: Histogram,
  table: BinnedTable,
  column: number,
  sums: Sums,
  rules: SplitRules,
  parentScore: number,
): Split | undefined {
  const start = 2 * (table.offsets[column] as number);
  const cuts = (table.edges[column] as Float32Array).length;
  const missing = {
    gradient: histogram[start + 2 * MISSING_BIN] as number,
    hessian: histogram[start + 2 * MISSING_BIN + 1] as number,
  };
  const someMissing = missing.hessian > NEGLIGIBLE_HESSIAN;
  const {l2, minChildHessian} = rules;
  let gradient = 0;
  let hessian = 0;
  let best: Split | undefined;
  for (let bin = 1; bin <= cuts; bin++) {
    gradient += histogram[start + 2 * bin] as number;
    hessian += histogram[start + 2 * bin + 1] as number;
    for (let side = 0; side < (someMissing ? 2 : 1); side++) {
      const leftGradient = side === 0 ? gradient : gradient + missing.gradient;
      const leftHessian = side === 0 ? hessian : hessian + missing.hessian;
      const rightHessian = sums.hessian - leftHessian;
      if (leftHessian < minChildHessian || rightHessian < minChildHessian) continue;
      const gain =
        leafScore(leftGradient, leftHessian, l2) +
        leafScore(sums.gradient - leftGradient, rightHessian, l2) -
        parentScore;
      if (gain <= (best?.gain ?? 0)) continue;
      const missingLeft = someMissing ? side === 1 : leftHessian >= rightHessian;
      best = {column, bin, missingLeft, gain};
    }
  }
  return best;
}

function leafScore(gradient: number, hessian: number, l2: number): number {
  return (gradient * gradient) / (hessian + l2);
}
