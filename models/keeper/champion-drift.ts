import type {Entry} from '../registry/entry.ts';
import {createDriftWatch} from './drift-watch.ts';
import type {Drift} from './keeper-parts.ts';

/** The watch over one champion, as a keeper asks it; the keeper has a cool-down of its own. */
export function watchChampion({drift, featureHash}: Pick<Entry, 'drift' | 'featureHash'>): Drift {
  const watch = createDriftWatch({snapshot: drift, featureHash, coolDownMs: 0});
  return {
    observe: rows => watch.observe(rows),
    settle: losses => watch.settle(losses),
    report(nowMs) {
      const report = watch.report(nowMs);
      const {verdict, classes} = report;
      return {
        lossesRose: verdict.action === 'retrain' || verdict.action === 'wait',
        inputsMoved: classes.some(({inputs}) => inputs.some(({severity}) => severity === 'act')),
        reasons: verdict.reasons,
        report,
      };
    },
  };
}
