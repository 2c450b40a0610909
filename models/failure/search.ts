import {type Halving, halve} from '../training/halving.ts';
import type {Results} from '../training/results.ts';
import {drawTrials} from '../training/space.ts';
import type {FailureData} from './data.ts';
import type {TrainingPool} from './pool.ts';
import {FAILURE_SETTINGS, FAILURE_SPACE, type FailureSettings} from './settings.ts';
import {FOLDS} from './training.ts';

export type SearchOptions = {
  readonly trials: number;
  readonly seed: number;
  readonly threads: number;
  readonly results: Results;
  readonly hasTime: () => boolean;
  /** Called when a trial was judged. */
  readonly onTrial?: (trial: number, share: number, loss: number) => void;
};

/** What was tried, what it lost, and what is the best of it. */
export type Search = {
  readonly settings: FailureSettings;
  readonly trials: readonly FailureSettings[];
  readonly halving: Halving;
};

const SHARES = [1 / 9, 1 / 3, 1];
const KEPT_SHARE = 1 / 3;

/**
 * Looks for the settings with the least mean log-loss over folds of hosts and outputs. How far it
 * gets depends on the time; which trials it would make, and what each loses, does not.
 */
export async function searchSettings(
  data: FailureData,
  pool: TrainingPool,
  {trials: count, seed, threads, results, hasTime, onTrial}: SearchOptions,
): Promise<Search> {
  const trials = drawTrials(FAILURE_SPACE, FAILURE_SETTINGS, count, seed);
  const halving = await halve(count, {
    shares: SHARES,
    keptShare: KEPT_SHARE,
    atOnce: threads,
    hasTime,
    evaluate: async (trial, share) => {
      const settings = trials[trial] as FailureSettings;
      const losses = await Promise.all(
        data.outputs.flatMap((_, output) =>
          Array.from({length: FOLDS}, async (__, fold) => {
            const key = `${trial}/${share.toFixed(3)}/${output}/${fold}`;
            const known = results.get(key);
            if (typeof known === 'number') return known;
            const loss = await pool.evaluate({output, settings, fold, share});
            results.put(key, loss);
            return loss;
          }),
        ),
      );
      const loss = losses.reduce((sum, each) => sum + each, 0) / losses.length;
      onTrial?.(trial, share, loss);
      return loss;
    },
  });
  return {settings: trials[halving.winner] as FailureSettings, trials, halving};
}
