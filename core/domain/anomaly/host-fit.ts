import {ForestayError} from '../errors.ts';
import {type AnomalyModel, LAGS, MEMBERS, STACKED} from './host-model.ts';
import {createAnomalyState, observeAway} from './host-score.ts';
import {fitRegression} from './regression.ts';
import {fillGaps, measureScales, standardise} from './scales.ts';
import {fitSubspace, placeRows} from './subspace.ts';

/** The 99th percentile of fewer would be a matter of a handful of rows. */
export const TRAINING_ROWS_MIN = 1000;
const REFERENCES = 256;
const RESIDUAL_FLOOR = 0.05;
const LEVEL_FLOOR = 1e-3;

export type AnomalyOptions = {
  /**
   * How wide each metric's natural range is, such as 1 for a ratio; deviations have a floor that is
   * a share of it. Undefined, of all or of one: from the least to the most in the rows.
   */
  readonly spans?: ArrayLike<number | undefined> | undefined;
  /**
   * Rows at which another host begins, or the same one after a break, ascending: none before it is
   * looked back at from there. Every row has a value then.
   */
  readonly starts?: readonly number[] | undefined;
};

/**
 * Learns what is usual from a host's own rows, or those of several of a kind one after another.
 *
 * Missing and infinite values, and those beyond 1e100, are taken to be the last before. A metric without any value, and one
 * that never changes, is allowed: the first is never odd, the second when it changes.
 * Cost: about rows × columns × (7 × columns + references); 0.6 s for 24,000 rows of 38 metrics.
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
  const since = options.starts && countSince(count, options.starts);
  const {weights, deviations} = fitRegression(fine, width, LAGS, since);
  const subspace = fitSubspace(coarse, width, since);
  const places = chooseReferences(count);
  const model: AnomalyModel = {
    columns,
    ...scales,
    regression: weights,
    residualScales: deviations.map(deviation => Math.max(deviation, RESIDUAL_FLOOR)),
    ...subspace,
    references: placeRows(subspace, coarse, places, since),
    usualLevels: new Float64Array(MEMBERS).fill(1),
  };
  return {...model, usualLevels: measureLevels(model, rows, places, since)};
}

/** Rows that are remembered: evenly spread over all, so that each time of day has its share. */
function chooseReferences(count: number): Int32Array {
  return Int32Array.from(
    {length: REFERENCES},
    (_, index) => STACKED + Math.floor((index * (count - STACKED)) / REFERENCES),
  );
}

function countSince(count: number, starts: readonly number[]): Int32Array {
  const since = Int32Array.from({length: count}, (_, row) => row);
  for (const [index, start] of starts.entries()) {
    const end = starts[index + 1] ?? count;
    for (let row = start; row < end; row++) since[row] = row - start;
  }
  return since;
}

/** The members' 99th percentiles on the rows learned from; no row is compared with itself. */
function measureLevels(
  model: AnomalyModel,
  rows: Float64Array,
  places: Int32Array,
  since: Int32Array | undefined,
): Float64Array {
  const width = model.columns.length;
  const count = rows.length / width;
  const levels = Array.from({length: MEMBERS}, () => new Float64Array(count));
  let state = createAnomalyState(model);
  let away = 0;
  for (let row = 0; row < count; row++) {
    if (since?.[row] === 0) state = createAnomalyState(model);
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
