/**
 * Logistic regression with a Gaussian prior.
 *
 * The log posterior is share × Σ weight · (y·z − log(1 + e^z)) − ½ (w − m)ᵀ P (w − m), z = wᵀx:
 * concave, with one maximum when the prior's precision P is positive definite.
 *
 * @see C. M. Bishop, "Pattern Recognition and Machine Learning", 2006, §4.3.3 and §4.5.1.
 */

/** Rows whose outcome is known. */
export type LabelledRows = {
  readonly rows: number;
  /** Rows × width; finite. */
  readonly inputs: Float64Array;
  /** Row: 1 or 0. */
  readonly labels: Uint8Array;
  /** How much each of the rows counts; 1 if absent. */
  readonly weight?: number;
};

export type Gaussian = {
  readonly mean: Float64Array;
  /** Width × width, symmetric, positive definite. */
  readonly precision: Float64Array;
};

export type ClimbOptions = {
  /** Of the likelihood that counts; below 1 when rows are not independent. */
  readonly share?: number;
  readonly steps?: number;
  /** Stops when a step gains less than this share of the log posterior. */
  readonly tolerance?: number;
};

const SMALLEST_STEP = 1e-6;

/** The log posterior at these weights but for a constant. */
export function logPosterior(
  weights: Float64Array,
  batches: readonly LabelledRows[],
  prior: Gaussian,
  share = 1,
): number {
  const width = weights.length;
  let sum = 0;
  for (const {rows, inputs, labels, weight = 1} of batches) {
    let likelihood = 0;
    for (let row = 0; row < rows; row++) {
      const z = logOdds(weights, inputs, row * width);
      likelihood +=
        (labels[row] as number) * z - Math.max(z, 0) - Math.log1p(Math.exp(-Math.abs(z)));
    }
    sum += share * weight * likelihood;
  }
  const pull = multiply(prior.precision, subtract(weights, prior.mean));
  for (let i = 0; i < width; i++) {
    sum -= 0.5 * (pull[i] as number) * ((weights[i] as number) - (prior.mean[i] as number));
  }
  return sum;
}

/** Its gradient, and the negative of its Hessian (width × width). O(rows × width²). */
export function slopeAndCurvature(
  weights: Float64Array,
  batches: readonly LabelledRows[],
  prior: Gaussian,
  share = 1,
): {slope: Float64Array; curvature: Float64Array} {
  const width = weights.length;
  const slope = new Float64Array(width);
  const curvature = new Float64Array(width * width);
  for (const batch of batches) addLikelihood(weights, batch, share, slope, curvature);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < i; j++) curvature[j * width + i] = curvature[i * width + j] as number;
  }
  const pull = multiply(prior.precision, subtract(weights, prior.mean));
  for (let i = 0; i < width; i++) slope[i] = (slope[i] as number) - (pull[i] as number);
  for (let cell = 0; cell < curvature.length; cell++) {
    curvature[cell] = (curvature[cell] as number) + (prior.precision[cell] as number);
  }
  return {slope, curvature};
}

/**
 * Climbs from `start` by Newton steps, each halved until it does not lead down.
 *
 * @returns The weights; after enough steps those of the one maximum.
 */
export function climbPosterior(
  start: Float64Array,
  batches: readonly LabelledRows[],
  prior: Gaussian,
  {share = 1, steps = 25, tolerance = 1e-9}: ClimbOptions = {},
): Float64Array {
  let weights = start;
  let value = logPosterior(weights, batches, prior, share);
  for (let step = 0; step < steps; step++) {
    const {slope, curvature} = slopeAndCurvature(weights, batches, prior, share);
    const move = solveSymmetric(curvature, slope);
    let next = weights;
    let nextValue = Number.NEGATIVE_INFINITY;
    for (let size = 1; size > SMALLEST_STEP && !(nextValue >= value); size /= 2) {
      next = weights.map((weight, i) => weight + size * (move[i] as number));
      nextValue = logPosterior(next, batches, prior, share);
    }
    if (!(nextValue >= value)) break;
    const gain = nextValue - value;
    [weights, value] = [next, nextValue];
    if (gain <= tolerance * Math.max(1, Math.abs(value))) break;
  }
  return weights;
}

/** x of A x = b, A symmetric and positive definite, by Cholesky's decomposition. O(width³). */
export function solveSymmetric(matrix: Float64Array, right: Float64Array): Float64Array {
  const width = right.length;
  const lower = decompose(matrix, width);
  const x = right.slice();
  for (let i = 0; i < width; i++) {
    let sum = x[i] as number;
    for (let k = 0; k < i; k++) sum -= (lower[i * width + k] as number) * (x[k] as number);
    x[i] = sum / (lower[i * width + i] as number);
  }
  for (let i = width - 1; i >= 0; i--) {
    let sum = x[i] as number;
    for (let k = i + 1; k < width; k++) sum -= (lower[k * width + i] as number) * (x[k] as number);
    x[i] = sum / (lower[i * width + i] as number);
  }
  return x;
}

/** Matrix (width × width) times vector. */
export function multiply(matrix: Float64Array, vector: Float64Array): Float64Array {
  const width = vector.length;
  return Float64Array.from({length: width}, (_, i) => logOdds(vector, matrix, i * width));
}

/** A matrix with these values on its diagonal and 0 elsewhere. */
export function diagonal(values: Float64Array): Float64Array {
  const matrix = new Float64Array(values.length ** 2);
  for (const [i, value] of values.entries()) matrix[i * (values.length + 1)] = value;
  return matrix;
}

/** wᵀx of the row that begins at `base`. */
export function logOdds(weights: Float64Array, inputs: Float64Array, base: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += (weights[i] as number) * (inputs[base + i] as number);
  }
  return sum;
}

export function toProbability(z: number): number {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

/** Adds a batch's part to the slope and to the lower triangle of the curvature. */
function addLikelihood(
  weights: Float64Array,
  {rows, inputs, labels, weight = 1}: LabelledRows,
  share: number,
  slope: Float64Array,
  curvature: Float64Array,
): void {
  const width = weights.length;
  for (let row = 0; row < rows; row++) {
    const base = row * width;
    const probability = toProbability(logOdds(weights, inputs, base));
    const residual = share * weight * ((labels[row] as number) - probability);
    const bend = share * weight * probability * (1 - probability);
    for (let i = 0; i < width; i++) {
      const input = inputs[base + i] as number;
      slope[i] = (slope[i] as number) + residual * input;
      const scaled = bend * input;
      const line = i * width;
      for (let j = 0; j <= i; j++) {
        curvature[line + j] =
          (curvature[line + j] as number) + scaled * (inputs[base + j] as number);
      }
    }
  }
}

function decompose(matrix: Float64Array, width: number): Float64Array {
  const lower = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * width + j] as number;
      for (let k = 0; k < j; k++) {
        sum -= (lower[i * width + k] as number) * (lower[j * width + k] as number);
      }
      // NaN when the matrix is not positive definite: a step that is not a number is not taken.
      lower[i * width + j] = i === j ? Math.sqrt(sum) : sum / (lower[j * width + j] as number);
    }
  }
  return lower;
}

function subtract(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - (b[i] as number));
}
