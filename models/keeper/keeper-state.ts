/** What a keeper knows of the family that it tends, and what it does next. Times are those of the rows. */
import type {Aliases} from '../registry/aliases.ts';
import type {Judgement} from './shadow-book.ts';

/** Who changes what a keeper changes. */
export const KEEPER = 'keeper';

/** `watch`: it judges and says what it would do. `auto`: it does it. */
export type KeeperMode = 'watch' | 'auto';

/**
 * - `watching`: the champion does well, or nobody knows better, or the keeper cools down.
 * - `collecting`: it does not; examples to learn from are being collected.
 * - `training`: a model is being trained on top of the champion.
 * - `shadowing`: a challenger scores the rows that the champion scores, and serves nobody.
 * - `canary`: it serves a share of the hosts.
 * - `probation`: it was promoted, and the champion before scores the rows beside it.
 */
export const PHASES = [
  'watching',
  'collecting',
  'training',
  'shadowing',
  'canary',
  'probation',
] as const;
export type Phase = (typeof PHASES)[number];

export type KeeperState = {
  readonly mode: KeeperMode;
  readonly phase: Phase;
  /** When the phase began. */
  readonly sinceMs: number;
  /** As they were when they were last looked at. */
  readonly aliases: Aliases;
  /** When the champion was promoted, as far as that was seen; null: before, or it went back to it. */
  readonly promotedAtMs: number | null;
  /** Since when inputs or losses are not what they were, without a break; null: they are. */
  readonly driftSinceMs: number | null;
  /** Comparisons in this phase. */
  readonly looks: number;
  /** Comparisons of the same two in their phases before: all of them share one doubt. */
  readonly earlierLooks: number;
  /** What the two said in the shadow is there to judge a trial by: not after a restart. */
  readonly hasShadow: boolean;
  /** A probation that is over has had its last look. */
  readonly isEnding: boolean;
  /** A training is under way: it takes long, and everything else goes on meanwhile. */
  readonly training: boolean;
  /** Challengers in a row that were not good enough. */
  readonly refusals: number;
  /** Nothing is trained before; −∞: nothing was. */
  readonly coolDownUntilMs: number;
  /** Which thing was said last, so that it is not said at every look. */
  readonly said: string;
};

export type KeeperSettings = {
  /** Failures in the window of the skill, below which it says nothing. */
  readonly skillLeastFailures: number;
  /** Failures whose part is known that a training takes. */
  readonly trainingLeastFailures: number;
  /** So many new failures are reason enough to train. */
  readonly retrainAfterFailures: number;
  readonly collectMsMax: number;
  /** After a training; twice as long after each refusal in a row. */
  readonly coolDownMs: number;
  readonly coolDownMsMax: number;
  /** Failures behind the first comparison; each further one takes twice as many. */
  readonly firstLookFailures: number;
  /** Of each phase. */
  readonly looksMax: number;
  /** Chance, over all looks together, that a bound was too high. */
  readonly doubt: number;
  readonly shadowMsMax: number;
  readonly canaryPercent: number;
  readonly canaryMs: number;
  /** With enough failures and what the shadow had; else a trial lasts as long as a shadow may. */
  readonly canaryMsMax: number;
  readonly probationMs: number;
};

const HOUR_MS = 3_600_000;

export const DEFAULT_KEEPER_SETTINGS: KeeperSettings = {
  skillLeastFailures: 20,
  trainingLeastFailures: 20,
  retrainAfterFailures: 500,
  collectMsMax: 14 * 24 * HOUR_MS,
  coolDownMs: 6 * HOUR_MS,
  coolDownMsMax: 7 * 24 * HOUR_MS,
  firstLookFailures: 10,
  looksMax: 6,
  doubt: 0.05,
  shadowMsMax: 14 * 24 * HOUR_MS,
  canaryPercent: 25,
  canaryMs: 2 * HOUR_MS,
  canaryMsMax: 12 * HOUR_MS,
  probationMs: 24 * HOUR_MS,
};

