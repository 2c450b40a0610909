import {type AnomalyModel, STACKED} from './host-model.ts';
import {decomposeSymmetric} from './symmetric.ts';

const AXES_MAX = 15;

export type Subspace = Pick<AnomalyModel, 'centre' | 'axes'>;

/** The stacked rows that end at `row`, newest first, before the first of `before` the same again. */
function stackRows(
  coarse: Float64Array,
  width: number,
  row: number,
  before: number,
  into: Float64Array,
) {
  for (let lag = 0; lag < STACKED; lag++) {
    const from = (row - Math.min(lag, before)) * width;
    for (let column = 0; column < width; column++) {
      into[lag * width + column] = coarse[from + column] as number;
    }
  }
}

/**
 * Mean and principal axes of stacked rows.
 *
 * @param since Of each row, how many rows before it belong to it; undefined: all.
 */
export function fitSubspace(coarse: Float64Array, width: number, since?: Int32Array): Subspace {
  const size = STACKED * width;
  const count = coarse.length / width;
  const stacked = new Float64Array(size);
  const centre = new Float64Array(size);
  const products = new Float64Array(size * size);
  for (let row = 0; row < count; row++) {
    stackRows(coarse, width, row, since?.[row] ?? row, stacked);
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

/**
 * Writes the coordinates of stacked rows on the axes; gives the square of what is left beside them.
 *
 * @param centred Written too: the stacked rows without their mean.
 */
export function project(
  {centre, axes}: Subspace,
  stacked: Float64Array,
  centred: Float64Array,
  coordinates: Float64Array,
): number {
  const size = centre.length;
  let left = 0;
  for (let i = 0; i < size; i++) {
    const value = (stacked[i] as number) - (centre[i] as number);
    centred[i] = value;
    left += value * value;
  }
  for (let axis = 0; axis < coordinates.length; axis++) {
    const from = axis * size;
    let sum = 0;
    for (let i = 0; i < size; i++) sum += (axes[from + i] as number) * (centred[i] as number);
    coordinates[axis] = sum;
    left -= sum * sum;
  }
  return Math.max(left, 0);
}

/** Of each of some rows: its coordinates, and the square of what it has beside the axes. */
export function placeRows(
  subspace: Subspace,
  coarse: Float64Array,
  rows: Int32Array,
  since?: Int32Array,
): Float64Array {
  const size = subspace.centre.length;
  const axes = subspace.axes.length / size;
  const places = new Float64Array(rows.length * (axes + 1));
  const stacked = new Float64Array(size);
  const centred = new Float64Array(size);
  for (const [index, row] of rows.entries()) {
    stackRows(coarse, size / STACKED, row, since?.[row] ?? row, stacked);
    const place = places.subarray(index * (axes + 1), (index + 1) * (axes + 1));
    place[axes] = project(subspace, stacked, centred, place.subarray(0, axes));
  }
  return places;
}
