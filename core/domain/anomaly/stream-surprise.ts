import {relativeSize, SIZE_NUMBERS} from './stream-deviation.ts';
import {createNovelty, type NoveltyOptions} from './stream-novelty.ts';
import {observeTail, resetTail, TAIL_NUMBERS} from './tail.ts';

/**
 * Runs of 3 to 24 values: a spike, a bump and a change of the usual pattern; the third nearest, so
 * that what happened once or twice is told again.
 */
const NOVELTY: NoveltyOptions = {runs: [3, 6, 12, 24], neighbours: 3, historySamples: 5000};

/** Distances that the usual distance is a mean of. */
const USUAL_SAMPLES = 2000;

/** No run length counts for more: a rarity of 1e-6 cannot be told from 1e-9 by a few weeks. */
export const SURPRISE_MAX = 6;

/** Values that only teach: fewer hold less than three runs of the longest to be like. */
const FIRST_SAMPLES = 60;

/**
 * A function that takes a stream's next value and says how surprising the newest ones are, from 0
 * to 6: the mean over four run lengths of -log10 of the share of the stream's past that was as
 * unlike its own past. A stream is measured by itself alone, so one threshold suits any. What is
 * not finite gives 0 and is not learned; a constant stream gives 0.
 *
 * Cost as {@link createNovelty}, of at most 5000 values of history; about 100 KB.
 */
export function createSurprise(): (value: number) => number {
  const novelty = createNovelty(NOVELTY);
  const lengths = NOVELTY.runs.length;
  const sizes = new Float64Array(lengths * SIZE_NUMBERS);
  const tails = new Float64Array(lengths * TAIL_NUMBERS);
  for (let run = 0; run < lengths; run++) resetTail(tails, run * TAIL_NUMBERS);
  let seen = 0;

  function surpriseOf(run: number, distance: number): number {
    const relative = relativeSize(sizes, run * SIZE_NUMBERS, distance, USUAL_SAMPLES);
    const rarity =
      relative === Number.POSITIVE_INFINITY
        ? 1 / (seen + 1)
        : observeTail(tails, run * TAIL_NUMBERS, relative);
    return Math.min(-Math.log10(rarity), SURPRISE_MAX);
  }

  return value => {
    if (!Number.isFinite(value)) return 0;
    const distances = novelty(value);
    if (seen++ < FIRST_SAMPLES) return 0;
    let sum = 0;
    for (let run = 0; run < lengths; run++) sum += surpriseOf(run, distances[run] as number);
    return sum / lengths;
  };
}
