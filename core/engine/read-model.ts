/**
 * What people and orchestrators see: a fold over the records that count in the journals, and over
 * scores. Nothing here decides anything.
 *
 * M1 Fed the same records in the same order per partition, it shows the same, wherever they are
 *    read.
 * M2 Memory is bounded by the size of the fleet: histories, effects and decisions are rings.
 * M3 A watcher holds at most one mark a resource: a slow one misses states, never the last one.
 * M4 A risk that moves by less than {@link RISK_STEP} wakes no watcher, nor does a host that is as
 *    odd as it was; Get and List show both.
 */
import type {BaseContext, HostContext, VmContext} from '../../statecharts/events.ts';
import type {HostAnomaly} from '../domain/anomaly/fleet-watch.ts';
import type {Counterfactual} from '../domain/counterfactual.ts';
import type {Decision, Reason} from '../domain/decision.ts';
import type {IssuedEffect} from '../domain/effects.ts';
import type {ModelUse} from '../domain/model-use.ts';
import type {Control, Transition} from '../domain/records.ts';
import type {CellSkill} from '../domain/skill/cell-skill.ts';
import type {InventoryHost, InventoryVm, TimeBase} from '../domain/telemetry.ts';
import type {WorkloadProfile} from '../domain/workload-profile.ts';
import {Ring} from './read-model-ring.ts';
import {SortedNames} from './sorted-names.ts';

export const RISK_STEP = 0.01;
const DECISIONS_MAX = 10_000;
/** Of all actors together; each keeps at most {@link HISTORY_PER_ACTOR_MAX}. */
const TRANSITIONS_MAX = 200_000;
const GONE_MAX = 10_000;
export const HISTORY_PER_ACTOR_MAX = 50;
export const EFFECTS_PER_ACTOR_MAX = 20;

export type HistoryEntry = Transition & {atMs: number};

export type ActorRow = {
  machine: string;
  machineVersion: number;
  /** Dotted path. */
  state: string;
  context: BaseContext & Partial<HostContext> & Partial<VmContext>;
  contextJson: string;
  /** When `deadline.passed` is due; 0: never. */
  dueMs: number;
  /** Oldest first. */
  history: HistoryEntry[];
};

type Row = {
  /** Resource name. */
  name: string;
  partition: number;
  /** Undefined until its actor has moved: it is normal. */
  actor: ActorRow | undefined;
  /** Oldest first. */
  effects: (IssuedEffect & {atMs: number})[];
  updatedAtMs: number;
  /** Whoever has read the journal below this offset has seen the row as it is. */
  shownFrom: number;
};

/** Why a risk is what it is. */
export type Explanation = {
  reasons: readonly (Reason & {component: string})[];
  counterfactual: Counterfactual | undefined;
};

export type HostRow = Row & {
  facts: InventoryHost | undefined;
  /** NaN: never scored. */
  risk: number;
  /** The risk that watchers were last woken for. */
  shownRisk: number;
  componentRisks: readonly {component: string; risk: number}[];
  explanation: Explanation;
  /** Risks within a day and a week. */
  outlook: readonly {component: string; risk: number}[];
  scoredAtMs: number;
  modelHash: string;
  /** Log-odds by which the cell's own past has moved the risks. */
  learned: number;
  /** How odd it was in its last minute; undefined: nothing was heard of that. */
  anomaly: HostAnomaly | undefined;
  /** Resource names of the VMs that run here. */
  vms: Set<string>;
  /** The partitions that know it, and whether it is silent there. Several: its cell was changed. */
  silentIn: Map<number, boolean>;
};

export type VmRow = Row & {
  facts: InventoryVm | undefined;
  /** As last told; undefined: never. */
  workload: WorkloadProfile | undefined;
  /** Bare name of the host; empty: not known. */
  host: string;
};

export type PartitionRow = {
  /** Journal offset below which everything has been applied. */
  nextOffset: number;
  /** Inbox offset below which the newest tick took everything; -1: not known. */
  inboxOffset: number;
  epoch: number;
  /** Who wrote the newest EPOCH, and where it serves; empty: not known. */
  owner: string;
  address: string;
  tickNumber: number;
  timeMs: number;
  /** Undefined until it is known; then it stays. */
  timeBase: TimeBase | undefined;
  /** Undefined until a tick carried it. */
  control: Control | undefined;
  modelHash: string;
  /** Undefined: no command has asked for another model. */
  models: ModelUse | undefined;
};

/** Somebody who wants to know what changed. */
export type ChangeMark = (name: string) => void;

export type ReadModel = {
  hosts: Map<string, HostRow>;
  vms: Map<string, VmRow>;
  /** Of {@link ReadModel.hosts} and {@link ReadModel.vms}. */
  hostNames: SortedNames;
  vmNames: SortedNames;
  partitions: Map<number, PartitionRow>;
  /** By cell: how its models have done, as last told. */
  skills: Map<string, readonly CellSkill[]>;
  decisions: Ring<Decision>;
  decisionById: Map<string, Decision>;
  /** Why the risk was what it was that a decision rests on; by its id, at most as many. */
  explanations: Map<string, Explanation>;
  /** Actors in the order of their transitions: whose history goes first. */
  transitions: Ring<string>;
  /** VMs without a host, and since when. */
  unplaced: Map<string, number>;
  /** What was forgotten lately, each as of an offset of its partition's journal. */
  gone: Ring<{name: string; partition: number; shownFrom: number}>;
  /** By partition: from which offset on {@link ReadModel.gone} has all. */
  goneFrom: Map<number, number>;
  watchers: Set<ChangeMark>;
};

