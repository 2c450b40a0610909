import {type BinnedTable, MISSING_BIN} from './bins.ts';
import type {Histogram} from './histogram.ts';

/** What decides whether a split is worth it. */
export type SplitRules = {
  /** Added to the second derivative of every leaf: pulls small leaves to zero. */
  readonly l2: number;
  /** A child with less second derivative than this is not made. */
  readonly minChildHessian: number;
  /** A split that lowers the loss by less is not made. */
  readonly minGain: number;
  /**
   * By column: 1, the margin never falls while the value rises; −1, it never rises; 0 or left out,
   * free. A missing value is not compared with present ones.
   */
  readonly monotone?: Int8Array;
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

/** Between what a leaf's value, before the learning rate, must stay for the tree to be monotone. */
export type Bounds = {readonly least: number; readonly most: number};

export const UNBOUNDED: Bounds = {
  least: Number.NEGATIVE_INFINITY,
  most: Number.POSITIVE_INFINITY,
};

/** Below this a bin's sum is the rounding left over from subtracting histograms. */
const NEGLIGIBLE_HESSIAN = 1e-9;

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
  bounds: Bounds = UNBOUNDED,
): Split | undefined {
  let best: Split | undefined;
  for (const column of columns) {
    const start = (2 * column) << table.binBits;
    const cuts = (table.edges[column] as Float32Array).length;
    const least = best?.gain ?? rules.minGain;
    const found =
      rules.monotone === undefined
        ? findFree(histogram, start, cuts, sums, rules, least)
        : findBounded(histogram, start, cuts, sums, rules, least, bounds, rules.monotone[column]);
    if (found !== undefined) best = {column, ...found};
  }
  return best;
}

type Found = Omit<Split, 'column'>;

/** The best split of one column with more gain than `least`. */
function findFree(
  histogram: Histogram,
  start: number,
  cuts: number,
  sums: Sums,
  {l2, minChildHessian}: SplitRules,
  least: number,
): Found | undefined {
  const missingGradient = histogram[start + 2 * MISSING_BIN] as number;
  const missingHessian = histogram[start + 2 * MISSING_BIN + 1] as number;
  const someMissing = missingHessian > NEGLIGIBLE_HESSIAN;
  const parentScore = (sums.gradient * sums.gradient) / (sums.hessian + l2);
  let leftGradient = 0;
  let leftHessian = 0;
  let gain = least;
  let bin = 0;
  let missingLeft = false;
  for (let cut = 1, cell = start + 2; cut <= cuts; cut++, cell += 2) {
    leftGradient += histogram[cell] as number;
    leftHessian += histogram[cell + 1] as number;
    const rightHessian = sums.hessian - leftHessian;
    if (leftHessian >= minChildHessian && rightHessian >= minChildHessian) {
      const right = sums.gradient - leftGradient;
      const here =
        (leftGradient * leftGradient) / (leftHessian + l2) +
        (right * right) / (rightHessian + l2) -
        parentScore;
      if (here > gain) {
        gain = here;
        bin = cut;
        missingLeft = someMissing ? false : leftHessian >= rightHessian;
      }
    }
    if (!someMissing) continue;
    const gradient = leftGradient + missingGradient;
    const hessian = leftHessian + missingHessian;
    if (hessian < minChildHessian || sums.hessian - hessian < minChildHessian) continue;
    const right = sums.gradient - gradient;
    const here =
      (gradient * gradient) / (hessian + l2) +
      (right * right) / (sums.hessian - hessian + l2) -
      parentScore;
    if (here > gain) {
      gain = here;
      bin = cut;
      missingLeft = true;
    }
  }
  return bin === 0 ? undefined : {bin, missingLeft, gain};
}

/** The same with leaves held within bounds and, if `direction` is not 0, in order. */
function findBounded(
  histogram: Histogram,
  start: number,
  cuts: number,
  sums: Sums,
  rules: SplitRules,
  least: number,
  bounds: Bounds,
  direction = 0,
): Found | undefined {
  const missing = {
    gradient: histogram[start + 2 * MISSING_BIN] as number,
    hessian: histogram[start + 2 * MISSING_BIN + 1] as number,
  };
  const someMissing = missing.hessian > NEGLIGIBLE_HESSIAN;
  const {l2, minChildHessian} = rules;
  const parentScore = boundedScore(sums.gradient, sums.hessian, l2, bounds);
  let gradient = 0;
  let hessian = 0;
  let best: Found | undefined;
  for (let bin = 1; bin <= cuts; bin++) {
    gradient += histogram[start + 2 * bin] as number;
    hessian += histogram[start + 2 * bin + 1] as number;
    for (let side = 0; side < (someMissing ? 2 : 1); side++) {
      const leftGradient = side === 0 ? gradient : gradient + missing.gradient;
      const leftHessian = side === 0 ? hessian : hessian + missing.hessian;
      const rightGradient = sums.gradient - leftGradient;
      const rightHessian = sums.hessian - leftHessian;
      if (leftHessian < minChildHessian || rightHessian < minChildHessian) continue;
      const rise =
        boundedValue(rightGradient, rightHessian, l2, bounds) -
        boundedValue(leftGradient, leftHessian, l2, bounds);
      if (rise * direction < 0) continue;
      const gain =
        boundedScore(leftGradient, leftHessian, l2, bounds) +
        boundedScore(rightGradient, rightHessian, l2, bounds) -
        parentScore;
      if (gain <= (best?.gain ?? least)) continue;
      const missingLeft = someMissing ? side === 1 : leftHessian >= rightHessian;
      best = {bin, missingLeft, gain};
    }
  }
  return best;
}

/** What a leaf with these sums says before the learning rate: the best value within bounds. */
export function boundedValue(
  gradient: number,
  hessian: number,
  l2: number,
  {least, most}: Bounds,
): number {
  return Math.min(Math.max(-gradient / (hessian + l2), least), most);
}

function boundedScore(gradient: number, hessian: number, l2: number, bounds: Bounds): number {
  const value = boundedValue(gradient, hessian, l2, bounds);
  return -value * (2 * gradient + (hessian + l2) * value);
}
