/** How records change the read model (read-model.ts). */

import type {HostAnomaly} from '../domain/anomaly/fleet-watch.ts';
import {COMPONENTS} from '../domain/components.ts';
import type {Decision} from '../domain/decision.ts';
import type {IssuedEffect} from '../domain/effects.ts';
import {ForestayError} from '../domain/errors.ts';
import {modelHashOf} from '../domain/model-use.ts';
import type {Epoch, ScoresRecord, Tick, Transition, VmWorkload} from '../domain/records.ts';
import {combineRisks} from '../domain/risk.ts';
import type {InventoryHost} from '../domain/telemetry.ts';
import type {StoredActor} from './actor-row.ts';
import {
  type ActorRow,
  actorRow,
  EFFECTS_PER_ACTOR_MAX,
  type Explanation,
  forget,
  HISTORY_PER_ACTOR_MAX,
  type HostRow,
  hostRow,
  type PartitionRow,
  place,
  type ReadModel,
  RISK_STEP,
  touch,
  type VmRow,
  vmRow,
} from './read-model.ts';
import {lastRows} from './score-result.ts';

const NOTHING_KNOWN: PartitionRow = {
  nextOffset: 0,
  inboxOffset: -1,
  epoch: 0,
  owner: '',
  address: '',
  tickNumber: 0,
  timeMs: 0,
  timeBase: undefined,
  control: undefined,
  modelHash: '',
  models: undefined,
};

/** A VM that no host has named for this long is gone. */
const FORGET_AFTER_MS = 600_000;

/**
 * Applies a tick that counts; `nextOffset` is what follows it in the journal. Ticks of a partition
 * come in order; one that was applied before, from another source, is left out. O(what it did).
 * Errors: `RECORD_MALFORMED` if the context of an actor cannot be read.
 */
export function applyTick(
  model: ReadModel,
  partition: number,
  tick: Tick,
  nextOffset = partitionRow(model, partition).nextOffset + 1,
): void {
  const known = partitionRow(model, partition);
  if (nextOffset <= known.nextOffset) return;
  for (const host of tick.inventory) applyInventory(model, partition, host, tick.timeMs);
  for (const workload of tick.workloads ?? []) applyWorkload(model, workload);
  for (const transition of tick.transitions) {
    applyTransition(model, partition, transition, tick.timeMs);
  }
  for (const {actor, dueMs} of tick.timers) {
    const row = actorRow(model, partition, actor);
    if (row?.actor) row.actor.dueMs = dueMs;
  }
  for (const {host, risks, learned = 0} of tick.risks) {
    const row = hostRow(model, partition, `hosts/${host}`);
    applyRisks(model, row, tick.components ?? COMPONENTS, risks, tick.timeMs);
    row.learned = learned;
    row.modelHash = modelHashOf(tick.models ?? known.models, host, tick.modelHash);
  }
  for (const {components, hosts, host, atMs, risks} of tick.sampleRisks ?? []) {
    const width = components.length;
    for (const [of, at] of lastRows(host, hosts.length).entries()) {
      if (at < 0) continue;
      const row = hostRow(model, partition, `hosts/${hosts[of]}`);
      const newest = risks.subarray(at * width, (at + 1) * width);
      applyRisks(model, row, components, newest, atMs[at] as number);
      row.modelHash = tick.modelHash;
    }
  }
  for (const effect of tick.effects) applyEffect(model, partition, effect, tick.timeMs);
  for (const decision of tick.decisions) applyDecision(model, decision);
  forgetVms(model, partition, tick.timeMs);
  model.partitions.set(partition, {
    ...known,
    nextOffset,
    inboxOffset: tick.cut.inboxOffset,
    epoch: tick.epoch,
    tickNumber: tick.number,
    timeMs: tick.timeMs,
    control: tick.control ?? known.control,
    modelHash: tick.modelHash,
    models: tick.models ?? known.models,
  });
}

/** What its owner knows of a partition's time. */
export function applyTimeBase(
  model: ReadModel,
  partition: number,
  timeBase: PartitionRow['timeBase'],
): void {
  const row = model.partitions.get(partition);
  if (row !== undefined) row.timeBase ??= timeBase;
}

/** Applies a new owner's word. */
export function applyEpoch(
  model: ReadModel,
  partition: number,
  {epoch, owner, address}: Epoch,
  nextOffset = partitionRow(model, partition).nextOffset + 1,
): void {
  const known = partitionRow(model, partition);
  if (nextOffset <= known.nextOffset) return;
  model.partitions.set(partition, {...known, nextOffset, epoch, owner, address, tickNumber: -1});
}

