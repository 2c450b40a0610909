/**
 * What is usual on a host, learned from rows of all its metrics and shared by hosts of a kind. Three
 * views are summed, since odd times show in different ways:
 *
 * - *regression*: each metric from all metrics of the two rows before; short breaks of dynamics;
 * - *residual*: what of three stacked rows lies outside their usual subspace; broken correlation;
 * - *distance* from three stacked rows to the nearest of the rows learned from; long odd states.
 */

/** Rows that the regression looks back. */
export const LAGS = 2;
/** Rows whose joint shape is compared. */
export const STACKED = 3;
/** Nearest reference rows whose mean distance counts. */
export const NEIGHBOURS = 5;
export const MEMBERS = 3;

/** Weights of regression, residual and distance in the score. */
export const MEMBER_WEIGHTS = Float64Array.of(2, 0.5, 1);
/** Of what each row adds to a member's level: half of it is forgotten in four rows. */
export const LEVEL_GAIN = 1 - 2 ** (-1 / 4);

/** No value counts as farther from the mean, and no residual as larger, in deviations. */
export const VALUE_CLIP = 10;
export const RESIDUAL_CLIP = 20;

/** What a residual adds to a metric's blame, against its distance from the mean. */
export const RESIDUAL_BLAME = 0.25;

/**
 * A fitted model: immutable, typed arrays only, so that a structured clone or a shared buffer takes
 * it to other threads. About 8 × (columns × (2 × columns + 50) + 4,100) bytes: 71 KB for 38 columns.
 */
export type AnomalyModel = {
  readonly columns: readonly string[];
  readonly means: Float64Array;
  /** Deviations that a value is divided by; infinite for a metric that was never seen. */
  readonly fineScales: Float64Array;
  /** The same with a higher floor, so that the quiet metrics do not make up the joint shape. */
  readonly coarseScales: Float64Array;
  /** columns × (lags × columns + 1): weights of the rows before, newest first, and the constant. */
  readonly regression: Float64Array;
  readonly residualScales: Float64Array;
  /** Mean of the stacked rows: stacked × columns. */
  readonly centre: Float64Array;
  /** Axes of the usual subspace: each stacked × columns. */
  readonly axes: Float64Array;
  /** Each: its coordinates on the axes, and the square of what is left beside them. */
  readonly references: Float64Array;
  /** The 99th percentile of each member's level on the rows learned from. */
  readonly usualLevels: Float64Array;
};

/** How many axes the model has. */
export function axisCount(model: AnomalyModel): number {
  return model.axes.length / model.centre.length;
}
