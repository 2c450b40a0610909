/**
 * What a partition tells those who tend its models: the rows that its hosts were forecast from, and
 * what became of the hosts. Never an input of a tick.
 */
import type {Component} from './components.ts';

/** Rows of all hosts that were forecast in one step of the grid (skill-settings.ts), as they were scored. */
export type ObservedRows = {
  readonly partition: number;
  readonly atMs: number;
  /** Of the contract of the columns. */
  readonly featureHash: number;
  readonly featureCount: number;
  /** One a row. */
  readonly hosts: readonly ObservedHost[];
  /** Rows × features; NaN is missing. The reader's own. */
  readonly features: Float32Array;
  /** What the risks are of. */
  readonly outputs: readonly string[];
  /** Rows × outputs: what the model said, before the cell's own shift. */
  readonly risks: Float32Array;
};

export type ObservedHost = {
  readonly name: string;
  readonly cell: string;
  /** Model of the machine, as its vendor names it; empty: not told. */
  readonly hardware: string;
  /** The model that scored the row. */
  readonly modelHash: string;
  /** Since when the host runs, on the time of the ticks; 0: it ran when it was first heard. */
  readonly bootAtMs: number;
};

/** What became of a host, or was done to it because a risk was high. */
export type HostOutcome = {
  readonly partition: number;
  readonly host: string;
  readonly cell: string;
  /** When it happened. */
  readonly atMs: number;
  /** Time of the tick that came upon it. */
  readonly recordedAtMs: number;
} & (
  | {
      /**
       * As `Outcome` of skill-events.ts. One whose part people name later is told again, as of the same
       * time: `lost` while the host is down, `crashed` once it runs again.
       */
      readonly kind: 'lost' | 'crashed' | 'rebooted' | 'taken-away' | 'unwatched' | 'returned';
      /** The part that failed; empty: not known. */
      readonly component: Component | '';
    }
  | {
      /** A VM of it was moved, or its ghost armed; the host goes on and is watched. */
      readonly kind: 'evacuated';
      /** The part and the risk that brought the host into the band; empty: no part, a reboot say. */
      readonly component: Component | '';
      readonly risk: number;
      /** How likely the VM was to be acted upon: below 1 in a trial of acting. */
      readonly propensity: number;
    }
);
