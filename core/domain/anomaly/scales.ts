import {type AnomalyModel, VALUE_CLIP} from './host-model.ts';

/** No metric counts as steadier than this share of its span. */
const FINE_FLOOR = 0.01;
const COARSE_FLOOR = 0.1;

/** No metric goes beyond it: what does counts as missing, for sums of it would overflow. */
export const VALUE_MAX = 1e100;

/** Rows with any value, gaps filled with the value before; NaN before the first and where none. */
export function fillGaps(values: Float64Array, width: number): Float64Array {
  const filled = new Float64Array(values.length);
  const last = new Float64Array(width).fill(Number.NaN);
  let end = 0;
  for (let from = 0; from + width <= values.length; from += width) {
    let any = false;
    for (let column = 0; column < width; column++) {
      const value = values[from + column] as number;
      if (!(Math.abs(value) <= VALUE_MAX)) continue;
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

/** Mean and floored deviations of each metric; a span that is not given is from least to most. */
export function measureScales(
  rows: Float64Array,
  width: number,
  spans?: ArrayLike<number | undefined>,
): Scales {
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
export function standardise(
  rows: Float64Array,
  means: Float64Array,
  scales: Float64Array,
): Float64Array {
  const width = means.length;
  return rows.map((value, at) => {
    const apart = (value - (means[at % width] as number)) / (scales[at % width] as number);
    return apart === apart ? Math.max(-VALUE_CLIP, Math.min(VALUE_CLIP, apart)) : 0;
  });
}
