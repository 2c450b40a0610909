import type {LedgerCounts} from '../learning/event-ledger.ts';
import type {Label} from '../learning/labels.ts';

/** Rows of the hosts that a model serves, with what became of them. */
export type ExampleSet = {
  readonly rows: number;
  /** Of the contract of the columns. */
  readonly featureHash: number;
  readonly featureCount: number;
  readonly outputs: readonly string[];
  readonly horizonSeconds: number;
  readonly hosts: readonly ExampleHost[];
  /** Rows × features; NaN is missing. */
  readonly features: Float32Array;
  /**
   * Rows × outputs: 1 if it failed within the horizon, 0 if not, NaN where nobody knows; between them
   * where it was prevented, perhaps: the chance that it would have failed. It counts as both.
   */
  readonly targets: Float32Array;
  /** How many rows each stands for: of those before which nothing failed a share is kept. */
  readonly weights: Float32Array;
  /** Place in `hosts`, by row. */
  readonly host: Int32Array;
  readonly atMs: Float64Array;
  /** Until the host next goes down by a failure; infinite if it is not known to. */
  readonly secondsToFailure: Float32Array;
  readonly counts: ExampleCounts;
};

export type ExampleHost = {
  readonly name: string;
  readonly cell: string;
  /** Model of the machine; empty: not told. */
  readonly hardware: string;
};

/** What the rows came from, and what of it could not be used. */
export type ExampleCounts = {
  /** Failures that teach, by output: distinct ones, each with at least one row before it. */
  readonly failures: Readonly<Record<string, number>>;
  /** Times that a host went down and nobody said why: they teach nothing. */
  readonly unnamed: number;
  /** Labels of the kept rows, by output. */
  readonly labels: Readonly<Record<string, Readonly<Record<Label, number>>>>;
  readonly ledger: Readonly<LedgerCounts>;
  readonly dropped: DroppedRows;
};

export type DroppedRows = {
  /** Of another feature contract, or of outputs that are not learned. */
  foreign: number;
  /** Not later than rows of the same partition. */
  outOfOrder: number;
  /** Of hosts that are not followed: the rows of all would be too many to wait for what comes. */
  waiting: number;
  /** Nobody can say what became of the host. */
  unknown: number;
  /** Nothing failed after them, and others stand for them. */
  thinned: number;
  /** The book was full of rows that are worth more. */
  full: number;
};

export function noneDropped(): DroppedRows {
  return {foreign: 0, outOfOrder: 0, waiting: 0, unknown: 0, thinned: 0, full: 0};
}
