/** Whether the losses of a model have risen: two detectors, and what they found for a while. */
import {type Adwin, createAdwin, observeAdwin} from '../../core/domain/drift/adwin.ts';
import {
  createPageHinkley,
  observePageHinkley,
  type PageHinkley,
} from '../../core/domain/drift/page-hinkley.ts';
import type {LossDrift} from '../../core/domain/drift/verdict.ts';

/** Lots of a fleet of a hundred hosts pass in a quarter of an hour; a false alarm comes in months. */
const LOTS_PER_FALSE_ALARM = 10_000;
const LOT_SIZE = 16;

type Found = Omit<LossDrift, 'outcomes'> & {
  /** Values taken before the change. */
  readonly takenBefore: number;
  /** Of the values since it was found. */
  sum: number;
  count: number;
};

/** So many values say whether a rise was one. */
const BELIEVED_VALUES = 500;

export type LossWatch = {
  readonly adwin: Adwin;
  readonly pageHinkley: PageHinkley;
  /** The newest of each detector. */
  found: readonly Found[];
  taken: number;
};

export function createLossWatch(): LossWatch {
  return {
    adwin: createAdwin(),
    pageHinkley: createPageHinkley(LOTS_PER_FALSE_ALARM, LOT_SIZE),
    found: [],
    taken: 0,
  };
}

/**
 * Takes a loss within [0, 1]. What was found stays until losses fall again, or turn out not to be
 * higher: a detector that has found a rise takes it for usual from then on.
 */
export function observeLoss(watch: LossWatch, loss: number): void {
  watch.taken++;
  for (const each of watch.found) {
    each.sum += loss;
    each.count++;
  }
  watch.found = watch.found.filter(
    ({sum, count, before}) => count < BELIEVED_VALUES || sum / count > before,
  );
  const change = observeAdwin(watch.adwin, loss);
  // It is as good as it was: what was found is over.
  if (change !== undefined && change.after <= change.before) watch.found = [];
  else if (change !== undefined) keep(watch, 'adwin', change);
  const rise = observePageHinkley(watch.pageHinkley, loss);
  if (rise !== undefined) keep(watch, 'page-hinkley', rise);
}

function keep(
  watch: LossWatch,
  detector: LossDrift['detector'],
  {before, after, since}: {before: number; after: number; since: number},
): void {
  const others = watch.found.filter(each => each.detector !== detector);
  const takenBefore = Math.max(0, watch.taken - since);
  watch.found = [...others, {detector, before, after, takenBefore, sum: 0, count: 0}];
}

/** What was found and has not passed. */
export function lossesRisen({found, taken}: LossWatch): LossDrift[] {
  return found.map(({detector, before, after, takenBefore}) => ({
    detector,
    before,
    after,
    outcomes: taken - takenBefore,
  }));
}
