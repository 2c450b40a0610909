import {decomposeSymmetric} from './symmetric.ts';

/** Holds weights down: as if there were this many more rows in which nothing follows. */
const RIDGE = 1000;

export type Regression = {
  /** columns × (lags × columns + 1): of the rows before, newest first, and the constant. */
  readonly weights: Float64Array;
  /** Standard deviation of what is left of each column. */
  readonly deviations: Float64Array;
};

/**
 * Vector autoregression: each column from all columns of the rows before, by ridge regression.
 *
 * @param rows Standardised rows × columns.
 * @param since Of each row, how many rows before it belong to it; those with fewer than `lags` are
 *   only looked back at. Undefined: all before it.
 * @see H. Lütkepohl, "New Introduction to Multiple Time Series Analysis", 2005, chapter 3.
 */
export function fitRegression(
  rows: Float64Array,
  columns: number,
  lags: number,
  since?: Int32Array,
): Regression {
  const width = lags * columns + 1;
  const squares = new Float64Array(width * width);
  const products = new Float64Array(width * columns);
  const before = new Float64Array(width);
  before[width - 1] = 1;
  const count = rows.length / columns;
  for (let row = lags; row < count; row++) {
    if (since !== undefined && (since[row] as number) < lags) continue;
    takeBefore(rows, columns, lags, row, before);
    for (let i = 0; i < width; i++) {
      const value = before[i] as number;
      if (value === 0) continue;
      for (let j = i; j < width; j++) {
        squares[i * width + j] = (squares[i * width + j] as number) + value * (before[j] as number);
      }
      for (let column = 0; column < columns; column++) {
        const at = i * columns + column;
        products[at] = (products[at] as number) + value * (rows[row * columns + column] as number);
      }
    }
  }
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < i; j++) squares[i * width + j] = squares[j * width + i] as number;
  }
  const weights = solveRidge(squares, products, width, columns);
  return {weights, deviations: measureResiduals(rows, columns, lags, weights, since)};
}

function takeBefore(
  rows: Float64Array,
  columns: number,
  lags: number,
  row: number,
  before: Float64Array,
) {
  for (let lag = 0; lag < lags; lag++) {
    const from = (row - lag - 1) * columns;
    for (let i = 0; i < columns; i++) before[lag * columns + i] = rows[from + i] as number;
  }
}

/** (squares + ridge)⁻¹ × products, transposed, through the eigenvectors of the squares. */
function solveRidge(
  squares: Float64Array,
  products: Float64Array,
  width: number,
  columns: number,
): Float64Array {
  const {values, vectors} = decomposeSymmetric(squares, width);
  const weights = new Float64Array(columns * width);
  for (let axis = 0; axis < width; axis++) {
    const along = vectors.subarray(axis * width, (axis + 1) * width);
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let i = 0; i < width; i++) {
        sum += (along[i] as number) * (products[i * columns + column] as number);
      }
      sum /= (values[axis] as number) + RIDGE;
      for (let i = 0; i < width; i++) {
        const at = column * width + i;
        weights[at] = (weights[at] as number) + sum * (along[i] as number);
      }
    }
  }
  return weights;
}

function measureResiduals(
  rows: Float64Array,
  columns: number,
  lags: number,
  weights: Float64Array,
  since: Int32Array | undefined,
): Float64Array {
  const width = lags * columns + 1;
  const before = new Float64Array(width);
  before[width - 1] = 1;
  const sums = new Float64Array(columns);
  const squares = new Float64Array(columns);
  const count = rows.length / columns;
  let used = 0;
  for (let row = lags; row < count; row++) {
    if (since !== undefined && (since[row] as number) < lags) continue;
    used++;
    takeBefore(rows, columns, lags, row, before);
    for (let column = 0; column < columns; column++) {
      let residual = rows[row * columns + column] as number;
      for (let i = 0; i < width; i++) {
        residual -= (weights[column * width + i] as number) * (before[i] as number);
      }
      sums[column] = (sums[column] as number) + residual;
      squares[column] = (squares[column] as number) + residual * residual;
    }
  }
  return squares.map((square, column) =>
    Math.sqrt(Math.max(square / used - ((sums[column] as number) / used) ** 2, 0)),
  );
}
