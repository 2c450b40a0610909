/** How one model has done in one cell, for people and stores. */

import type {JudgedAct} from './act-book.ts';
import {actInWords} from './act-words.ts';
import type {Restraint} from './restraint.ts';
import {
  type ActFigures,
  type AlertFigures,
  type OutputFigures,
  skillFigures,
} from './skill-figures.ts';
import type {SkillState} from './skill-state.ts';
import {skillVerdict, type Verdict} from './skill-verdict.ts';
import {type TrialFigures, trialFigures} from './trial-book.ts';

/** So many in any case, and at most so many of those whose outcome may have become known lately. */
const ACTS_MIN = 10;
const ACTS_MAX = 200;

/** NaN: not known. */
export type CellSkill = {
  readonly cell: string;
  readonly modelHash: string;
  readonly atMs: number;
  /** Of the first forecast that counts. */
  readonly fromMs: number;
  readonly verdict: Verdict['verdict'];
  readonly because: string;
  readonly restraint: Omit<Restraint, 'modelHash'>;
  readonly outputs: readonly OutputSkill[];
  readonly alerts: Omit<AlertFigures, 'falsePeriods' | 'missed' | 'evidenceAgainst'>;
  readonly acts: ActFigures;
  /** What acting did, by those that were left where they were by lot; absent: nobody was to be. */
  readonly trial?: TrialFigures;
  /** Newest first, those whose outcome is known. */
  readonly newestActs: readonly ActOutcome[];
};

export type OutputSkill = Pick<
  OutputFigures,
  | 'forecasts'
  | 'unverifiable'
  | 'baseRate'
  | 'brier'
  | 'naiveBrier'
  | 'logLoss'
  | 'naiveLogLoss'
  | 'claimedSkill'
  | 'ece'
> & {
  readonly output: string;
  readonly skill: number;
  /** NaN: anything. */
  readonly low: number;
  readonly high: number;
  readonly episodes: number;
  readonly recentSkill: number;
};

export type ActOutcome = Pick<JudgedAct, 'id' | 'action' | 'vm' | 'source' | 'target'> & {
  readonly finishedAtMs: number;
  readonly effect: string;
  readonly avoidedMinutes: number;
  readonly words: string;
};

/** The figures of a model that is kept. O(blocks + alerts + acts). */
export function cellSkill(cell: string, state: SkillState, restraint: Restraint): CellSkill {
  const {modelHash, ...standing} = restraint;
  const figures = skillFigures(state, modelHash);
  const trial = trialFigures(state.trial, modelHash);
  const {falsePeriods: _, missed: _missed, evidenceAgainst: _against, ...alerts} = figures.alerts;
  return {
    cell,
    modelHash,
    atMs: state.timeMs,
    fromMs: figures.fromMs,
    ...skillVerdict(figures),
    restraint: standing,
    outputs: figures.outputs.map(outputSkill),
    alerts,
    acts: figures.acts,
    ...(trial === undefined ? {} : {trial}),
    newestActs: newestActs(state, modelHash),
  };
}

function outputSkill(figures: OutputFigures): OutputSkill {
  const {skill, recentSkill, brierSkill: _, calibration: _bins, ...rest} = figures;
  const low = Number.isFinite(skill.low) ? skill.low : Number.NaN;
  return {...rest, ...skill, low, recentSkill: recentSkill.skill};
}

function newestActs({acts, settings, timeMs}: SkillState, modelHash: string): ActOutcome[] {
  const known = [...acts.settled, ...acts.open].filter(
    act => act.modelHash === modelHash && act.effect !== 'open',
  );
  known.sort((a, b) => b.finishedAtMs - a.finishedAtMs);
  const sinceMs = timeMs - settings.horizonMs - settings.graceMs - 2 * settings.gridMs;
  const told = known.filter((act, at) => at < ACTS_MIN || act.finishedAtMs >= sinceMs);
  return told.slice(0, ACTS_MAX).map(act => ({
    id: act.id,
    action: act.action,
    vm: act.vm,
    source: act.source,
    target: act.target,
    finishedAtMs: act.finishedAtMs,
    effect: act.effect,
    avoidedMinutes: act.avoidedMinutes,
    words: actInWords(act, settings),
  }));
}
