import type {Batch, Block, TimeBase} from '../domain/telemetry.ts';
import {hostName, newestOf, vmName} from '../domain/telemetry.ts';
import {DueCollector, keepDue} from './due-samples.ts';
import type {PartitionState} from './partition-state.ts';
import {rowOf, type SetTable} from './set-table.ts';
import {takeSamples} from './take-samples.ts';
import {type TelemetryInput, type TickDraft, tell} from './tick-draft.ts';
import {ensureHost, hear, namedOnly, takeInventory} from './tick-inventory.ts';

/** Takes batches and gaps in offset order: marks, inventory, columns. */
export function takeTelemetry(draft: TickDraft): void {
  const {telemetry, cut} = draft.input;
  const due: Due = {
    tables: new Map(),
    rowsMax: dueRowsMax(telemetry, draft.state.everySamples),
    heard: new Map(),
  };
  for (const record of telemetry) takeRecord(draft, record, due);
  keepDue(draft.state, cut.scoreRequest, due.tables.values());
}

/** What the partition's time is, with these records; undefined: nobody has said so yet. */
export function baseOf(
  {timeBase}: PartitionState,
  records: readonly TelemetryInput[],
): TimeBase | undefined {
  return timeBase ?? records.find(record => record.kind === 'batch')?.batch.timeBase;
}

/** Samples to be scored, of the tables that have some. */
type Due = {
  readonly tables: Map<SetTable, DueCollector>;
  readonly rowsMax: number;
  /** Rows whose entity was heard in this tick already: nothing more is to be done for it. */
  readonly heard: Map<SetTable, Uint8Array>;
};

/** Of any number of samples one in `every` is due, and one more of each entity. */
function dueRowsMax(telemetry: readonly TelemetryInput[], every: number): number {
  if (every === 0) return 0;
  let rowsMax = 0;
  for (const record of telemetry) {
    if (record.kind !== 'batch') continue;
    for (const {rows, entities} of record.batch.blocks) {
      rowsMax += Math.min(rows, Math.ceil(rows / every) + entities.length);
    }
  }
  return rowsMax;
}

function takeRecord(draft: TickDraft, record: TelemetryInput, due: Due): void {
  const {state} = draft;
  if (record.kind === 'lost') {
    state.marks.loosen();
    return;
  }
  if (record.kind === 'gap') {
    const {edge, cell, incarnation, fromSeq, toSeq} = record.gap;
    state.marks.skip(edge, cell, incarnation, fromSeq, toSeq);
    return;
  }
  const {batch} = record;
  const verdict = state.marks.take(batch.edge, batch.cell, batch.incarnation, batch.seq);
  if (verdict !== 'next') {
    tell(draft, `batch.${verdict}`, {cell: batch.cell});
    return;
  }
  state.timeBase ??= batch.timeBase;
  if (batch.inventory !== undefined) {
    takeInventory(draft, batch.cell, batch.inventory, madeAt(batch));
  }
  let samples = 0;
  for (const block of batch.blocks) samples += takeBlock(draft, batch.cell, block, due);
  tell(draft, 'samples.taken', {cell: batch.cell, count: samples});
}

/** When the last of a batch's samples was taken; without any it is new. */
function madeAt({blocks}: Batch): number {
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const {observedAtMs} of blocks) newestMs = Math.max(newestMs, newestOf(observedAtMs));
  return newestMs === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : newestMs;
}

function takeBlock(draft: TickDraft, cell: string, block: Block, due: Due): number {
  const {state} = draft;
  const table = state.tables.get(block.metricSet);
  if (table === undefined || table.set.hash !== block.metricSetHash) {
    tell(draft, 'samples.unknown-set', {count: block.rows});
    return 0;
  }
  const {entities} = block;
  const rows = new Int32Array(entities.length);
  const heard = heardIn(due, table);
  let guess = 0;
  for (let index = 0; index < entities.length; index++) {
    const entity = entities[index] as string;
    const isKnown = heard[guess] === 1 && table.names[guess] === entity;
    const row = isKnown ? guess : entityRow(draft, cell, table, entity, guess);
    if (row >= 0) heard[row] = 1;
    rows[index] = row;
    guess = row + 1;
  }
  const collector = collectorOf(due, table, state);
  const late = takeSamples(table, rows, block, state.timeMs, collector);
  if (late > 0) tell(draft, 'samples.late', {count: late});
  return block.rows;
}

function heardIn({heard}: Due, table: SetTable): Uint8Array {
  const known = heard.get(table) ?? new Uint8Array(table.windows.capacity);
  heard.set(table, known);
  return known;
}

function collectorOf(
  due: Due,
  table: SetTable,
  {everySamples: every, model}: PartitionState,
): DueCollector | undefined {
  if (every === 0 || !table.scored) return undefined;
  const collector = due.tables.get(table) ?? new DueCollector(table, model, every, due.rowsMax);
  due.tables.set(table, collector);
  return collector;
}

/**
 * Row of an entity; hosts and VMs that are new get their place in the fleet. -1: not a name. Edges
 * name entities in the same order each time: a guess that is right saves the look-ups.
 */
function entityRow(
  draft: TickDraft,
  cell: string,
  table: SetTable,
  entity: string,
  guess: number,
): number {
  const {state} = draft;
  if (table.names[guess] === entity && entity.startsWith('vms/')) return guess;
  const host = hostName(entity);
  if (host !== undefined) {
    const row = rowOf(table, entity);
    // A model's answer names a host to readers; where none takes its samples, this does.
    if (!table.scored && !state.hosts.has(host)) draft.inventory.push(namedOnly(host));
    const entry = ensureHost(draft, cell, host);
    // A host that another model had scored by another set is scored by this one now.
    const isFree = entry.row < 0 || state.tables.get(entry.table)?.scored !== true;
    if (table.scored && isFree) {
      entry.table = table.set.name;
      entry.row = row;
    }
    hear(draft, entry);
    return row;
  }
  const vm = vmName(entity);
  if (vm === undefined) return -1;
  const row = rowOf(table, entity);
  const entry = state.vms.get(vm);
  if (entry !== undefined && entry.row < 0) {
    entry.table = table.set.name;
    entry.row = row;
  }
  return row;
}
