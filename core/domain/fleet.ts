import type {StateOfHost, StateOfVm} from './fleet-state.ts';
import type {RiskCurve} from './lead-time.ts';

/** A host as the planner sees it at one tick. */
export type HostView = StateOfHost & {
  name: string;
  cell: string;
  rack: string;
  cpuCores: number;
  memoryBytes: number;
  migrationBytesPerSecond: number;
  capabilities: readonly string[];
  observeOnly: boolean;
  /** How its risk comes, if a reboot counts; absent: at any time within the horizon. */
  curve?: RiskCurve | undefined;
  /** Whether people have scheduled a shutdown within the horizon. */
  announced: boolean;
};

/** A VM as the planner sees it at one tick. */
export type VmView = StateOfVm & {
  name: string;
  cpuCores: number;
  memoryBytes: number;
  /** Declared × learned. */
  criticality: number;
  /** What decides whether memory may be held for it: nothing that is learned takes that away. */
  declaredCriticality: number;
  /** What a copy has to reckon with; 0: not known. */
  dirtyBytesPerSecond: number;
  antiAffinityGroup: string;
  pinnedReason: string;
};

/** One cell at one tick: immutable input of the planner. Hosts and VMs ascend by name. */
export type CellView = {
  cell: string;
  nowMs: number;
  hosts: readonly HostView[];
  vms: readonly VmView[];
  /** VMs whose hourly moves count against the budget. */
  movesLastHour: number;
};