/** Applies scores: live risk and reasons. They may come before or after the tick of their number. */
export function applyScores(model: ReadModel, partition: number, record: ScoresRecord): void {
  const width = record.components.length;
  const reasonsOf = Map.groupBy(record.reasons, ({row}) => row);
  record.hosts.forEach((host, index) => {
    const row = hostRow(model, partition, `hosts/${host}`);
    if (record.timeMs < row.scoredAtMs) return;
    const risks = record.risks.subarray(index * width, (index + 1) * width);
    if (record.kind === 'outlook') {
      row.outlook = named(record.components, risks);
      return;
    }
    applyRisks(model, row, record.components, risks, record.timeMs);
    row.modelHash = record.modelHash;
    // Reasons are computed every now and then: the last ones stand until there are newer ones.
    const found = reasonsOf.get(index);
    if (found === undefined) return;
    row.explanation = {
      reasons: found.flatMap(({component, reasons}) =>
        reasons.map(reason => ({...reason, component})),
      ),
      counterfactual: found[0]?.counterfactual,
    };
    for (const id of found.flatMap(({decisions}) => decisions)) explain(model, id, row.explanation);
  });
  for (const anomaly of record.anomalies ?? []) applyAnomaly(model, partition, anomaly);
  for (const [cell, skills] of Map.groupBy(record.skills ?? [], skill => skill.cell)) {
    model.skills.set(cell, skills);
  }
}

function applyAnomaly(model: ReadModel, partition: number, anomaly: HostAnomaly): void {
  const row = hostRow(model, partition, `hosts/${anomaly.host}`);
  const before = row.anomaly;
  if (before !== undefined && anomaly.atMs <= before.atMs) return;
  row.anomaly = anomaly;
  if (anomaly.isOdd !== (before?.isOdd ?? false)) touch(model, row.name);
}

/** Scores and journal are read side by side: the explanation may be there before its decision. */
function explain(model: ReadModel, id: string, explanation: Explanation): void {
  const {explanations, decisions} = model;
  explanations.set(id, explanation);
  if (explanations.size <= decisions.capacity) return;
  for (const oldest of explanations.keys()) {
    explanations.delete(oldest);
    return;
  }
}

/** What a checkpoint knows of a partition; for a reader that does not begin at the journal's start. */
export type PartitionImage = PartitionRow & {
  inventory: readonly InventoryHost[];
  workloads: readonly VmWorkload[];
  actors: readonly StoredActor[];
};

/**
 * Applies a checkpoint before the ticks that follow it. Histories begin there. One that is older than
 * what is shown already is left out.
 */
export function applyCheckpoint(model: ReadModel, partition: number, image: PartitionImage): void {
  const {inventory, workloads, actors, ...row} = image;
  const known = partitionRow(model, partition);
  if (row.nextOffset < known.nextOffset) return;
  row.timeBase ??= known.timeBase;
  if (row.owner === '') Object.assign(row, {owner: known.owner, address: known.address});
  model.partitions.set(partition, row);
  model.goneFrom.set(partition, row.nextOffset);
  for (const host of inventory) applyInventory(model, partition, host, image.timeMs);
  for (const workload of workloads) applyWorkload(model, workload);
  for (const {id, kind, machineVersion, seq, state, context} of actors) {
    const actor = actorRow(model, partition, id);
    if (actor === undefined) continue;
    actor.actor = toActor(
      {actor: id, machine: kind, machineVersion, seq, to: state, context},
      actor.actor,
    );
    actor.actor.dueMs = actor.actor.context.deadlineMs;
    noteSilence(partition, actor);
    if (id.startsWith('vms/')) placeByContext(model, partition, id, image.timeMs);
    touch(model, id);
  }
}

function partitionRow(model: ReadModel, partition: number): PartitionRow {
  return model.partitions.get(partition) ?? NOTHING_KNOWN;
}

function applyInventory(
  model: ReadModel,
  partition: number,
  facts: InventoryHost,
  atMs: number,
): void {
  const row = hostRow(model, partition, `hosts/${facts.host}`);
  row.facts = facts;
  row.updatedAtMs = atMs;
  if (!row.silentIn.has(partition)) row.silentIn.set(partition, false);
  const named = new Set<string>();
  for (const vm of facts.vms) {
    const name = `vms/${vm.vm}`;
    named.add(name);
    const found = vmRow(model, partition, name);
    found.facts = vm;
    found.updatedAtMs = atMs;
    place(model, found, facts.host, atMs);
    touch(model, name);
  }
  for (const name of [...row.vms]) {
    if (!named.has(name)) place(model, vmRow(model, partition, name), '', atMs);
  }
  touch(model, row.name);
}

function applyWorkload(model: ReadModel, {vm, ...workload}: VmWorkload): void {
  const row = model.vms.get(`vms/${vm}`);
  if (row === undefined) return;
  row.workload = workload;
  touch(model, row.name);
}

