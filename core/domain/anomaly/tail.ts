/**
 * How rare a magnitude is among a stream's own past ones: the far tail is a generalised Pareto
 * distribution fitted to the latest peaks over a threshold that adapts, so that a rate of false
 * alarms is a setting and no guess about the distribution is needed.
 *
 * T1. The threshold is passed by {@link TAIL_SHARE} of all magnitudes in the long run, whatever
 *     their distribution: each passing raises it a little, each other magnitude lowers it less.
 * T2. Peaks are kept relative to the threshold of their time, so that a change of scale does not
 *     make the kept ones worthless.
 * T3. A peak rarer than {@link RARITY_MAX} is kept as if it were just that rare: no single value
 *     moves the fit without bound, yet a stream whose tail became heavier is followed.
 * T4. The state is {@link TAIL_NUMBERS} numbers; nothing else is remembered.
 *
 * @see A. Siffer et al., "Anomaly Detection in Streams with Extreme Value Theory", KDD 2017;
 *   J. R. M. Hosking, J. R. Wallis, "Parameter and Quantile Estimation for the Generalized Pareto
 *   Distribution", Technometrics 29(3), 1987: the probability-weighted moments.
 */

/** Share of magnitudes beyond the threshold. */
export const TAIL_SHARE = 0.02;

const PEAKS_MAX = 64;
const PEAKS_PER_FIT = 8;
const FITS_MAX = 100;
const RARITY_MAX = 1e-5;

/** Numbers of a tail's state. */
export const TAIL_NUMBERS = 7 + PEAKS_MAX;
const THRESHOLD = 0;
const SHAPE = 1;
const SCALE = 2;
const PEAKS_SEEN = 3;
const SEEN = 4;
const WINSOR = 5;
const SHARE = 6;
const FIRST_PEAK = 7;

/** The threshold moves by this share at a passing, for the first magnitudes by more. */
const STEP = 0.01;
const THRESHOLD_FIRST = 4;
const THRESHOLD_MIN = 1;
const SHARE_GAIN = 1 / 4000;
const FIRST_STEPS = 400;

/** A fit counts as if so many peaks of this distribution had been seen before. */
const PRIOR_PEAKS = 10;
const PRIOR_SHAPE = 0.1;
const PRIOR_SCALE = 0.2;
const SHAPE_MIN = -0.4;
const SHAPE_MAX = 0.9;

const sorted = new Float64Array(PEAKS_MAX);

/** Makes the tail at `offset` one that has seen nothing. */
export function resetTail(state: Float64Array, offset: number): void {
  state.fill(0, offset, offset + TAIL_NUMBERS);
  state[offset + THRESHOLD] = THRESHOLD_FIRST;
  state[offset + SHARE] = TAIL_SHARE;
  state[offset + SHAPE] = PRIOR_SHAPE;
  state[offset + SCALE] = PRIOR_SCALE;
  state[offset + WINSOR] = 4 * excessOf(RARITY_MAX, PRIOR_SHAPE, PRIOR_SCALE);
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
  const step = seen < FIRST_STEPS ? STEP * (1 + (20 * (FIRST_STEPS - seen)) / FIRST_STEPS) : STEP;
  if (magnitude <= threshold) {
    state[offset + THRESHOLD] = Math.max(
      threshold * (1 - (step * TAIL_SHARE) / (1 - TAIL_SHARE)),
      THRESHOLD_MIN,
    );
    state[offset + SHARE] = (state[offset + SHARE] as number) * (1 - SHARE_GAIN);
    return 1 - ((1 - TAIL_SHARE) * magnitude) / threshold;
  }
  state[offset + THRESHOLD] = threshold * (1 + step);
  const excess = magnitude / threshold - 1;
  let rarity = survivalOf(state, offset, excess);
  const share = state[offset + SHARE] as number;
  if (threshold === THRESHOLD_MIN) rarity *= Math.min(1, share / TAIL_SHARE);
  state[offset + SHARE] = share + SHARE_GAIN * (1 - share);
  const peaks = state[offset + PEAKS_SEEN] as number;
  state[offset + FIRST_PEAK + (peaks % PEAKS_MAX)] = Math.min(
    excess,
    state[offset + WINSOR] as number,
  );
  state[offset + PEAKS_SEEN] = peaks + 1;
  if ((peaks + 1) % PEAKS_PER_FIT === 0) refit(state, offset);
  return rarity;
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

function refit(state: Float64Array, offset: number): void {
  const count = Math.min(state[offset + PEAKS_SEEN] as number, PEAKS_MAX);
  const peaks = sorted.subarray(0, count);
  peaks.set(state.subarray(offset + FIRST_PEAK, offset + FIRST_PEAK + count));
  peaks.sort();
  let mean = 0;
  let weighted = 0;
  for (let index = 0; index < count; index++) {
    const peak = peaks[index] as number;
    mean += peak;
    weighted += peak * (1 - (index + 0.65) / count);
  }
  mean /= count;
  weighted /= count;
  // The mean excess is scale / (1 - shape), of the prior too.
  const priorMean = PRIOR_SCALE / (1 - PRIOR_SHAPE);
  const spread = mean - 2 * weighted;
  const own = spread > 1e-12 * mean ? 2 - mean / spread : SHAPE_MIN;
  const total = count + PRIOR_PEAKS;
  const shrunk = (count * own + PRIOR_PEAKS * PRIOR_SHAPE) / total;
  const fits = (state[offset + PEAKS_SEEN] as number) / PEAKS_PER_FIT;
  const gain = 1 / Math.min(Math.max(1, fits - PEAKS_MAX / PEAKS_PER_FIT), FITS_MAX);
  const before = state[offset + SHAPE] as number;
  const shape = before + gain * (Math.min(Math.max(shrunk, SHAPE_MIN), SHAPE_MAX) - before);
  const scale0 = ((count * mean + PRIOR_PEAKS * priorMean) / total) * (1 - shape);
  const scale =
    (state[offset + SCALE] as number) + gain * (scale0 - (state[offset + SCALE] as number));
  state[offset + SHAPE] = shape;
  state[offset + SCALE] = Math.max(scale, 1e-9);
  state[offset + WINSOR] = 4 * excessOf(RARITY_MAX, shape, Math.max(scale, 1e-9));
}
