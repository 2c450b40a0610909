/** Keepers in each phase, and what may happen to them. */
import {
  createKeeperState,
  DEFAULT_KEEPER_SETTINGS,
  type KeeperMode,
  type KeeperState,
  type Phase,
  type Sight,
  type Step,
} from '../../../models/keeper/keeper-state.ts';
import type {Judgement} from '../../../models/keeper/shadow-book.ts';
import {
  type AliasChange,
  type Aliases,
  applyChange,
  noAliases,
} from '../../../models/registry/aliases.ts';

export const HOUR = 3_600_000;
export const settings = DEFAULT_KEEPER_SETTINGS;
export const [OLD, NEW, OTHER] = ['a', 'b', 'c'].map(digit => digit.repeat(64)) as [
  string,
  string,
  string,
];

export const quiet: Sight = {
  drift: {lossesRose: false, inputsMoved: false, reasons: []},
  skill: {skill: 0.3, failures: 100},
  examples: {failures: 100, newFailures: 30, sinceFailures: 30},
  failures: 0,
};
export const drifted: Sight = {
  ...quiet,
  drift: {lossesRose: true, inputsMoved: true, reasons: ['The loss rose from 0.1 to 0.3.']},
};

export function aliasesAfter(...changes: readonly AliasChange[]): Aliases {
  const author = {who: 'anna', why: '', atMs: 1};
  const first: AliasChange = {kind: 'promote', hash: OLD};
  return [first, ...changes].reduce(
    (aliases, change) => applyChange(aliases, change, author),
    noAliases('component-failure'),
  );
}

export const aliasesOf: Record<Phase, Aliases> = {
  watching: aliasesAfter(),
  collecting: aliasesAfter(),
  training: aliasesAfter(),
  shadowing: aliasesAfter({kind: 'challenge', hash: NEW}),
  canary: aliasesAfter({kind: 'challenge', hash: NEW}, {kind: 'canary', percent: 25}),
  probation: aliasesAfter({kind: 'promote', hash: NEW}),
};

export function at(
  phase: Phase,
  mode: KeeperMode = 'auto',
  more: Partial<KeeperState> = {},
): KeeperState {
  const memory = {refusals: 0, coolDownUntilMs: Number.NEGATIVE_INFINITY};
  const state = createKeeperState(mode, aliasesOf[phase], 0, memory);
  return {...state, phase, training: phase === 'training', hasShadow: phase === 'canary', ...more};
}

export function judgement(
  verdict: Judgement['verdict'],
  pair = {champion: OLD, challenger: NEW},
): Judgement {
  const sign = {better: 1, worse: -1, open: 0}[verdict];
  const gain = {mean: sign, lower: sign - 0.1, upper: sign + 0.1, blocks: 90, resamples: 1};
  const evaluation = {
    ...pair,
    data: 'rows',
    seed: 1,
    passed: verdict === 'better',
    gain,
    checks: [],
  };
  return {verdict, evaluation, failures: 50, uncalibrated: []};
}

export const back = {champion: OLD, challenger: NEW};
export const looked = (sight: Sight) => ({kind: 'looked', sight}) as const;
export const judged = (verdict: Judgement['verdict'], pair = back) =>
  ({kind: 'judged', judgement: judgement(verdict, pair)}) as const;
export const train: Step = {kind: 'train', parent: OLD, coolDownUntilMs: 1, why: 'x'};
/** Many, but hardly one since the world has changed. */
export const few = {failures: 100, newFailures: 30, sinceFailures: 3};
export const done = (step: Step) => ({kind: 'done', step}) as const;
