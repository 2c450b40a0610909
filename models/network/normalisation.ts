import {quantile} from '../metrics.ts';

/** Normalised values stay within ± this. */
const CLIP = 10;
/** Quartiles of a normal distribution are this far apart, in standard deviations. */
const QUARTILES_APART = 1.349;
/** Enough rows to know a quartile to half a percent of its rank. */
const ROWS_MAX = 100_000;

/** How raw features become inputs of a network. */
export type Normalisation = {
  /** Subtracted from each feature: what is usual. */
  readonly centre: Float32Array;
  /** Divides what is left; positive. */
  readonly scale: Float32Array;
  /**
   * Bounds of what is left: ± 10, and no further than what was learned from. A network knows
   * nothing beyond; a stream on a host that has been up for longer than any it had seen would go
   * astray within days, and of a feature that never changed it has random weights.
   */
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
  /** Features with an input of their own, after all others, that is 1 where they are missing. */
  readonly twins: readonly number[];
};

/** Inputs a row: every feature, then the twins. */
export function inputsOf({centre, twins}: Normalisation): number {
  return centre.length + twins.length;
}

/**
 * Centre = median, scale = distance of the quartiles in standard deviations; where the quartiles
 * coincide, as of a counter that is mostly 0, the standard deviation; of a constant column 1.
 * Learned from at most 100,000 rows, evenly chosen. A feature that is never missing has no twin;
 * one that always is has centre 0. About 5 ms a feature.
 *
 * @param features rows × columns; NaN is missing, infinities are not learned from.
 */
export function fitNormalisation(features: Float32Array, columns: number): Normalisation {
  const rows = features.length / columns;
  const stride = Math.max(1, Math.ceil(rows / ROWS_MAX));
  const centre = new Float32Array(columns);
  const scale = new Float32Array(columns).fill(1);
  const lowest = new Float32Array(columns);
  const highest = new Float32Array(columns);
  const twins: number[] = [];
  for (let column = 0; column < columns; column++) {
    if (isEverMissing(features, columns, column)) twins.push(column);
    const values = new Float32Array(Math.ceil(rows / stride));
    let count = 0;
    for (let row = 0; row < rows; row += stride) {
      const value = features[row * columns + column] as number;
      if (Number.isFinite(value)) values[count++] = value;
    }
    const sorted = values.subarray(0, count).sort();
    centre[column] = quantile(sorted, 0.5) ?? 0;
    scale[column] = spreadOf(sorted);
    const bounded = (value: number | undefined) =>
      clip(normalise(value ?? 0, centre, scale, column), -CLIP, CLIP);
    lowest[column] = bounded(sorted[0]);
    highest[column] = bounded(sorted.at(-1));
  }
  return {centre, scale, lowest, highest, twins};
}

/** Leaves features as they are, but for ± 10. */
export function plainNormalisation(columns: number): Normalisation {
  return {
    centre: new Float32Array(columns),
    scale: new Float32Array(columns).fill(1),
    lowest: new Float32Array(columns).fill(-CLIP),
    highest: new Float32Array(columns).fill(CLIP),
    twins: [],
  };
}

/** As float32 has it. */
function normalise(
  value: number,
  centre: Float32Array,
  scale: Float32Array,
  column: number,
): number {
  return Math.fround(Math.fround(value - (centre[column] as number)) / (scale[column] as number));
}

function clip(value: number, lowest: number, highest: number): number {
  return Math.min(highest, Math.max(lowest, value));
}

function isEverMissing(features: Float32Array, columns: number, column: number): boolean {
  for (let at = column; at < features.length; at += columns) {
    if (Number.isNaN(features[at])) return true;
  }
  return false;
}

function spreadOf(sorted: Float32Array): number {
  const apart = Number(quantile(sorted, 0.75)) - Number(quantile(sorted, 0.25));
  if (apart > 0) return apart / QUARTILES_APART;
  let [sum, squares] = [0, 0];
  for (const value of sorted) sum += value;
  const mean = sum / sorted.length;
  for (const value of sorted) squares += (value - mean) ** 2;
  const deviation = Math.fround(Math.sqrt(squares / sorted.length));
  return deviation > 0 ? deviation : 1;
}

/**
 * Inputs rows × inputs of raw features rows × columns, bit by bit as the served graph computes
 * them: (x − centre) / scale within its bounds, missing → 0, then the twins.
 */
export function normaliseRows(features: Float32Array, normalisation: Normalisation): Float32Array {
  const {centre, scale, lowest, highest, twins} = normalisation;
  const columns = centre.length;
  const width = inputsOf(normalisation);
  const rows = features.length / columns;
  const inputs = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const [from, to] = [row * columns, row * width];
    for (let column = 0; column < columns; column++) {
      const value = features[from + column] as number;
      if (Number.isNaN(value)) continue;
      const moved = normalise(value, centre, scale, column);
      inputs[to + column] = clip(moved, lowest[column] as number, highest[column] as number);
    }
    for (const [at, column] of twins.entries()) {
      inputs[to + columns + at] = Number.isNaN(features[from + column]) ? 1 : 0;
    }
  }
  return inputs;
}
