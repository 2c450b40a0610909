import {ForestayError} from '../../core/domain/errors.ts';

/** Calibrated logits of each class = scale × logit + offset, before softmax. */
export type Calibration = {readonly scale: Float32Array; readonly offset: Float32Array};

export type CalibrationKind = 'temperature' | 'vector';

const ROUNDS_MAX = 100;
/** Pulls scales to 1 and offsets to 0 as this many rows would, so that rare classes stay sane. */
const PRIOR_ROWS = 10;

/** Leaves logits as they are. */
export function identityCalibration(classes: number): Calibration {
  return {scale: new Float32Array(classes).fill(1), offset: new Float32Array(classes)};
}

/**
 * Fits a calibration to logits of rows that the network has not learned from, a later slice:
 * maximum likelihood with a weak Gaussian prior at no change, by Newton's method with halved
 * steps. `temperature` is one scale for all classes, which keeps the order of risks; `vector` has
 * a scale and an offset for each, for a thousand events or more.
 *
 * @param logits rows × classes; rows with a NaN or of weight 0 are left out.
 * @param targets rows × classes, probabilities.
 * @throws {ForestayError} `TRAINING_DATA_INVALID` if no row is left.
 * @see C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
 *   ICML 2017.
 */
export function fitCalibration(
  kind: CalibrationKind,
  classes: number,
  logits: Float32Array,
  targets: Float32Array,
  weights: Float32Array,
): Calibration {
  const rows = usableRows(classes, logits, weights);
  if (rows.length === 0) {
    throw new ForestayError(
      'TRAINING_DATA_INVALID',
      `cannot calibrate: none of ${weights.length} rows has logits and a weight; give a later slice`,
    );
  }
  const problem: Problem = {classes, logits, targets, weights, rows};
  let current = Float64Array.from({length: 2 * classes}, (_, at) => Number(at < classes));
  let loss = lossOf(problem, current);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const step = newtonStep(kind, problem, current);
    let next = current;
    let nextLoss = loss;
    for (let size = 1; size > 1e-10; size /= 2) {
      next = current.map((value, at) => value - size * (step[at] as number));
      nextLoss = lossOf(problem, next);
      if (nextLoss <= loss) break;
    }
    const hasSettled = loss - nextLoss < 1e-10 * Math.max(1, loss);
    if (nextLoss <= loss) [current, loss] = [next, nextLoss];
    if (hasSettled) break;
  }
  return {
    scale: Float32Array.from(current.subarray(0, classes)),
    offset: Float32Array.from(current.subarray(classes)),
  };
}

/** Probabilities rows × classes of logits, as the served graph computes them. */
export function calibratedProbabilities(
  logits: Float32Array,
  calibration: Calibration,
): Float32Array {
  const {scale, offset} = calibration;
  const classes = scale.length;
  const probabilities = new Float32Array(logits.length);
  const moved = new Float64Array(classes);
  for (let from = 0; from < logits.length; from += classes) {
    for (let index = 0; index < classes; index++) {
      moved[index] =
        (scale[index] as number) * (logits[from + index] as number) + (offset[index] as number);
    }
    const normaliser = logSum(moved);
    for (let index = 0; index < classes; index++) {
      probabilities[from + index] = Math.exp((moved[index] as number) - normaliser);
    }
  }
  return probabilities;
}

/** Parameters are the scales of all classes, then their offsets. */
type Problem = {
  classes: number;
  logits: Float32Array;
  targets: Float32Array;
  weights: Float32Array;
  rows: Uint32Array;
};

function usableRows(classes: number, logits: Float32Array, weights: Float32Array): Uint32Array {
  const rows: number[] = [];
  for (const [row, weight] of weights.entries()) {
    const told = logits.subarray(row * classes, (row + 1) * classes);
    if (weight > 0 && told.every(Number.isFinite)) rows.push(row);
  }
  return Uint32Array.from(rows);
}

function moveLogits(
  {classes, logits}: Problem,
  row: number,
  parameters: Float64Array,
  to: Float64Array,
): void {
  for (let index = 0; index < classes; index++) {
    const logit = logits[row * classes + index] as number;
    to[index] = (parameters[index] as number) * logit + (parameters[classes + index] as number);
  }
}

