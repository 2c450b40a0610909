import type {HostAnomaly} from './anomaly/fleet-watch.ts';
import type {Component} from './components.ts';
import type {Counterfactual} from './counterfactual.ts';
import type {Decision, Reason} from './decision.ts';
import type {EffectResult, IssuedEffect} from './effects.ts';
import type {ModelUse} from './model-use.ts';
import type {Mode} from './policy.ts';
import type {CellSkill} from './skill/cell-skill.ts';
import type {Restraint} from './skill/restraint.ts';
import type {InventoryHost} from './telemetry.ts';
import type {WorkloadProfile} from './workload-profile.ts';

/** What may arrive in a partition's inbox. `requestId` makes a repeat harmless. */
export type InboxRecord = {requestId: string; atMs: number; author: string} & (
  | {kind: 'effect-result'; result: EffectResult}
  | {
      kind: 'register-metric-set';
      name: string;
      entityKind: 'host' | 'vm';
      columns: readonly string[];
    }
  | {kind: 'pause'; comment: string}
  | {kind: 'resume'; comment: string}
  | {kind: 'set-mode'; mode: Mode}
  /** Score so many percent of the hosts by this model; all of them: from now on. */
  | {kind: 'switch-model'; modelHash: string; percent: number; comment: string}
  /** Let the models of this cell act ahead of failures, although they do not seem to help. */
  | {kind: 'lift-restraint'; cell: string; comment: string}
  /**
   * An operator's word that a host is gone or back: `host.lost` needs proof, this is one. And which of
   * its parts has failed; absent: nothing is said of that.
   */
  | {kind: 'declare-host'; host: string; state: 'lost' | 'returned'; part?: Component}
);

/** Where a tick cut its inputs: everything below these offsets and this request is in it. */
export type Cut = {telemetryOffset: number; inboxOffset: number; scoreRequest: number};

/** One move of one actor. */
export type Transition = {
  /** `hosts/h01` or `vms/v17`. */
  actor: string;
  machine: string;
  machineVersion: number;
  /** Counts the transitions of this actor from 1. */
  seq: number;
  /** Dotted state paths: `at-risk.watching`. */
  from: string;
  to: string;
  event: string;
  /** The actor's context after the move, as canonical JSON. */
  context: string;
};

/** Risks of one row as they were applied: what a replay needs instead of a model. */
export type AppliedRisk = {
  host: string;
  risks: Float32Array;
  /** Log-odds by which what the cell has learned has moved them; absent: by nothing. */
  learned?: number;
};

/**
 * Risks of samples as they were applied, in that order: row i is a sample of host `hosts[host[i]]`
 * at `atMs[i]`; `risks` is rows × components.
 */
export type SampleRisks = {
  components: readonly string[];
  hosts: readonly string[];
  host: Uint32Array;
  atMs: Float64Array;
  risks: Float32Array;
};

/** How a VM works, as it was told. */
export type VmWorkload = WorkloadProfile & {vm: string};

/** Everything one step of a partition did. The unit of atomicity and of replay. */
export type Tick = {
  timeMs: number;
  epoch: number;
  number: number;
  cut: Cut;
  transitions: readonly Transition[];
  risks: readonly AppliedRisk[];
  /** Where samples are scored, not hosts; absent: none. */
  sampleRisks?: readonly SampleRisks[];
  /** Every so many samples of a host are scored, and holds go by their times; absent: hosts are. */
  everySamples?: number;
  timers: readonly {actor: string; dueMs: number}[];
  effects: readonly IssuedEffect[];
  decisions: readonly Decision[];
  /** Hosts whose inventory changed, whole: placement is part of the journal. */
  inventory: readonly InventoryHost[];
  /** VMs of which it is known anew how they work; absent: none. */
  workloads?: readonly VmWorkload[];
  /** Present when it changed. */
  control?: Control;
  /** The champion. */
  modelHash: string;
  /** Which models are in use, after a command that asked for others; absent: as before. */
  models?: ModelUse;
  /** Cells in which acting ahead of failures was given up, or taken up again; absent: none. */
  restraints?: readonly CellRestraint[];
  /** Outputs of the model where they are not the usual ones ({@link COMPONENTS}); absent: they are. */
  components?: readonly string[];
  /** Ticks before this one that took input, changed nothing and were not written; absent: none. */
  quiet?: readonly QuietTick[];
};

/** When and where a tick that changed nothing cut its inputs: a replay steps it as well. */
export type QuietTick = {timeMs: number; cut: Cut};

/** Whether a model may act ahead of failures in a cell. */
export type CellRestraint = Restraint & {readonly cell: string};

/** How much the partition may do by itself. */
export type Control = {mode: Mode; paused: boolean; policyVersion: number};

export type Epoch = {epoch: number; owner: string; address: string};

/** Points at a complete checkpoint. */
export type CheckpointPointer = {
  epoch: number;
  tickNumber: number;
  firstOffset: number;
  chunks: number;
  crc32: number;
};

/** A record of the journal. A tick above the size limit is written in numbered parts. */
export type JournalRecord =
  | {kind: 'epoch'; epoch: Epoch}
  | {kind: 'tick'; tick: Tick}
  | {
      kind: 'tick-part';
      epoch: number;
      number: number;
      part: number;
      parts: number;
      bytes: Uint8Array;
    }
  | {kind: 'checkpoint'; pointer: CheckpointPointer};

/** A record of the scores topic: for display and stores, never an input. */
export type ScoresRecord = {
  /** What hosts are judged by, or what is shown of the days ahead. */
  kind: 'risk' | 'outlook';
  timeMs: number;
  epoch: number;
  tickNumber: number;
  modelHash: string;
  /** Of the feature contract that the risks were computed from; 0: an older core did not say. */
  featureHash: number;
  hosts: readonly string[];
  /** hosts × components, row-major. */
  risks: Float32Array;
  components: readonly string[];
  /** Of the rows above the enter threshold. */
  reasons: readonly RowReasons[];
  /** How odd hosts were in a minute, not those of the risks; absent: nothing was found. */
  anomalies?: readonly HostAnomaly[];
  /** Whether prediction has helped so far, in cells; absent: nothing is said of that. */
  skills?: readonly CellSkill[];
};

/** Why the risk of a row is what it is. */
export type RowReasons = {
  row: number;
  component: string;
  /** Largest first. */
  reasons: readonly Reason[];
  /** Absent: nothing that was tried would bring the risk below the threshold. */
  counterfactual?: Counterfactual;
  /** Ids of decisions that rest on this risk. */
  decisions: readonly string[];
};
