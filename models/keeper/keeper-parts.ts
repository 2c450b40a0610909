/** What a keeper is made of, and what it works with; the composition root brings the parts. */
import type {DriftReport, KeeperSight} from '../../core/domain/drift/report.ts';
import type {HostOutcome, ObservedRows} from '../../core/domain/observed.ts';
import type {Scorer} from '../../core/ports.ts';
import type {Entry} from '../registry/entry.ts';
import type {Registry} from '../registry/registry.ts';
import type {KeeperMode, KeeperSettings, Phase, Sight} from './keeper-state.ts';
import type {RowLoss, SkillFigures} from './live-skill.ts';

/** Rows with what came of them, to learn from. */
export type Examples = {
  observe(rows: ObservedRows): void;
  tell(outcome: HostOutcome): void;
  /** Failures that could teach, and how many of them are new, and came after a time. */
  count(sinceMs: number): Sight['examples'];
  /** A model came of the last training. */
  taught(): void;
};

/** Whether the world is still as a champion learned it. */
export type Drift = {
  observe(rows: ObservedRows): void;
  settle(losses: readonly RowLoss[]): void;
  report(nowMs: number): Sight['drift'] & {readonly report?: DriftReport};
};

export type TrainingJob = {
  /** Folder of the entry that is trained on top of. */
  readonly parent: string;
  readonly seed: number;
};

export type Trained = {
  /** An artefact, as `forestay train` writes one. */
  readonly folder: string;
  /** SHA-256 of the rows that it learned from. */
  readonly dataHash: string | null;
};

/** Scores all hosts, or a share of them, by a model: the command of every partition's inbox. */
export type SwitchModel = (command: {
  readonly modelHash: string;
  readonly percent: number;
  readonly comment: string;
}) => Promise<void>;

export type KeeperClock = {
  /** Of the audit log: people's time. */
  nowMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export type KeeperOptions = {
  readonly family: string;
  readonly mode: KeeperMode;
  readonly registry: Registry;
  /** Opens an entry; errors as those of `ModelSource`. */
  open(hash: string): Promise<Scorer>;
  readonly examples: Examples;
  /** Ends when the signal is aborted. Errors: any; it is told and cools down. */
  train(job: TrainingJob, signal: AbortSignal): Promise<Trained>;
  drift(champion: Pick<Entry, 'drift' | 'featureHash'>): Drift;
  readonly switchModel: SwitchModel;
  readonly clock: KeeperClock;
  /** For people: whole sentences. */
  tell(line: string): void;
  /** For metrics. */
  onChange?(change: KeeperChange): void;
  readonly codeVersion: string;
  /** Artefact that serves where nobody was promoted yet: it becomes the first champion. */
  readonly configured?: string | undefined;
  readonly settings?: Partial<KeeperSettings>;
  readonly limits?: Partial<KeeperLimits>;
};

export type KeeperChange = {
  readonly phase: Phase;
  /** What was done or found; `phase`: only that changed. */
  readonly what: string;
  readonly model: string;
};

/** Times are of the rows but for the last two. */
export type KeeperLimits = {
  readonly horizonMs: number;
  /** So long after it happened an outcome is told, as a rule. */
  readonly settleMs: number;
  /** Without rows of a partition for longer nobody has watched its hosts. */
  readonly gapMs: number;
  readonly lookEveryMs: number;
  readonly skillEveryMs: number;
  readonly skillWindowMs: number;
  /** Of more hosts a share is judged, chosen by their names. */
  readonly hostsMax: number;
  /** Of each book; it must hold a few hours of as many hosts. */
  readonly rowsMax: number;
  /** Steps that wait for the keeper; of more the oldest goes. */
  readonly queueMax: number;
  /** For opening, scoring, changing aliases and telling the core. */
  readonly callMsMax: number;
  readonly trainMsMax: number;
};

const MINUTE_MS = 60_000;

export const DEFAULT_KEEPER_LIMITS: KeeperLimits = {
  horizonMs: 30 * MINUTE_MS,
  settleMs: 10 * MINUTE_MS,
  gapMs: 12 * MINUTE_MS,
  lookEveryMs: 5 * MINUTE_MS,
  skillEveryMs: 60 * MINUTE_MS,
  skillWindowMs: 24 * 60 * MINUTE_MS,
  hostsMax: 5000,
  rowsMax: 100_000,
  queueMax: 256,
  callMsMax: MINUTE_MS,
  trainMsMax: 60 * MINUTE_MS,
};

export type Keeper = {
  /** Takes a step's rows; returns at once. */
  observe(rows: ObservedRows): void;
  outcome(outcome: HostOutcome): void;
  /** How the risks that were served did in a time of rows, as far as it is known what came. */
  figures(fromMs: number, untilMs: number): Promise<SkillFigures>;
  status(): KeeperStatus;
  /** Resolves when all that was told is dealt with, and no training is under way. */
  idle(): Promise<void>;
  /** Takes nothing more, ends a training, lets go of models. */
  close(): Promise<void>;
};

export type KeeperStatus = KeeperSight & {
  readonly phase: Phase;
  /** Steps that went unseen because too many waited. */
  readonly dropped: number;
};
