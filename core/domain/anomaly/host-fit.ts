import {ForestayError} from '../errors.ts';
import {type AnomalyModel, LAGS, MEMBERS, STACKED, VALUE_CLIP} from './host-model.ts';
import {createAnomalyState, observeAway} from './host-score.ts';
import {fitRegression} from './regression.ts';
import {decomposeSymmetric} from './symmetric.ts';

/** The 99th percentile of fewer would be a matter of a handful of rows. */
export const TRAINING_ROWS_MIN = 1000;
const REFERENCES = 256;
const AXES_MAX = 15;
/** No metric counts as steadier than this share of its span. */
const FINE_FLOOR = 0.01;
const COARSE_FLOOR = 0.1;
const RESIDUAL_FLOOR = 0.05;
const LEVEL_FLOOR = 1e-3;

export type AnomalyOptions = {
  /**
   * How wide each metric's natural range is, such as 1 for a ratio; deviations have a floor that is
   * a share of it. Undefined: from the least to the most in the rows.
   */
  readonly spans?: ArrayLike<number> | undefined;
};

/**
 * Learns what is usual from a host's own rows, or those of several of a kind one after another.
 *
 * Missing and infinite values are taken to be the last before. A metric without any value, and one
 * that never changes, is allowed: the first is never odd, the second when it changes.
 * Cost: about rows × columns × (7 × columns + references); 2 s for 24,000 rows of 38 metrics.
 *
 * @param values Rows × columns, in equal steps of time, oldest first.
 * @throws {ForestayError} `TRAINING_DATA_INVALID` for fewer than 1,000 rows with values.
 */
export function fitAnomalyModel(
  values: Float64Array,
  columns: readonly string[],
  options: AnomalyOptions = {},
): AnomalyModel {
  const width = columns.length;
  const rows = width === 0 ? new Float64Array() : fillGaps(values, width);
  const count = width === 0 ? 0 : rows.length / width;
  if (count < TRAINING_ROWS_MIN) {
    throw new ForestayError(
      'TRAINING_DATA_INVALID',
      `cannot learn what is usual from ${count} rows of ${width} metrics: ${TRAINING_ROWS_MIN} rows with values are needed; give more`,
      {details: {rows: count, rowsMin: TRAINING_ROWS_MIN, columns: width}},
    );
  }
  const scales = measureScales(rows, width, options.spans);
  const fine = standardise(rows, scales.means, scales.fineScales);
  const coarse = standardise(rows, scales.means, scales.coarseScales);
  const {weights, deviations} = fitRegression(fine, width, LAGS);
  const model: AnomalyModel = {
    columns,
    ...scales,
    regression: weights,
    residualScales: deviations.map(deviation => Math.max(deviation, RESIDUAL_FLOOR)),
    ...fitSubspace(coarse, width),
    references: new Float64Array(),
    usualLevels: new Float64Array(MEMBERS).fill(1),
  };
  const places = placeReferences(count);
  const complete = {...model, references: takeReferences(model, coarse, places)};
  return {...complete, usualLevels: measureLevels(complete, rows, places)};
}

/** Rows with any value, gaps filled with the value before; NaN before the first and where none. */
function fillGaps(values: Float64Array, width: number): Float64Array {
  const filled = new Float64Array(values.length);
  const last = new Float64Array(width).fill(Number.NaN);
  let end = 0;
  for (let from = 0; from + width <= values.length; from += width) {
    let any = false;
    for (let column = 0; column < width; column++) {
      const value = values[from + column] as number;
      if (!Number.isFinite(value)) continue;
      last[column] = value;
      any = true;
    }
    if (!any) continue;
    filled.set(last, end);
    end += width;
  }
  return filled.slice(0, end);
}

type Scales = Pick<AnomalyModel, 'means' | 'fineScales' | 'coarseScales'>;

function measureScales(rows: Float64Array, width: number, spans?: ArrayLike<number>): Scales {
  const means = new Float64Array(width);
  const fineScales = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
  const coarseScales = fineScales.slice();
  for (let column = 0; column < width; column++) {
    const {count, mean, deviation, least, most} = summarise(rows, width, column);
    if (count === 0) continue;
    const span = spans?.[column] ?? (most > least ? most - least : Math.max(Math.abs(mean), 1));
    means[column] = mean;
    fineScales[column] = Math.max(deviation, FINE_FLOOR * span);
    coarseScales[column] = Math.max(deviation, COARSE_FLOOR * span);
  }
  return {means, fineScales, coarseScales};
}

function summarise(rows: Float64Array, width: number, column: number) {
  let [count, sum, least, most] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let at = column; at < rows.length; at += width) {
    const value = rows[at] as number;
    if (value !== value) continue;
    count++;
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const mean = sum / count;
  let squares = 0;
  for (let at = column; at < rows.length; at += width) {
    const apart = (rows[at] as number) - mean;
    if (apart === apart) squares += apart * apart;
  }
  return {count, mean, deviation: Math.sqrt(squares / count), least, most};
}

