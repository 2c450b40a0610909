import {ForestayError} from '../../core/domain/errors.ts';
import type {Clock, Random, Scorer} from '../../core/ports.ts';
import {metricScorer} from '../support/partition.ts';

export type ScorerFaults = {
  /** Share of the requests that are refused. */
  fail: number;
  /** Share that take up to so long, far beyond what a tick waits. */
  slow: number;
  slowMsMax: number;
};

export const SOUND_SCORER: ScorerFaults = {fail: 0, slow: 0, slowMsMax: 0};

/** Risk is what one metric says; the pool is sometimes full, slow, or broken. */
export function createSimScorer(options: {
  clock: Clock;
  random: Random;
  faults: () => ScorerFaults;
  onFault: (what: string) => void;
}): Scorer {
  const {clock, random, faults, onFault} = options;
  const inner = metricScorer();
  const accident = async (): Promise<void> => {
    const {fail, slow, slowMsMax} = faults();
    const draw = random.next();
    if (draw < fail) {
      onFault('the scorer refused');
      throw new ForestayError('SCORER_SATURATED', 'the pool is full', {retryable: true});
    }
    if (draw < fail + slow) {
      onFault('the scorer is late');
      await clock.sleep(random.next() * slowMsMax);
    }
  };
  return {
    ...inner,
    async score(hash, rows, features) {
      // The request is what it was when it was sent.
      const risks = await inner.score(hash, rows, features);
      await accident();
      return risks;
    },
    async explain(hash, rows, features) {
      await accident();
      return inner.explain(hash, rows, features);
    },
  };
}
