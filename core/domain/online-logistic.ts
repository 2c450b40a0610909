/**
 * A logistic model that adapts to one cell: it begins as a model that was learned elsewhere, and
 * moves as outcomes of this cell become known. What it learned is a Gaussian (Laplace's
 * approximation) that fades, so that it follows a cell that changes.
 *
 * O1. Without outcomes its weights are the prior's; they are so again when all of them have faded.
 * O2. State changes by {@link learn} only, is numbers and typed arrays, and depends on nothing but
 *     the prior and what was learned, in that order: the same outcomes give the same bytes.
 * O3. An outcome that would leave a weight that is not finite is not learned from.
 *
 * @see D. J. Spiegelhalter, S. L. Lauritzen, "Sequential updating of conditional probabilities on
 *   directed graphical structures", Networks 20(5), 1990: the recursion; R. Kulhavý, M. B. Zarrop,
 *   "On a general concept of forgetting", Int. J. Control 58(4), 1993: fading towards a prior.
 */
import {
  climbPosterior,
  diagonal,
  type LabelledRows,
  logOdds,
  multiply,
  slopeAndCurvature,
  solveSymmetric,
  toProbability,
} from './logistic-posterior.ts';

export type OnlineLogistic = {
  /** Weights of inputs, in their order; learned elsewhere. */
  readonly prior: Float64Array;
  /** How firmly each is held: 1 ÷ variance. */
  readonly priorPrecision: Float64Array;
  /** Those in use. */
  weights: Float64Array;
  /** Precision (width × width) of what was learned here, and precision × mean. */
  evidence: Float64Array;
  evidencePull: Float64Array;
  /** When it was last learned; −∞: never. */
  learnedAtMs: number;
};

export type Learning = {
  /** Of an outcome's likelihood that counts: outages of one cell are not independent. */
  readonly share: number;
  /** What was learned is worth half as much after this long. */
  readonly halfLifeMs: number;
  /** Newton steps an update. */
  readonly steps: number;
};

/** What one input adds. */
export type Contribution = {
  /** In log-odds: weight × input. */
  readonly total: number;
  /** Of that, what was learned here: (weight − prior weight) × input. */
  readonly learnedHere: number;
};

export function createOnlineLogistic(
  prior: Float64Array,
  priorPrecision: Float64Array,
): OnlineLogistic {
  const width = prior.length;
  return {
    prior: prior.slice(),
    priorPrecision: priorPrecision.slice(),
    weights: prior.slice(),
    evidence: new Float64Array(width * width),
    evidencePull: new Float64Array(width),
    learnedAtMs: Number.NEGATIVE_INFINITY,
  };
}

/**
 * Learns from outcomes that became known together; call it in the order of their times. Without
 * rows it only forgets. O(steps × (rows × width² + width³)).
 *
 * @returns False if they were not learned from, as the result would not be finite; nothing changed.
 */
export function learn(
  layer: OnlineLogistic,
  atMs: number,
  batch: LabelledRows,
  {share, halfLifeMs, steps}: Learning,
): boolean {
  const keep = Number.isFinite(layer.learnedAtMs)
    ? 2 ** (-Math.max(0, atMs - layer.learnedAtMs) / halfLifeMs)
    : 0;
  const fixed = diagonal(layer.priorPrecision);
  const fixedPull = multiply(fixed, layer.prior);
  const precision = fixed.map((value, cell) => value + keep * (layer.evidence[cell] as number));
  const pull = fixedPull.map((value, i) => value + keep * (layer.evidencePull[i] as number));
  const past = {mean: solveSymmetric(precision, pull), precision};
  const weights = climbPosterior(past.mean, [batch], past, {share, steps});
  const {curvature} = slopeAndCurvature(weights, [batch], past, share);
  if (![weights, curvature].every(values => values.every(Number.isFinite))) return false;
  layer.weights = weights;
  layer.evidence = curvature.map((value, cell) => value - (fixed[cell] as number));
  layer.evidencePull = multiply(curvature, weights).map(
    (value, i) => value - (fixedPull[i] as number),
  );
  layer.learnedAtMs = atMs;
  return true;
}

/** Risks of rows × width inputs. */
export function risksOf({weights}: OnlineLogistic, inputs: Float64Array): Float64Array {
  const width = weights.length;
  return Float64Array.from({length: inputs.length / width}, (_, row) =>
    toProbability(logOdds(weights, inputs, row * width)),
  );
}

/** What each input of one row adds to the log-odds; their totals sum up to it. */
export function explainRow(
  {prior, weights}: OnlineLogistic,
  inputs: Float64Array,
  row: number,
): Contribution[] {
  const base = row * weights.length;
  return Array.from(weights, (weight, i) => {
    const input = inputs[base + i] as number;
    return {total: weight * input, learnedHere: (weight - (prior[i] as number)) * input};
  });
}
