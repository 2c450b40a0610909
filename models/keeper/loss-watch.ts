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
  readonly atMs: number;
  /** Values taken before the change. */
  readonly takenBefore: number;
};

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

/** Takes a loss within [0, 1] of outcomes that are known since `atMs`. */
export function observeLoss(watch: LossWatch, loss: number, atMs: number): void {
  watch.taken++;
  const change = observeAdwin(watch.adwin, loss);
  // It is as good as it was: what was found is over.
  if (change !== undefined && change.after <= change.before) watch.found = [];
  else if (change !== undefined) keep(watch, 'adwin', change, atMs);
  const rise = observePageHinkley(watch.pageHinkley, loss);
  if (rise !== undefined) keep(watch, 'page-hinkley', rise, atMs);
}

function keep(
  watch: LossWatch,
  detector: LossDrift['detector'],
  {before, after, since}: {before: number; after: number; since: number},
  atMs: number,
): void {
  const others = watch.found.filter(each => each.detector !== detector);
  const takenBefore = Math.max(0, watch.taken - since);
  watch.found = [...others, {detector, before, after, atMs, takenBefore}];
}

/** What was found no longer ago than `holdMs`, and has not passed. */
export function risenWithin({found, taken}: LossWatch, nowMs: number, holdMs: number): LossDrift[] {
  return found
    .filter(({atMs}) => Math.abs(nowMs - atMs) <= holdMs)
    .map(({detector, before, after, takenBefore}) => ({
      detector,
      before,
      after,
      outcomes: taken - takenBefore,
    }));
}
