import {isForestayError} from '../../core/domain/errors.ts';
import {type NetworkOptions, type TrainingData, trainNetwork} from '../network/train.ts';
import {type Halving, halve} from '../training/halving.ts';
import type {Results} from '../training/results.ts';
import {drawTrials, type Settings, type Space} from '../training/space.ts';
import {joinLives, type Lives, toSequences} from './data.ts';

export type IntentSettings = Settings<'hidden' | 'learningRate' | 'clipNorm'>;

const SPACE: Space<keyof IntentSettings> = {
  hidden: {from: 16, to: 64, scale: 'whole'},
  learningRate: {from: 5e-4, to: 6e-3, scale: 'log'},
  clipNorm: {from: 0.2, to: 3, scale: 'log'},
};
const SHARES = [1 / 9, 1 / 3, 1];
const KEPT_SHARE = 1 / 3;

export type IntentSearch = {
  readonly settings: IntentSettings;
  readonly trials: readonly IntentSettings[];
  readonly halving: Halving;
};

export type IntentSearchOptions = {
  readonly trials: number;
  readonly options: NetworkOptions;
  readonly results: Results;
  readonly hasTime: () => boolean;
  readonly onTrial: (trial: number, share: number, loss: number) => void;
};

/**
 * Looks for the settings with the least loss on fleets that say when to stop, each learned from a
 * share of the fleets that teach. One after another: a network takes a whole thread by itself.
 */
export async function searchIntent(
  teaching: readonly Lives[],
  validation: Lives,
  {trials: count, options, results, hasTime, onTrial}: IntentSearchOptions,
): Promise<IntentSearch> {
  const {hidden, learningRate, clipNorm} = options;
  const trials = drawTrials(SPACE, {hidden, learningRate, clipNorm}, count, options.seed);
  const judging = toSequences(validation);
  const halving = await halve(count, {
    shares: SHARES,
    keptShare: KEPT_SHARE,
    atOnce: 1,
    hasTime,
    evaluate: async (trial, share) => {
      const key = `${trial}/${share.toFixed(3)}`;
      const known = results.get(key);
      if (typeof known === 'number') return known;
      const some = teaching.slice(0, Math.max(1, Math.round(share * teaching.length)));
      const training = toSequences(joinLives(some));
      const loss = await lossOf(
        {training, validation: judging},
        {...options, ...(trials[trial] as IntentSettings)},
      );
      results.put(key, loss);
      onTrial(trial, share, loss);
      return loss;
    },
  });
  return {settings: trials[halving.winner] as IntentSettings, trials, halving};
}

/** NaN for so small a share that nothing happens in it: it says nothing of the settings. */
async function lossOf(data: TrainingData, options: NetworkOptions): Promise<number> {
  try {
    const {epochs} = await trainNetwork(data, options);
    return Math.min(...epochs.map(({validationLoss}) => validationLoss));
  } catch (error) {
    if (isForestayError(error, 'TRAINING_DATA_INVALID')) return Number.NaN;
    throw error;
  }
}
