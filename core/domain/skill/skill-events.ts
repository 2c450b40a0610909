/** What the proof of prediction is given, in the order of ticks (skill-fold.ts). */
import {COMPONENTS, type Component} from '../components.ts';
import {REBOOT} from '../risk.ts';

/**
 * Whether the host goes down at all: its risks combined ({@link combineRisks}). A reboot on purpose
 * belongs to it where the model speaks of reboots.
 */
export const ANY = 'any';

/** What is judged, each by itself. */
export const OUTPUTS = [...COMPONENTS, REBOOT, ANY] as const;
export type Output = (typeof OUTPUTS)[number];
export const OUTPUT_COUNT = OUTPUTS.length;
/** What a model says: all outputs but the combined one. */
export const SAID_COUNT = OUTPUT_COUNT - 1;
export const REBOOT_OUTPUT = OUTPUT_COUNT - 2;
export const ANY_OUTPUT = OUTPUT_COUNT - 1;

/** The risks of one host as they stood at a time; at most one a grid step of a host is taken. */
export type Forecast = {
  readonly host: string;
  readonly atMs: number;
  readonly modelHash: string;
  /** In the order of {@link OUTPUTS}, without the combined one; NaN: not said. */
  readonly risks: ArrayLike<number>;
};

/** A host came into the at-risk band. */
export type Alert = {
  readonly host: string;
  readonly atMs: number;
  readonly risk: number;
  readonly component: string;
  readonly modelHash: string;
};

/** Something that was done about a VM on a host at risk. */
export type Act = {
  /** The decision's. */
  readonly id: string;
  readonly action: 'migrate' | 'arm-ghost';
  readonly vm: string;
  readonly source: string;
  readonly target: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  /** Whether the VM had left, or its ghost stood, when it was finished. */
  readonly done: boolean;
  /** How long the VM stood still for it; NaN: not measured. */
  readonly blackoutMs: number;
  readonly criticality: number;
  readonly modelHash: string;
};

/**
 * What became of a host.
 *
 * - `lost`: it is down without anybody having wanted it; a fence by us because of its silence too.
 * - `crashed`: the same, but known only since it runs again.
 * - `rebooted`: somebody restarted it on purpose.
 * - `taken-away`: an operator powered it off or took it to repair while it ran.
 * - `unwatched`: nothing is known of it from here on.
 * - `returned`: it runs, and is watched.
 */
export type Outcome = {
  readonly host: string;
  /** When it happened, at most when it became known. */
  readonly atMs: number;
  readonly kind: 'lost' | 'crashed' | 'rebooted' | 'taken-away' | 'unwatched' | 'returned';
  /** Empty: not known. */
  readonly component: Component | '';
};
