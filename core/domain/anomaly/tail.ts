/**
 * How rare a magnitude is among a stream's own past ones: the far tail is a generalised Pareto
 * distribution fitted to the latest peaks over a threshold that adapts, so that a rate of false
 * alarms is a setting and no guess about the distribution is needed.
 *
 * T1. The threshold is passed by {@link TAIL_SHARE} of all magnitudes in the long run, whatever
 *     their distribution: each passing raises it a little, each other magnitude lowers it less.
 * T2. Peaks are kept relative to the threshold of their time, so that a change of scale does not
 *     make the kept ones worthless.
 * T3. A peak is kept as no more than a few times what is passed once in 100,000 magnitudes: no
 *     single value moves the fit without bound, yet a stream whose tail became heavier is followed.
 * T4. Where more than all but {@link TAIL_SHARE} of the magnitudes are next to nothing, the share
 *     that passes is counted instead.
 * T5. The state is {@link TAIL_NUMBERS} numbers; nothing else is remembered.
 *
 * @see A. Siffer et al., "Anomaly Detection in Streams with Extreme Value Theory", KDD 2017;
 *   J. R. M. Hosking, J. R. Wallis, "Parameter and Quantile Estimation for the Generalized Pareto
 *   Distribution", Technometrics 29(3), 1987: the probability-weighted moments.
 */

/** Share of magnitudes beyond the threshold. */
export const TAIL_SHARE = 0.02;

const PEAKS_MAX = 64;
const PEAKS_PER_FIT = 8;
/** Fits that shape and scale are the mean of; 64 peaks alone are too few for rates below 1e-3. */
const FITS_MAX = 100;
/** The excess that is passed with this probability, so many times, is the most that is kept. */
const KEPT_RARITY = 1e-5;
const KEPT_FACTOR = 4;

/** Numbers of a tail's state. */
export const TAIL_NUMBERS = 7 + PEAKS_MAX;
const THRESHOLD = 0;
const SHAPE = 1;
const SCALE = 2;
const PEAKS_SEEN = 3;
const SEEN = 4;
const KEPT_MAX = 5;
const SHARE = 6;
const FIRST_PEAK = 7;

/** The threshold moves by this share at a passing, for the first magnitudes by more. */
const STEP = 0.01;
const FIRST_STEPS = 400;
const FIRST_STEP_FACTOR = 21;

/** Magnitudes are multiples of what is usual: less than that is never the tail. */
const THRESHOLD_MIN = 1;
const THRESHOLD_FIRST = 4;
const SHARE_GAIN = 1 / 4000;

/** A fit counts as if so many peaks of this distribution had been seen before. */
const PRIOR_PEAKS = 10;
const PRIOR_SHAPE = 0.1;
const PRIOR_SCALE = 0.2;
const SHAPE_MIN = -0.4;
const SHAPE_MAX = 0.9;
const SCALE_MIN = 1e-9;

const sorted = new Float64Array(PEAKS_MAX);

/** Makes the tail at `offset` one that has seen nothing. */
export function resetTail(state: Float64Array, offset: number): void {
  state.fill(0, offset, offset + TAIL_NUMBERS);
  state[offset + THRESHOLD] = THRESHOLD_FIRST;
  state[offset + SHARE] = TAIL_SHARE;
  state[offset + SHAPE] = PRIOR_SHAPE;
  state[offset + SCALE] = PRIOR_SCALE;
  state[offset + KEPT_MAX] = KEPT_FACTOR * excessOf(KEPT_RARITY, PRIOR_SHAPE, PRIOR_SCALE);
}

/**
 * Share of magnitudes that are at least as large as this one, by what was seen before it; then it
 * is learned. Calibrated up to {@link TAIL_SHARE}; above it is a mere order, up to 1. Magnitude 0
 * gives 1. Amortised O(1): a sort of at most 64 peaks every 400 magnitudes.
 *
 * @param magnitude Finite, not negative.
 */