function applyTransition(
  model: ReadModel,
  partition: number,
  transition: Transition,
  atMs: number,
): void {
  const row = actorRow(model, partition, transition.actor);
  if (row === undefined) return;
  row.actor = toActor(transition, row.actor);
  row.updatedAtMs = atMs;
  noteSilence(partition, row);
  row.actor.history.push({...transition, atMs});
  if (row.actor.history.length > HISTORY_PER_ACTOR_MAX) row.actor.history.shift();
  const oldest = model.transitions.push(transition.actor);
  if (oldest !== undefined) dropOldest(model, oldest);
  if (transition.actor.startsWith('vms/')) placeByContext(model, partition, row.name, atMs);
  touch(model, row.name);
}

function noteSilence(partition: number, row: HostRow | VmRow): void {
  if (!('silentIn' in row)) return;
  const {suspected, lost} = row.actor?.context ?? {};
  row.silentIn.set(partition, suspected === true || lost === true);
}

function dropOldest(model: ReadModel, name: string): void {
  const history = (model.hosts.get(name) ?? model.vms.get(name))?.actor?.history;
  // The newest move is what the actor's state stands on; it stays.
  if (history !== undefined && history.length > 1) history.shift();
}

function toActor(
  move: Pick<Transition, 'actor' | 'machine' | 'machineVersion' | 'seq' | 'to' | 'context'>,
  before: ActorRow | undefined,
): ActorRow {
  return {
    machine: move.machine,
    machineVersion: move.machineVersion,
    state: move.to,
    context: contextOf(move),
    contextJson: move.context,
    dueMs: before?.dueMs ?? 0,
    history: before?.history ?? [],
  };
}

/** Errors: `RECORD_MALFORMED`. */
function contextOf({
  actor,
  seq,
  to,
  context,
}: Pick<Transition, 'actor' | 'seq' | 'to' | 'context'>): ActorRow['context'] {
  let found: unknown;
  let cause: unknown;
  try {
    found = JSON.parse(context);
  } catch (error) {
    cause = error;
  }
  if (typeof found === 'object' && found !== null) return found as ActorRow['context'];
  throw new ForestayError(
    'RECORD_MALFORMED',
    `${actor}: the context of its move ${seq} to ${to} is no JSON object; ` +
      'the record that holds it is set aside: find who wrote it',
    {details: {actor, seq, to}, cause},
  );
}

/** The actor's word on where its VM runs, if it has one. */
function placeByContext(model: ReadModel, partition: number, name: string, atMs: number): void {
  const row = vmRow(model, partition, name);
  const host = row.actor?.context.host;
  if (host) place(model, row, host, atMs);
}

function named(components: readonly string[], risks: Float32Array): HostRow['componentRisks'] {
  return components.map((component, index) => ({component, risk: risks[index] as number}));
}

function applyRisks(
  model: ReadModel,
  row: HostRow,
  components: readonly string[],
  risks: Float32Array,
  atMs: number,
): void {
  row.scoredAtMs = atMs;
  row.componentRisks = named(components, risks);
  row.risk = combineRisks(risks, 0, risks.length);
  const bothUnknown = Number.isNaN(row.risk) && Number.isNaN(row.shownRisk);
  if (bothUnknown || Math.abs(row.risk - row.shownRisk) < RISK_STEP) return;
  row.shownRisk = row.risk;
  touch(model, row.name);
  for (const vm of row.vms) touch(model, vm);
}

function applyEffect(
  model: ReadModel,
  partition: number,
  effect: IssuedEffect,
  atMs: number,
): void {
  const name = effect.vm === '' ? `hosts/${effect.host}` : `vms/${effect.vm}`;
  const row = actorRow(model, partition, name);
  if (row === undefined) return;
  row.effects.push({...effect, atMs});
  if (row.effects.length > EFFECTS_PER_ACTOR_MAX) row.effects.shift();
}

function applyDecision(model: ReadModel, decision: Decision): void {
  // A record that is read twice is one decision.
  if (model.decisionById.has(decision.id)) return;
  model.decisionById.set(decision.id, decision);
  const dropped = model.decisions.push(decision);
  if (dropped !== undefined) model.decisionById.delete(dropped.id);
}

function forgetVms(model: ReadModel, partition: number, nowMs: number): void {
  for (const [name, sinceMs] of model.unplaced) {
    // Another partition may live on another clock.
    const vm = model.vms.get(name);
    if (vm?.partition !== partition || nowMs - sinceMs < FORGET_AFTER_MS) continue;
    model.unplaced.delete(name);
    forget(model, vm);
  }
}
