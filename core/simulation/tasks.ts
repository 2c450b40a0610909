import type {EffectStatus, IssuedEffect} from '../domain/effects.ts';
import type {SimulatedHost, SimulatedVm} from './world.ts';

/** An effect under way. */
export type Task = {
  readonly id: string;
  readonly effect: IssuedEffect;
  readonly startedMs: number;
  /** Subject of the effect; a task on a host has no VM. */
  readonly vm: SimulatedVm | undefined;
  /** Where the VM was, or the host itself. */
  readonly host: SimulatedHost;
  /** Where memory is copied to; it holds room for the VM meanwhile. */
  readonly target: SimulatedHost | undefined;
  /** Bytes to copy in all; 0: this task copies nothing. */
  readonly totalBytes: number;
  leftBytes: number;
  sentBytes: number;
  /** How long it has been unable to gain on the VM's writes. */
  stalledMs: number;
  /** When it ends if nothing happens; infinite while it is unknown. */
  endsAtMs: number;
  status: EffectStatus;
  code: string;
  message: string;
  figures: Record<string, number>;
};
