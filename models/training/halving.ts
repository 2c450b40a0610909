import {eachAtOnce} from '../../core/domain/concurrency.ts';

/** One rung of the ladder: so much of the data, and what each trial that got here lost on it. */
export type Rung = {
  readonly share: number;
  /** By trial; NaN: it was not tried here, for it was dropped or the time was up. */
  readonly losses: readonly number[];
  /** Whether every trial that got here was tried. */
  readonly complete: boolean;
};

export type Halving = {
  /** Index of the best trial; 0, the defaults, if not even the first rung was complete. */
  readonly winner: number;
  readonly rungs: readonly Rung[];
};

export type HalvingOptions = {
  /** Shares of the data, rising. */
  readonly shares: readonly number[];
  /** Of each rung this share of the trials goes on, at least one. */
  readonly keptShare: number;
  /** Mean loss of a trial that learns from this share. */
  readonly evaluate: (trial: number, share: number) => Promise<number>;
  /** Evaluations under way at once. */
  readonly atOnce: number;
  /** Asked before each evaluation: once false, no more are begun. */
  readonly hasTime: () => boolean;
};

/**
 * Successive halving: all trials on little data, the best of them on more, the best of those on all.
 * The winner is the best of the highest rung that is complete; losses are compared within a rung
 * only. A trial whose loss is not finite is dropped.
 *
 * @see K. Jamieson, A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
 *   optimization", AISTATS 2016; L. Li et al., "A system for massively parallel hyperparameter
 *   tuning", MLSys 2020. The asynchronous form of the latter is left out: it makes the outcome
 *   depend on which thread was faster.
 */
export async function halve(trials: number, options: HalvingOptions): Promise<Halving> {
  const {shares, keptShare, evaluate, atOnce, hasTime} = options;
  const rungs: Rung[] = [];
  let left = Array.from({length: trials}, (_, trial) => trial);
  let winner = 0;
  for (const share of shares) {
    const losses = new Array<number>(trials).fill(Number.NaN);
    let complete = true;
    await eachAtOnce(left, atOnce, async trial => {
      if (hasTime()) losses[trial] = await evaluate(trial, share);
      else complete = false;
    });
    rungs.push({share, losses, complete});
    if (!complete) break;
    const ranked = left
      .filter(trial => Number.isFinite(losses[trial]))
      .sort((a, b) => (losses[a] as number) - (losses[b] as number) || a - b);
    if (ranked.length === 0) break;
    winner = ranked[0] as number;
    left = ranked.slice(0, Math.max(1, Math.round(trials * keptShare ** rungs.length)));
  }
  return {winner, rungs};
}