function logSum(logits: Float64Array): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) highest = Math.max(highest, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - highest);
  return highest + Math.log(sum);
}

function lossOf(problem: Problem, parameters: Float64Array): number {
  const {classes, targets, weights, rows} = problem;
  const moved = new Float64Array(classes);
  let loss = 0;
  for (const row of rows) {
    moveLogits(problem, row, parameters, moved);
    const normaliser = logSum(moved);
    for (let index = 0; index < classes; index++) {
      const share = (weights[row] as number) * (targets[row * classes + index] as number);
      if (share > 0) loss += share * (normaliser - (moved[index] as number));
    }
  }
  for (const [at, value] of parameters.entries()) {
    loss += (PRIOR_ROWS / 2) * (value - Number(at < classes)) ** 2;
  }
  return loss;
}

/** Inverse Hessian times gradient; of a temperature, among steps that are equal for all scales. */
function newtonStep(
  kind: CalibrationKind,
  problem: Problem,
  parameters: Float64Array,
): Float64Array {
  const {classes} = problem;
  const {gradient, hessian} = curvature(problem, parameters);
  if (kind === 'vector') return solve(hessian, gradient);
  let [slope, curve] = [0, 0];
  for (let a = 0; a < classes; a++) {
    slope += gradient[a] as number;
    for (let b = 0; b < classes; b++) curve += hessian[a]?.[b] as number;
  }
  return parameters.map((_, at) => (at < classes ? slope / curve : 0));
}

/** The prior keeps the Hessian positive definite. */
function curvature(
  problem: Problem,
  parameters: Float64Array,
): {gradient: Float64Array; hessian: Float64Array[]} {
  const {classes, logits, targets, weights, rows} = problem;
  const gradient = parameters.map((value, at) => PRIOR_ROWS * (value - Number(at < classes)));
  const hessian = Array.from({length: 2 * classes}, (_, at) => {
    const line = new Float64Array(2 * classes);
    line[at] = PRIOR_ROWS;
    return line;
  });
  const risks = new Float64Array(classes);
  for (const row of rows) {
    const told = logits.subarray(row * classes, (row + 1) * classes);
    moveLogits(problem, row, parameters, risks);
    const normaliser = logSum(risks);
    for (let a = 0; a < classes; a++) risks[a] = Math.exp((risks[a] as number) - normaliser);
    const weight = weights[row] as number;
    for (let a = 0; a < classes; a++) {
      const logit = told[a] as number;
      const risk = risks[a] as number;
      const error = weight * (risk - (targets[row * classes + a] as number));
      gradient[a] = (gradient[a] as number) + error * logit;
      gradient[classes + a] = (gradient[classes + a] as number) + error;
      const [byScale, byOffset] = [hessian[a], hessian[classes + a]] as [
        Float64Array,
        Float64Array,
      ];
      for (let b = 0; b < classes; b++) {
        const curve = weight * risk * (Number(a === b) - (risks[b] as number));
        const other = told[b] as number;
        byScale[b] = (byScale[b] as number) + curve * logit * other;
        byScale[classes + b] = (byScale[classes + b] as number) + curve * logit;
        byOffset[b] = (byOffset[b] as number) + curve * other;
        byOffset[classes + b] = (byOffset[classes + b] as number) + curve;
      }
    }
  }
  return {gradient, hessian};
}

/** Gaussian elimination of a positive definite system: no pivot is needed. */
function solve(matrix: Float64Array[], right: Float64Array): Float64Array {
  const size = right.length;
  for (let column = 0; column < size; column++) {
    const pivot = matrix[column] as Float64Array;
    for (let row = column + 1; row < size; row++) {
      const line = matrix[row] as Float64Array;
      const factor = (line[column] as number) / (pivot[column] as number);
      if (factor === 0) continue;
      for (let at = column; at < size; at++) {
        line[at] = (line[at] as number) - factor * (pivot[at] as number);
      }
      right[row] = (right[row] as number) - factor * (right[column] as number);
    }
  }
  const solution = new Float64Array(size);
  for (let row = size - 1; row >= 0; row--) {
    let rest = right[row] as number;
    for (let at = row + 1; at < size; at++) {
      rest -= (matrix[row]?.[at] as number) * (solution[at] as number);
    }
    solution[row] = rest / (matrix[row]?.[row] as number);
  }
  return solution;
}
