/**
 * How the cells of a partition learn of their own hosts (cell-layer.ts): outages (host-outcomes.ts),
 * rows every ten minutes, and the shift of each risk that is applied.
 *
 * L1 It is part of the fold: inputs alone decide what is learned, and it is checkpointed.
 * L2 What is applied is in the journal with its shift: a replay needs neither the model nor this.
 * L3 Switched off, it goes on learning and moves nothing.
 * L4 Hosts that are gone are forgotten (gone-hosts.ts).
 */
import {
  createCellLayer,
  moveRisks,
  movesRisks,
  shiftedRisk,
  takeCause,
  takeOutage,
  takeReturn,
  takeRows,
} from '../domain/cell-layer.ts';
import type {LearnedHere} from '../domain/decision.ts';
import type {OutageCause} from '../domain/outage-history.ts';
import {combineRisks} from '../domain/risk.ts';
import {forgetGone, isGone} from './gone-hosts.ts';
import {bandRow, type HostEntry, type PartitionState} from './partition-state.ts';
import {partsOf, type SetTable} from './set-table.ts';
import type {TickDraft} from './tick-draft.ts';
import {tell} from './tick-draft.ts';

const ASK_EVERY_MS = 600_000;

/** A host went down; what people had wanted is `planned`. */
export function learnOutage(
  state: PartitionState,
  {cell, name}: HostEntry,
  cause: OutageCause,
  atMs: number,
): void {
  takeOutage(layerOf(state, cell), name, {atMs, cause});
}

/** What was learned of an outage at that time had another cause, as people say. */
export function learnCause(
  state: PartitionState,
  {cell, name}: HostEntry,
  atMs: number,
  cause: OutageCause,
  was: OutageCause,
): void {
  takeCause(layerOf(state, cell), name, {atMs, cause}, was);
}

/** It is back after so long; NaN: nobody knows. */
export function learnReturn(state: PartitionState, host: HostEntry, downMs: number): void {
  takeReturn(layerOf(state, host.cell), host.name, downMs);
}

/** Every ten minutes: cells learn what has become known, and take a row of each of their hosts. */
export function learnCells(draft: TickDraft): void {
  const {state} = draft;
  const passedMs = state.timeMs - state.cellsAskedAtMs;
  if (passedMs < ASK_EVERY_MS) return;
  state.cellsAskedAtMs = state.timeMs;
  forgetGone(state, passedMs);
  const cells = new Map<string, Map<string, number>>();
  for (const name of state.hosts.sortedKeys()) {
    const host = state.hosts.get(name) as HostEntry;
    if (state.actors.hostContext(name)?.lost || isGone(state, host)) continue;
    const risks = cells.get(host.cell) ?? new Map<string, number>();
    risks.set(name, modelRisk(state, host));
    cells.set(host.cell, risks);
  }
  for (const [cell, risks] of [...cells].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const layer = layerOf(state, cell);
    if (!takeRows(layer, state.timeMs, risks)) continue;
    tell(draft, 'cell.learned', {cell, version: layer.version, outages: layer.outages});
  }
}

/** Moves the risks of a host's parts by what its cell has learned, in place; returns the shift. */
export function moveByCell(
  {layers, policy}: PartitionState,
  {cell, name}: HostEntry,
  table: SetTable,
  risks: Float32Array,
): number {
  const layer = layers.get(cell);
  if (layer === undefined || !policy.learning.enabled) return 0;
  return Math.fround(moveRisks(layer, name, risks, partsOf(table.outputs)));
}

/** What its cell's past did to the risk of a host as it stands; undefined: nothing, or it may not. */
export function learnedHere(state: PartitionState, name: string): LearnedHere | undefined {
  const host = state.hosts.get(name);
  const found = host && bandRow(state, host);
  const layer = state.layers.get(host?.cell ?? '');
  const {enabled} = state.policy.learning;
  if (found === undefined || layer === undefined || !enabled || !movesRisks(layer))
    return undefined;
  return {version: layer.version, logOdds: found.table.learned[found.row] as number};
}

/** Of failure, as the model said before the cell's shift; NaN: it says nothing. */
function modelRisk(state: PartitionState, host: HostEntry): number {
  const found = bandRow(state, host);
  if (found === undefined || !found.table.scored) return Number.NaN;
  const {table, row} = found;
  const width = table.outputs.length;
  const served = combineRisks(table.risks, row * width, partsOf(table.outputs));
  const learned = table.learned[row] as number;
  return learned === 0 ? served : shiftedRisk(served, -learned);
}

function layerOf({layers}: PartitionState, cell: string) {
  let layer = layers.get(cell);
  if (layer === undefined) {
    layer = createCellLayer();
    layers.set(cell, layer);
  }
  return layer;
}
