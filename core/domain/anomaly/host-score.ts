import {
  type AnomalyModel,
  axisCount,
  LAGS,
  LEVEL_GAIN,
  MEMBER_WEIGHTS,
  MEMBERS,
  NEIGHBOURS,
  RESIDUAL_BLAME,
  RESIDUAL_CLIP,
  STACKED,
  VALUE_CLIP,
} from './host-model.ts';
import {meanNearest} from './nearest.ts';
import {project} from './subspace.ts';

export type AnomalyVerdict = {
  /**
   * How odd the last rows are, 0 or more. If each member stood at its 99th percentile on the rows
   * learned from, it would be 3.5.
   */
  score: number;
  /**
   * Which metrics: for each its distance from the mean in deviations, and a quarter of how far it is
   * from what the rows before let expect. 0 where missing.
   */
  readonly byMetric: Float64Array;
};

/** What is remembered of one host: about 2.5 KB for 19 columns, 4.7 KB for 38. */
export type AnomalyState = {
  rows: number;
  /** The last rows in fine deviations, newest first. */
  readonly fine: Float64Array;
  /** The last rows in coarse deviations, newest first. */
  readonly coarse: Float64Array;
  /** Smoothed members: regression, residual, distance. */
  readonly levels: Float64Array;
  /** Written anew by every row. */
  readonly scratch: {
    readonly centred: Float64Array;
    readonly coordinates: Float64Array;
    readonly nearest: Float64Array;
  };
  readonly verdict: AnomalyVerdict;
};

/** The state before the first row. Take a new one after a long silence: rows before are old news. */
export function createAnomalyState(model: AnomalyModel): AnomalyState {
  const columns = model.columns.length;
  return {
    rows: 0,
    fine: new Float64Array((LAGS + 1) * columns),
    coarse: new Float64Array(STACKED * columns),
    levels: new Float64Array(MEMBERS),
    scratch: {
      centred: new Float64Array(STACKED * columns),
      coordinates: new Float64Array(axisCount(model)),
      nearest: new Float64Array(NEIGHBOURS),
    },
    verdict: {score: 0, byMetric: new Float64Array(columns)},
  };
}

/**
 * Takes the next row of a host, in the model's order of columns, and says how odd it is.
 *
 * A missing or infinite value is taken to be what the regression expects, and is not odd. A row
 * without any value changes nothing: the verdict before is given again. Does not allocate: the
 * verdict is the state's own and is overwritten by the next row.
 *
 * Cost: about columns × (2 × columns + 3 × axes) + references × axes multiplications.
 */
export function observeAnomaly(
  model: AnomalyModel,
  state: AnomalyState,
  row: ArrayLike<number>,
): AnomalyVerdict {
  return observeAway(model, state, row, 0, 0);
}

/** {@link observeAnomaly} without the references from `away` up to `awayEnd`. */
export function observeAway(
  model: AnomalyModel,
  state: AnomalyState,
  row: ArrayLike<number>,
  away: number,
  awayEnd: number,
): AnomalyVerdict {
  const {coarse, levels, scratch, verdict} = state;
  if (!hasValue(row, model.columns.length)) return verdict;
  shiftRows(model, state, row);
  const gain = state.rows === 0 ? 1 : LEVEL_GAIN;
  state.rows++;
  const surprise = takeRow(model, state, row);
  const residual = project(model, coarse, scratch.centred, scratch.coordinates);
  const {references} = model;
  const distance = meanNearest(references, scratch, residual, away, awayEnd);
  levels[0] = (levels[0] as number) + gain * (surprise - (levels[0] as number));
  levels[1] = (levels[1] as number) + gain * (residual - (levels[1] as number));
  levels[2] = (levels[2] as number) + gain * (distance - (levels[2] as number));
  verdict.score = 0;
  for (let member = 0; member < MEMBERS; member++) {
    verdict.score +=
      (MEMBER_WEIGHTS[member] as number) *
      Math.sqrt((levels[member] as number) / (model.usualLevels[member] as number));
  }
  return verdict;
}

function hasValue(row: ArrayLike<number>, columns: number): boolean {
  for (let column = 0; column < columns; column++) {
    if (Number.isFinite(row[column])) return true;
  }
  return false;
}

/** Makes room for a row. Before the first there was the same, so that it is no change. */
function shiftRows(
  model: AnomalyModel,
  {rows, fine, coarse}: AnomalyState,
  row: ArrayLike<number>,
) {
  const columns = model.columns.length;
  if (rows > 0) {
    fine.copyWithin(columns, 0, LAGS * columns);
    coarse.copyWithin(columns, 0, (STACKED - 1) * columns);
    return;
  }
  for (let column = 0; column < columns; column++) {
    const value = row[column] as number;
    const apart = Number.isFinite(value) ? value - (model.means[column] as number) : 0;
    const inFine = clip(apart / (model.fineScales[column] as number), VALUE_CLIP);
    const inCoarse = clip(apart / (model.coarseScales[column] as number), VALUE_CLIP);
    for (let lag = 1; lag <= LAGS; lag++) fine[lag * columns + column] = inFine;
    for (let lag = 1; lag < STACKED; lag++) coarse[lag * columns + column] = inCoarse;
  }
}

/** Writes the newest row and each metric's blame; gives the sum of squared residuals. */
function takeRow(
  model: AnomalyModel,
  {fine, coarse, verdict}: AnomalyState,
  row: ArrayLike<number>,
): number {
  const {means, fineScales, coarseScales, regression, residualScales} = model;
  const columns = model.columns.length;
  const width = LAGS * columns + 1;
  let sum = 0;
  for (let column = 0; column < columns; column++) {
    const weights = column * width;
    let expected = regression[weights + width - 1] as number;
    for (let i = 0; i < width - 1; i++) {
      expected += (regression[weights + i] as number) * (fine[columns + i] as number);
    }
    const value = row[column] as number;
    if (Number.isFinite(value)) {
      const apart = value - (means[column] as number);
      const inFine = clip(apart / (fineScales[column] as number), VALUE_CLIP);
      const inCoarse = clip(apart / (coarseScales[column] as number), VALUE_CLIP);
      const residual = clip(
        (inFine - expected) / (residualScales[column] as number),
        RESIDUAL_CLIP,
      );
      fine[column] = inFine;
      coarse[column] = inCoarse;
      verdict.byMetric[column] = Math.abs(inCoarse) + RESIDUAL_BLAME * Math.abs(residual);
      sum += residual * residual;
    } else {
      const coarseScale = coarseScales[column] as number;
      const apart = clip(expected, VALUE_CLIP) * (fineScales[column] as number);
      fine[column] = clip(expected, VALUE_CLIP);
      coarse[column] = Number.isFinite(coarseScale) ? apart / coarseScale : 0;
      verdict.byMetric[column] = 0;
    }
  }
  return sum;
}

function clip(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}
