/**
 * Everything that one partition knows. It changes only inside a tick (tick.ts), from the tick's
 * inputs, so that the same inputs give the same state wherever they are read.
 */
import type {CellLayer} from '../domain/cell-layer.ts';
import {BUILT_IN_METRIC_SETS} from '../domain/metric-sets.ts';
import type {ModelUse} from '../domain/model-use.ts';
import type {Policy} from '../domain/policy.ts';
import type {Control, Cut} from '../domain/records.ts';
import type {Restraint} from '../domain/skill/restraint.ts';
import type {SkillState} from '../domain/skill/skill-state.ts';
import type {InventoryHost, InventoryVm, TimeBase} from '../domain/telemetry.ts';
import type {ModelSignature} from '../ports.ts';
import {ActorDirectory} from './actor-directory.ts';
import type {DueSamples} from './due-samples.ts';
import type {LastOutage, UnexplainedBoot} from './host-outcomes.ts';
import {createMarks, type Marks} from './marks.ts';
import {RunningEffects} from './running-effects.ts';
import {createSetTable, type SetTable} from './set-table.ts';
import {SortedMap} from './sorted-map.ts';

export type HostEntry = {
  name: string;
  cell: string;
  /** Undefined until an inventory names the host: it is watched, never acted upon. */
  facts: InventoryHost | undefined;
  /** Table and row of its scored samples. */
  table: string;
  row: number;
  /** Tick time when its telemetry was last taken. */
  heardAtMs: number;
  /** When its newest inventory was made, by its edge's clock; at most tick time. 0: none yet. */
  toldAtMs: number;
  /** When its present boot was first heard of, by its edge's clock; 0: it is the first one. */
  bootAtMs: number;
  /** Boot id at the time of the loss: another one proves that it is back. */
  lostBootId: string;
  /** When proof of its loss was asked for; absent: it is not lost. */
  lostAtMs?: number;
  /** What an edge says after this shows that its host is back, whatever its boot id. */
  returnsAfterMs?: number;
  /** When it was down last, or is now; absent: it never was. */
  outage?: LastOutage;
  failedAtMs: number;
  clearedAtMs: number;
  /** When its risk came into the band last; absent: it never did. */
  raisedAtMs?: number;
  frozen: boolean;
};

export type VmEntry = {
  name: string;
  cell: string;
  facts: InventoryVm;
  table: string;
  row: number;
  movedAtMs: number;
  /** When the newest inventory that named it was made, by its edge's clock; at most tick time. */
  seenAtMs: number;
  /** The host of that inventory. */
  seenOn: string;
  failedAtMs: number;
  /** How fast its memory changed while it was last moved; NaN: never moved. */
  dirtiedBytesPerSecond: number;
  /** Inventories of its host in a row that did not name it; counted up to two. */
  missing: number;
  /** Tick time of the first of them. */
  missingSinceMs: number;
};

export type PartitionState = {
  readonly partition: number;
  readonly policy: Policy;
  /** What hosts are scored by; the champion, or the configured model until one is named. */
  model: ModelSignature;
  /** What a share of the hosts tries; undefined: nothing. */
  canary: {model: ModelSignature; percent: number} | undefined;
  /** What commands asked for; undefined: none did. */
  use: ModelUse | undefined;
  epoch: number;
  /** Number of the last tick that was written. */
  tickNumber: number;
  timeMs: number;
  timeBase: TimeBase | undefined;
  cut: Cut;
  control: Control;
  marks: Marks;
  tables: Map<string, SetTable>;
  hosts: SortedMap<HostEntry>;
  vms: SortedMap<VmEntry>;
  actors: ActorDirectory;
  /** Effects without a result yet, by id. */
  running: RunningEffects;
  /** What was last decided about an entity, and when it was recorded. */
  decided: Map<string, {key: string; atMs: number}>;
  /** Times of the moves of the last hour, by cell. */
  moves: Map<string, number[]>;
  /** Ids of commands with what they asked for ({@link requestBody}), newest last; bounded. */
  requests: Map<string, string>;
  plannedAtMs: number;
  /** What each cell has learned of its own hosts. */
  layers: Map<string, CellLayer>;
  cellsAskedAtMs: number;
  /** By cell: whether prediction has helped so far. */
  skills: Map<string, SkillState>;
  /** By cell: models of which it was told that they help, or not; the newest last. */
  restraints: Map<string, readonly Restraint[]>;
  /** By host: boots of which it is not known yet how the host had gone down. */
  unexplained: Map<string, UnexplainedBoot>;
  /** Beginning of the grid step in which hosts were last forecast. */
  forecastAtMs: number;
  /** Score every so many samples of a row; 0: hosts are scored as they are, not samples. */
  everySamples: number;
  /** Samples whose risks have not been applied, by request. */
  unscored: DueSamples[];
};

export function createPartitionState(
  partition: number,
  policy: Policy,
  model: ModelSignature,
): PartitionState {
  return {
    partition,
    policy,
    model,
    canary: undefined,
    use: undefined,
    epoch: 0,
    tickNumber: 0,
    timeMs: 0,
    timeBase: undefined,
    cut: {telemetryOffset: 0, inboxOffset: 0, scoreRequest: 0},
    control: {mode: policy.mode, paused: false, policyVersion: policy.version},
    marks: createMarks(),
    tables: new Map(BUILT_IN_METRIC_SETS.map(set => [set.name, createSetTable(set, model)])),
    hosts: new SortedMap(),
    vms: new SortedMap(),
    actors: new ActorDirectory(),
    running: new RunningEffects(),
    decided: new Map(),
    moves: new Map(),
    requests: new Map(),
    plannedAtMs: 0,
    layers: new Map(),
    cellsAskedAtMs: 0,
    skills: new Map(),
    restraints: new Map(),
    unexplained: new Map(),
    forecastAtMs: 0,
    everySamples: 0,
    unscored: [],
  };
}

/** The row of a host's band and risk, or undefined while it has none. */
export function bandRow(
  state: PartitionState,
  host: HostEntry,
): {table: SetTable; row: number} | undefined {
  const table = state.tables.get(host.table);
  return table === undefined || host.row < 0 ? undefined : {table, row: host.row};
}

/** Inside the at-risk band. */
export function isAtRisk(state: PartitionState, host: HostEntry): boolean {
  const found = bandRow(state, host);
  return found !== undefined && found.table.bands.band[found.row] === 1;
}

/** Map keys in ascending order: what makes a fold's order canonical. */
export function sortedKeys<Value>(map: SortedMap<Value>): readonly string[] {
  return map.sortedKeys();
}
