/** What a watch over a champion says of drift (models/keeper/drift-watch.ts). */
import type {FeatureDrift} from './input-drift.ts';
import type {DriftVerdict, LossDrift} from './verdict.ts';

export type ClassDrift = {
  /** Empty: hosts whose hardware nobody told. */
  readonly hardware: string;
  /** Within the window. */
  readonly hosts: number;
  readonly rows: number;
  /** The furthest first. */
  readonly inputs: readonly FeatureDrift[];
  /** None if there is but one class: they are the fleet's. */
  readonly losses: readonly LossDrift[];
  readonly verdict: DriftVerdict;
};

/** Plain JSON. */
export type DriftReport = {
  readonly atMs: number;
  /** Whether there is a snapshot to compare with. */
  readonly knowsInputs: boolean;
  /** Of the fleet, or of some class. */
  readonly lossesRose: boolean;
  readonly inputsMoved: boolean;
  /** The worst first. */
  readonly classes: readonly ClassDrift[];
  /** Of the whole fleet. */
  readonly losses: readonly LossDrift[];
  /** The gravest of the fleet's and its classes'; a reason names its class, if there are several. */
  readonly verdict: DriftVerdict;
  /** Spells of hosts whose loss was taken; see host-spells.ts. */
  readonly outcomes: number;
  /** Classes that went because there were too many, and rows of another contract. */
  readonly classesDropped: number;
  readonly rowsForeign: number;
};

/** What the keeper of a core is at, for people. */
export type KeeperSight = {
  readonly mode: 'watch' | 'auto';
  readonly phase: string;
  /** When the phase began, on the time of the rows; 0: no row was seen yet. */
  readonly sinceMs: number;
  /** What it said last, why it did something or why not; empty: it said nothing yet. */
  readonly because: string;
  /** Nothing is trained before; null: nothing was. */
  readonly coolDownUntilMs: number | null;
  /** As it was told last; undefined: nobody was promoted yet, or no host was heard for long enough. */
  readonly drift: DriftReport | undefined;
};
