import {sigmoid} from './trees/forest.ts';

/** Calibrated log-odds = slope × margin + offset. */
export type Platt = {slope: number; offset: number};

/**
 * Fits a calibrated risk to margins of rows that the forest has not learned from: maximum
 * likelihood with softened targets, by Newton's method with halved steps. With no positive or no
 * negative row there is nothing to fit, and the margins are left as they are.
 *
 * @see J. Platt, "Probabilistic outputs for support vector machines", 1999; H.-T. Lin, C.-J. Lin,
 *   R. C. Weng, "A note on Platt's probabilistic outputs", Machine Learning 68(3), 2007.
 */
export function fitPlatt(margins: Float64Array, labels: Uint8Array): Platt {
  let positives = 0;
  for (const label of labels) positives += label;
  const negatives = labels.length - positives;
  if (positives === 0 || negatives === 0) return {slope: 1, offset: 0};
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (negatives + 2);
  const targets = Float64Array.from(labels, label => (label === 1 ? high : low));
  let current: Platt = {slope: 1, offset: 0};
  let loss = lossOf(current, margins, targets);
  for (let round = 0; round < 100; round++) {
    const step = newtonStep(current, margins, targets);
    let size = 1;
    let next = current;
    let nextLoss = loss;
    for (; size > 1e-10; size /= 2) {
      next = {
        slope: current.slope - size * step.slope,
        offset: current.offset - size * step.offset,
      };
      nextLoss = lossOf(next, margins, targets);
      if (nextLoss <= loss) break;
    }
    const settled = loss - nextLoss < 1e-12 * Math.max(1, loss);
    if (nextLoss <= loss) [current, loss] = [next, nextLoss];
    if (settled) break;
  }
  return {slope: Math.fround(current.slope), offset: Math.fround(current.offset)};
}

function lossOf(platt: Platt, margins: Float64Array, targets: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < margins.length; row++) {
    const margin = platt.slope * (margins[row] as number) + platt.offset;
    const target = targets[row] as number;
    sum += Math.max(margin, 0) - target * margin + Math.log1p(Math.exp(-Math.abs(margin)));
  }
  return sum;
}

/** Inverse Hessian times gradient, with a ridge that keeps it invertible. */
function newtonStep(platt: Platt, margins: Float64Array, targets: Float64Array): Platt {
  let slopeSlope = 1e-12;
  let slopeOffset = 0;
  let offsetOffset = 1e-12;
  let slopeGradient = 0;
  let offsetGradient = 0;
  for (let row = 0; row < margins.length; row++) {
    const margin = margins[row] as number;
    const risk = sigmoid(platt.slope * margin + platt.offset);
    const error = risk - (targets[row] as number);
    const weight = risk * (1 - risk);
    slopeGradient += error * margin;
    offsetGradient += error;
    slopeSlope += weight * margin * margin;
    slopeOffset += weight * margin;
    offsetOffset += weight;
  }
  const determinant = slopeSlope * offsetOffset - slopeOffset * slopeOffset;
  return {
    slope: (offsetOffset * slopeGradient - slopeOffset * offsetGradient) / determinant,
    offset: (slopeSlope * offsetGradient - slopeOffset * slopeGradient) / determinant,
  };
}