export function createReadModel(
  limits: {decisions?: number; transitions?: number; gone?: number} = {},
): ReadModel {
  return {
    hosts: new Map(),
    vms: new Map(),
    hostNames: new SortedNames(),
    vmNames: new SortedNames(),
    partitions: new Map(),
    skills: new Map(),
    decisions: new Ring(limits.decisions ?? DECISIONS_MAX),
    decisionById: new Map(),
    explanations: new Map(),
    transitions: new Ring(limits.transitions ?? TRANSITIONS_MAX),
    unplaced: new Map(),
    gone: new Ring(limits.gone ?? GONE_MAX),
    goneFrom: new Map(),
    watchers: new Set(),
  };
}

/** The host's row; made if it is not there. `name` is a resource name. */
export function hostRow(model: ReadModel, partition: number, name: string): HostRow {
  let row = model.hosts.get(name);
  if (row === undefined) {
    row = {
      ...emptyRow(partition, name),
      facts: undefined,
      risk: Number.NaN,
      shownRisk: Number.NaN,
      componentRisks: [],
      explanation: {reasons: [], counterfactual: undefined},
      outlook: [],
      scoredAtMs: 0,
      modelHash: '',
      learned: 0,
      anomaly: undefined,
      vms: new Set(),
      silentIn: new Map(),
    };
    model.hosts.set(name, row);
    model.hostNames.add(name);
  }
  row.partition = partition;
  return row;
}

/**
 * Another partition that hears the host (bare name), if there is one. Names are the fleet's: an edge
 * that was given another cell is missed in the former one, where its host only seems to be silent.
 */
export function heardElsewhere(
  {hosts}: ReadModel,
  host: string,
  partition: number,
): number | undefined {
  for (const [other, isSilent] of hosts.get(`hosts/${host}`)?.silentIn ?? []) {
    if (other !== partition && !isSilent) return other;
  }
  return undefined;
}

/** The VM's row; made if it is not there. `name` is a resource name. */
export function vmRow(model: ReadModel, partition: number, name: string): VmRow {
  let row = model.vms.get(name);
  if (row === undefined) {
    row = {...emptyRow(partition, name), facts: undefined, workload: undefined, host: ''};
    model.vms.set(name, row);
    model.vmNames.add(name);
  }
  row.partition = partition;
  return row;
}

/** The row of any actor, made if it is not there; undefined if the name is of neither kind. */
export function actorRow(
  model: ReadModel,
  partition: number,
  name: string,
): HostRow | VmRow | undefined {
  if (name.startsWith('hosts/')) return hostRow(model, partition, name);
  return name.startsWith('vms/') ? vmRow(model, partition, name) : undefined;
}

/** Marks the row as changed by the record that follows the journal so far, and wakes who watches. */
export function touch(model: ReadModel, name: string): void {
  const row = model.hosts.get(name) ?? model.vms.get(name);
  if (row !== undefined) row.shownFrom = shownFrom(model, row.partition);
  for (const mark of model.watchers) mark(name);
}

/** What time it is for a partition: the wall's, but for a fleet that has a time of its own. */
export function nowOf({partitions}: ReadModel, partition: number, wallMs: number): number {
  const row = partitions.get(partition);
  return row?.timeBase === undefined || row.timeBase === 'live' ? wallMs : row.timeMs;
}

/** Forgets a VM; watchers, also those that come back later, are told. */
export function forget(model: ReadModel, {name, partition}: VmRow): void {
  model.vms.delete(name);
  model.vmNames.delete(name);
  const entry = {name, partition, shownFrom: shownFrom(model, partition)};
  const dropped = model.gone.push(entry);
  if (dropped !== undefined) model.goneFrom.set(dropped.partition, dropped.shownFrom);
  touch(model, name);
}

/** While a record is applied, the journal counts as read up to the one before. */
function shownFrom(model: ReadModel, partition: number): number {
  return (model.partitions.get(partition)?.nextOffset ?? 0) + 1;
}

/** The VM runs on this host from now on (bare name; empty: nowhere known, as of `atMs`). */
export function place(model: ReadModel, vm: VmRow, host: string, atMs: number): void {
  if (host === '') model.unplaced.set(vm.name, atMs);
  else model.unplaced.delete(vm.name);
  if (vm.host === host) return;
  const before = model.hosts.get(`hosts/${vm.host}`);
  if (before?.vms.delete(vm.name)) touch(model, before.name);
  vm.host = host;
  if (host !== '') {
    const now = hostRow(model, vm.partition, `hosts/${host}`);
    now.vms.add(vm.name);
    touch(model, now.name);
  }
  touch(model, vm.name);
}

function emptyRow(partition: number, name: string): Row {
  return {name, partition, actor: undefined, effects: [], updatedAtMs: 0, shownFrom: 0};
}
