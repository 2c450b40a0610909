/**
 * How far a value lies from a stream's usual level, in the stream's usual deviations. Both are
 * means that forget, over differences that are cut off: as robust as median and median deviation
 * against single values, yet of constant cost.
 *
 * D1. The usual size is a mean of sizes cut off at a few times itself. It is never taken for less
 *     than a share of the mean without that cut, else a stream that is mostly constant and rarely
 *     moves would shrink it to nothing between its moves.
 * D2. A stream that has been constant has no usual size: what moves it first is infinitely far.
 * D3. While it has seen less than its memory, every value weighs alike.
 *
 * @see P. J. Huber, "Robust Estimation of a Location Parameter", Ann. Math. Statist. 35(1), 1964.
 */

/** Numbers of the state of {@link relativeSize}. */
export const SIZE_NUMBERS = 3;
const USUAL = 0;
const UNCUT = 1;
const SIZES = 2;

/** Numbers of the state of {@link observeDeviation}: the level, then the sizes. */
export const DEVIATION_NUMBERS = 1 + SIZE_NUMBERS;
const LEVEL = 0;
const DIFFERENCES = 1;

const USUAL_CUT = 5;
const LEVEL_CUT = 3;
/** A broken reading may be any number; from it on even the mean without cut does not follow. */
const UNCUT_CUT = 1e5;
const FLOOR_SHARE = 0.1;

export type DeviationMemory = {
  /** Values that the level remembers. */
  readonly levelSamples: number;
  /** Values that the usual deviation remembers. */
  readonly deviationSamples: number;
};

/**
 * Size in usual sizes, then it is learned; Infinity for the first above 0, and 0 for 0. The state
 * begins with zeros.
 *
 * @param size Finite, not negative.
 * @param memory Sizes that the usual one remembers.
 */
export function relativeSize(
  state: Float64Array,
  offset: number,
  size: number,
  memory: number,
): number {
  const seen = (state[offset + SIZES] as number) + 1;
  state[offset + SIZES] = seen;
  const gain = 1 / Math.min(seen, memory);
  const usual = usualSize(state, offset);
  if (usual === 0) {
    state[offset + USUAL] = size * gain;
    state[offset + UNCUT] = size * gain;
    return size === 0 ? 0 : Number.POSITIVE_INFINITY;
  }
  const uncut = state[offset + UNCUT] as number;
  state[offset + USUAL] = usual + gain * (Math.min(size, USUAL_CUT * usual) - usual);
  state[offset + UNCUT] = uncut + gain * (Math.min(size, UNCUT_CUT * usual) - uncut);
  return size / usual;
}

/**
 * Distance of a value from the level, in usual distances, as {@link relativeSize}; then the value
 * is learned. The state begins with zeros; the first value is the level. O(1), no allocation.
 */
export function observeDeviation(
  state: Float64Array,
  offset: number,
  value: number,
  {levelSamples, deviationSamples}: DeviationMemory,
): number {
  const sizes = offset + DIFFERENCES;
  const seen = (state[sizes + SIZES] as number) + 1;
  const level = seen === 1 ? value : (state[offset + LEVEL] as number);
  const difference = value - level;
  const usual = usualSize(state, sizes);
  const cut = usual === 0 ? Number.POSITIVE_INFINITY : LEVEL_CUT * usual;
  const pull = Math.min(Math.max(difference, -cut), cut);
  state[offset + LEVEL] = level + pull / Math.min(seen, levelSamples);
  return relativeSize(state, sizes, Math.abs(difference), deviationSamples);
}

function usualSize(state: Float64Array, offset: number): number {
  return Math.max(state[offset + USUAL] as number, FLOOR_SHARE * (state[offset + UNCUT] as number));
}