/** What a keeper sees when it looks around. */
export type Sight = {
  /** Whole sentences, what matters most first; of inputs and of losses. */
  readonly drift: {
    readonly lossesRose: boolean;
    readonly inputsMoved: boolean;
    readonly reasons: readonly string[];
  };
  /** Of the risks that were served lately. */
  readonly skill: {readonly skill: number; readonly failures: number};
  /**
   * Failures that could teach; those that came after the last training that a model came of; and
   * those since {@link learnsFromMs}.
   */
  readonly examples: {
    readonly failures: number;
    readonly newFailures: number;
    readonly sinceFailures: number;
  };
  /** Told since the phase began. */
  readonly failures: number;
};

export type KeeperEvent = {readonly atMs: number; readonly aliases: Aliases} & (
  | {readonly kind: 'looked'; readonly sight: Sight}
  /** A model was trained and taken into the registry. */
  | {readonly kind: 'trained'; readonly hash: string}
  | {readonly kind: 'judged'; readonly judgement: Judgement}
  /** A step is done, or did not come about; `aliases` are those after it. */
  | {readonly kind: 'done'; readonly step: Step}
  | {readonly kind: 'failed'; readonly step: Step; readonly why: string}
  /** Of the two that are compared this one cannot be opened, or does not fit. */
  | {readonly kind: 'unfit'; readonly hash: string; readonly why: string}
);

/** An event without its time and the aliases of that moment. */
export type Happened = {
  [Kind in KeeperEvent['kind']]: Omit<Extract<KeeperEvent, {kind: Kind}>, 'atMs' | 'aliases'>;
}[KeeperEvent['kind']];

/** What to do. `why` is a whole sentence with its numbers. */
export type Step = {readonly why: string} & (
  | {readonly kind: 'train'; readonly parent: string; readonly coolDownUntilMs: number}
  | {readonly kind: 'challenge'; readonly hash: string}
  | {
      readonly kind: 'judge';
      readonly champion: string;
      readonly challenger: string;
      readonly look: number;
      readonly doubt: number;
    }
  | {readonly kind: 'canary'; readonly hash: string; readonly percent: number}
  | {readonly kind: 'promote'; readonly hash: string}
  /** The challenger loses its name. */
  | {readonly kind: 'withdraw'; readonly hash: string; readonly coolDownUntilMs: number}
  /** The champion before serves again. */
  | {readonly kind: 'rollback'; readonly hash: string; readonly coolDownUntilMs: number}
  /** For the audit log: what was found. */
  | {readonly kind: 'note'; readonly what: 'drift' | 'kept' | 'training-failed'}
  /** For people: what it would do, or why it does nothing. */
  | {readonly kind: 'say'}
);

export type Decision = {readonly state: KeeperState; readonly steps: readonly Step[]};

/** What happened before teaches nothing of what has changed; +∞: nothing is being collected. */
export function learnsFromMs({driftSinceMs, phase, sinceMs}: KeeperState): number {
  if (driftSinceMs !== null) return driftSinceMs;
  return phase === 'collecting' ? sinceMs : Number.POSITIVE_INFINITY;
}

/** As each phase begins. */
export const NOTHING_COMPARED = {looks: 0, earlierLooks: 0, hasShadow: false, isEnding: false};

/** What is left of a keeper that was here before. */
export type KeeperMemory = Pick<KeeperState, 'refusals' | 'coolDownUntilMs'> &
  Partial<Pick<KeeperState, 'phase' | 'sinceMs' | 'earlierLooks'>>;

export function createKeeperState(
  mode: KeeperMode,
  aliases: Aliases,
  atMs: number,
  memory: KeeperMemory,
): KeeperState {
  const state = {mode, phase: 'watching' as Phase, sinceMs: atMs, aliases};
  const promotedAtMs = memory.phase === 'probation' ? atMs : null;
  return {
    ...state,
    promotedAtMs,
    driftSinceMs: null,
    ...NOTHING_COMPARED,
    training: false,
    said: '',
    ...memory,
  };
}
