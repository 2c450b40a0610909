/**
 * Skill over the naive method, 1 − loss ÷ naive loss, and between which values it is, at any time
 * that somebody looks.
 *
 * The ratio is linearised over blocks; blocks with a failure are the sample, as all others say next
 * to nothing of its spread. The interval is a confidence sequence: it holds at all times together,
 * asymptotically, so that looking every five minutes makes no alarm. With few blocks it is widened
 * as Student's interval is.
 *
 * @see I. Waudby-Smith et al., "Time-uniform central limit theory and asymptotic confidence
 *   sequences", Annals of Statistics 52(6), 2024, proposition 2.5: the boundary.
 */
import {type Block, type Stat, statOf} from './loss-blocks.ts';

/** Where the boundary is tightest, in blocks with a failure. */
const TIGHTEST_AT = 16;

export type Skill = {
  /** NaN: there is nothing to compare. */
  readonly skill: number;
  readonly low: number;
  readonly high: number;
  /** Failures, those of one block taken as one. */
  readonly episodes: number;
};

/**
 * @param alpha How often the truth may be outside, at any time, on either side.
 * @param output Index of the output.
 */
export function skillOf(
  blocks: readonly Block[],
  output: number,
  loss: 'log' | 'brier',
  alpha: number,
): Skill {
  const against: Stat = loss === 'log' ? 'naiveLog' : 'naiveBrier';
  let lost = 0;
  let naive = 0;
  let episodes = 0;
  for (const block of blocks) {
    lost += statOf(block, output, loss);
    naive += statOf(block, output, against);
    if (statOf(block, output, 'positives') > 0) episodes++;
  }
  const skill = 1 - lost / naive;
  if (episodes < 2) return {skill, low: Number.NEGATIVE_INFINITY, high: 1, episodes};
  let squares = 0;
  for (const block of blocks) {
    const theirs = statOf(block, output, against);
    squares += (theirs - statOf(block, output, loss) - skill * theirs) ** 2;
  }
  const error = Math.sqrt((squares * episodes) / (episodes - 1)) / naive;
  const radius = error * boundary(episodes, alpha);
  return {skill, low: skill - radius, high: Math.min(1, skill + radius), episodes};
}

/** Standard errors to either side. */
function boundary(samples: number, alpha: number): number {
  const tail = -2 * Math.log(alpha);
  const scale = ((tail + Math.log(tail + 1)) / TIGHTEST_AT) * samples;
  const asymptotic = Math.sqrt((2 * (scale + 1) * Math.log(Math.sqrt(scale + 1) / alpha)) / scale);
  return asymptotic * Math.exp((asymptotic ** 2 + 1) / (4 * (samples - 1)));
}