/** Deviations from the mean, clipped; 0 before a metric's first value. */
function standardise(rows: Float64Array, means: Float64Array, scales: Float64Array): Float64Array {
  const width = means.length;
  return rows.map((value, at) => {
    const apart = (value - (means[at % width] as number)) / (scales[at % width] as number);
    return apart === apart ? Math.max(-VALUE_CLIP, Math.min(VALUE_CLIP, apart)) : 0;
  });
}

/** The stacked rows that end at `row`, newest first, before the first row the same again. */
function stackRows(coarse: Float64Array, width: number, row: number, into: Float64Array) {
  for (let lag = 0; lag < STACKED; lag++) {
    const from = Math.max(row - lag, 0) * width;
    for (let column = 0; column < width; column++) {
      into[lag * width + column] = coarse[from + column] as number;
    }
  }
}

/** Mean and principal axes of the stacked rows. */
function fitSubspace(coarse: Float64Array, width: number): Pick<AnomalyModel, 'centre' | 'axes'> {
  const size = STACKED * width;
  const count = coarse.length / width;
  const stacked = new Float64Array(size);
  const centre = new Float64Array(size);
  const products = new Float64Array(size * size);
  for (let row = 0; row < count; row++) {
    stackRows(coarse, width, row, stacked);
    for (let i = 0; i < size; i++) {
      const value = stacked[i] as number;
      centre[i] = (centre[i] as number) + value;
      if (value === 0) continue;
      const from = i * size;
      for (let j = i; j < size; j++) {
        products[from + j] = (products[from + j] as number) + value * (stacked[j] as number);
      }
    }
  }
  for (let i = 0; i < size; i++) centre[i] = (centre[i] as number) / count;
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      const covariance =
        (products[i * size + j] as number) / count - (centre[i] as number) * (centre[j] as number);
      products[i * size + j] = covariance;
      products[j * size + i] = covariance;
    }
  }
  // With few metrics fewer axes, so that there is something beside them.
  const axes = Math.min(AXES_MAX, width);
  return {centre, axes: decomposeSymmetric(products, size).vectors.slice(0, axes * size)};
}

/** Rows that are remembered: evenly spread over all, so that each time of day has its share. */
function placeReferences(count: number): Int32Array {
  return Int32Array.from(
    {length: REFERENCES},
    (_, index) => STACKED + Math.floor((index * (count - STACKED)) / REFERENCES),
  );
}

function takeReferences(
  model: Omit<AnomalyModel, 'references'>,
  coarse: Float64Array,
  places: Int32Array,
): Float64Array {
  const {centre, axes} = model;
  const size = centre.length;
  const width = axes.length / size + 1;
  const references = new Float64Array(places.length * width);
  const stacked = new Float64Array(size);
  for (const [index, row] of places.entries()) {
    stackRows(coarse, size / STACKED, row, stacked);
    let left = 0;
    for (let i = 0; i < size; i++) {
      stacked[i] = (stacked[i] as number) - (centre[i] as number);
      left += (stacked[i] as number) ** 2;
    }
    for (let axis = 0; axis < width - 1; axis++) {
      let sum = 0;
      for (let i = 0; i < size; i++) {
        sum += (stacked[i] as number) * (axes[axis * size + i] as number);
      }
      references[index * width + axis] = sum;
      left -= sum * sum;
    }
    references[index * width + width - 1] = Math.max(left, 0);
  }
  return references;
}

/** The members' 99th percentiles on the rows learned from; no row is compared with itself. */
function measureLevels(model: AnomalyModel, rows: Float64Array, places: Int32Array): Float64Array {
  const width = model.columns.length;
  const count = rows.length / width;
  const levels = Array.from({length: MEMBERS}, () => new Float64Array(count));
  const state = createAnomalyState(model);
  let away = 0;
  for (let row = 0; row < count; row++) {
    while (away < places.length && (places[away] as number) <= row - STACKED) away++;
    let awayEnd = away;
    while (awayEnd < places.length && (places[awayEnd] as number) < row + STACKED) awayEnd++;
    observeAway(model, state, rows.subarray(row * width, (row + 1) * width), away, awayEnd);
    for (let member = 0; member < MEMBERS; member++) {
      (levels[member] as Float64Array)[row] = state.levels[member] as number;
    }
  }
  return Float64Array.from(levels, of => Math.max(percentile99(of), LEVEL_FLOOR));
}

function percentile99(values: Float64Array): number {
  const sorted = values.sort();
  const place = 0.99 * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  return below + (place % 1) * ((sorted[Math.ceil(place)] as number) - below);
}