export function observeTail(state: Float64Array, offset: number, magnitude: number): number {
  const seen = (state[offset + SEEN] as number) + 1;
  state[offset + SEEN] = seen;
  const threshold = state[offset + THRESHOLD] as number;
  const share = state[offset + SHARE] as number;
  const step = stepAfter(seen);
  if (magnitude <= threshold) {
    const lower = threshold * (1 - (step * TAIL_SHARE) / (1 - TAIL_SHARE));
    state[offset + THRESHOLD] = Math.max(lower, THRESHOLD_MIN);
    state[offset + SHARE] = share * (1 - SHARE_GAIN);
    return 1 - ((1 - TAIL_SHARE) * magnitude) / threshold;
  }
  state[offset + THRESHOLD] = threshold * (1 + step);
  state[offset + SHARE] = share + SHARE_GAIN * (1 - share);
  const excess = magnitude / threshold - 1;
  const rarity = survivalOf(state, offset, excess);
  keepPeak(state, offset, excess);
  return threshold === THRESHOLD_MIN ? rarity * Math.min(1, share / TAIL_SHARE) : rarity;
}

function stepAfter(seen: number): number {
  const early = Math.max(0, 1 - seen / FIRST_STEPS);
  return STEP * (1 + (FIRST_STEP_FACTOR - 1) * early);
}

function keepPeak(state: Float64Array, offset: number, excess: number): void {
  const peaks = state[offset + PEAKS_SEEN] as number;
  const kept = Math.min(excess, state[offset + KEPT_MAX] as number);
  state[offset + FIRST_PEAK + (peaks % PEAKS_MAX)] = kept;
  state[offset + PEAKS_SEEN] = peaks + 1;
  if ((peaks + 1) % PEAKS_PER_FIT === 0) refit(state, offset);
}

function survivalOf(state: Float64Array, offset: number, excess: number): number {
  const shape = state[offset + SHAPE] as number;
  const relative = excess / (state[offset + SCALE] as number);
  if (Math.abs(shape) < 1e-6) return TAIL_SHARE * Math.exp(-relative);
  const inner = 1 + shape * relative;
  // Past the end point of a short tail nothing is expected at all.
  return inner <= 0 ? Number.MIN_VALUE : TAIL_SHARE * inner ** (-1 / shape);
}

/** The excess that is passed with this probability. */
function excessOf(rarity: number, shape: number, scale: number): number {
  const ratio = TAIL_SHARE / rarity;
  return Math.abs(shape) < 1e-6 ? scale * Math.log(ratio) : (scale * (ratio ** shape - 1)) / shape;
}

/** Moves shape and scale towards those of the kept peaks. */
function refit(state: Float64Array, offset: number): void {
  const seen = state[offset + PEAKS_SEEN] as number;
  const count = Math.min(seen, PEAKS_MAX);
  const {mean, shape: target} = fitPeaks(
    state.subarray(offset + FIRST_PEAK, offset + FIRST_PEAK + count),
  );
  // Of the fits from the first one on that has all the peaks it can have.
  const fits = (seen - PEAKS_MAX) / PEAKS_PER_FIT;
  const gain = 1 / Math.min(Math.max(1, fits), FITS_MAX);
  const shape = mix(state[offset + SHAPE] as number, target, gain);
  const scale = mix(state[offset + SCALE] as number, mean * (1 - shape), gain);
  state[offset + SHAPE] = shape;
  state[offset + SCALE] = Math.max(scale, SCALE_MIN);
  state[offset + KEPT_MAX] = KEPT_FACTOR * excessOf(KEPT_RARITY, shape, Math.max(scale, SCALE_MIN));
}

/** Mean excess and shape by probability-weighted moments, drawn towards the prior's. */
function fitPeaks(kept: Float64Array): {mean: number; shape: number} {
  const count = kept.length;
  const peaks = sorted.subarray(0, count);
  peaks.set(kept);
  peaks.sort();
  let sum = 0;
  let weighted = 0;
  for (let index = 0; index < count; index++) {
    const peak = peaks[index] as number;
    sum += peak;
    weighted += peak * (1 - (index + 0.65) / count);
  }
  const spread = (sum - 2 * weighted) / count;
  // Peaks that are all alike have no shape; the shortest tail is nearest to them.
  const own = spread * count > 1e-12 * sum ? 2 - sum / count / spread : SHAPE_MIN;
  const weight = PRIOR_PEAKS / (count + PRIOR_PEAKS);
  const priorMean = PRIOR_SCALE / (1 - PRIOR_SHAPE);
  const shape = mix(own, PRIOR_SHAPE, weight);
  return {
    mean: mix(sum / count, priorMean, weight),
    shape: Math.min(Math.max(shape, SHAPE_MIN), SHAPE_MAX),
  };
}

const mix = (from: number, to: number, share: number) => from + share * (to - from);
