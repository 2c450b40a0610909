/** Eigenvectors of a symmetric matrix, row-major. */

/** More sweeps than any matrix needs: convergence is quadratic, about ten are usual. */
const SWEEPS_MAX = 60;

export type Eigen = {
  /** Falling. */
  readonly values: Float64Array;
  /** One eigenvector a row, in the order of `values`; of length 1 and orthogonal. */
  readonly vectors: Float64Array;
};

/**
 * All eigenvalues and eigenvectors, by cyclic Jacobi rotations; only sums, products and square
 * roots, so that equal input gives equal bits. Cost: about 40 × size³ operations.
 *
 * @param matrix Symmetric, size × size; not changed.
 * @see G. H. Golub, C. F. Van Loan, "Matrix Computations", section 8.5.
 */
export function decomposeSymmetric(matrix: Float64Array, size: number): Eigen {
  const work = matrix.slice();
  const rows = new Float64Array(size * size);
  for (let i = 0; i < size; i++) rows[i * size + i] = 1;
  let total = 0;
  for (const value of work) total += value * value;
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    if (offDiagonal(work, size) <= total * 1e-26) break;
    for (let p = 0; p < size - 1; p++) {
      for (let q = p + 1; q < size; q++) rotate(work, rows, size, p, q);
    }
  }
  return sortEigen(work, rows, size);
}

function offDiagonal(matrix: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) {
    for (let j = i + 1; j < size; j++) sum += (matrix[i * size + j] as number) ** 2;
  }
  return sum;
}

/** Turns axes p and q so that the matrix has a zero at (p, q). */
function rotate(matrix: Float64Array, rows: Float64Array, size: number, p: number, q: number) {
  const coupling = matrix[p * size + q] as number;
  if (coupling === 0) return;
  const ratio =
    ((matrix[q * size + q] as number) - (matrix[p * size + p] as number)) / (2 * coupling);
  const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.sqrt(ratio * ratio + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  for (let k = 0; k < size; k++) turn(matrix, k * size + p, k * size + q, cosine, sine);
  for (let k = 0; k < size; k++) turn(matrix, p * size + k, q * size + k, cosine, sine);
  for (let k = 0; k < size; k++) turn(rows, p * size + k, q * size + k, cosine, sine);
}

function turn(values: Float64Array, one: number, two: number, cosine: number, sine: number) {
  const first = values[one] as number;
  const second = values[two] as number;
  values[one] = cosine * first - sine * second;
  values[two] = sine * first + cosine * second;
}

function sortEigen(work: Float64Array, rows: Float64Array, size: number): Eigen {
  const found = Float64Array.from({length: size}, (_, i) => work[i * size + i] as number);
  const order = Array.from(found.keys()).sort(
    (a, b) => (found[b] as number) - (found[a] as number) || a - b,
  );
  const vectors = new Float64Array(size * size);
  for (const [place, row] of order.entries()) {
    vectors.set(rows.subarray(row * size, (row + 1) * size), place * size);
  }
  return {values: Float64Array.from(order, row => found[row] as number), vectors};
}
