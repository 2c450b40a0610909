/**
 * What is in a log, folded with arithmetic of its own: nothing here is shared with the engine but
 * the wire format.
 */
import type {EffectResult, IssuedEffect} from '../../core/domain/effects.ts';
import type {JournalRecord, Tick, Transition} from '../../core/domain/records.ts';
import type {InventoryHost} from '../../core/domain/telemetry.ts';
import {codec} from '../../proto/codec.ts';
import {batchKey} from './told.ts';

/** A record of a log; `atMs` is when it was written, if the log says. */
export type LoggedRecord = {partition: number; offset: number; value: Uint8Array; atMs?: number};

export type Dump = Readonly<Record<'telemetry' | 'inbox' | 'journal', readonly LoggedRecord[]>>;

/** A tick that counts, with where it lies. */
export type ValidTick = {partition: number; offset: number; atMs: number | undefined; tick: Tick};

export type Kept = {
  /** Rows of each batch that is there, by {@link batchKey}; repeats once. */
  batchRows: ReadonlyMap<string, number>;
  /** Batches that are there more than once. */
  repeatedBatches: number;
  /** Sequences that an edge said will never come: `edge/incarnation/seq`. */
  gaps: ReadonlySet<string>;
  ticks: readonly ValidTick[];
  /** Numbers of ticks that should follow one another and do not. */
  brokenTicks: readonly string[];
  transitions: readonly Transition[];
  effects: ReadonlyMap<string, IssuedEffect>;
  results: ReadonlyMap<string, readonly EffectResult[]>;
  /** The newest word on each host, and when it was. */
  inventory: ReadonlyMap<string, InventoryHost>;
};

export function fold(dump: Dump): Kept {
  const {ticks, brokenTicks} = validTicks(dump.journal);
  const inventory = new Map<string, InventoryHost>();
  const effects = new Map<string, IssuedEffect>();
  for (const {tick} of ticks) {
    for (const host of tick.inventory) inventory.set(host.host, host);
    for (const effect of tick.effects) effects.set(effect.id, effect);
  }
  return {
    ...readTelemetry(dump.telemetry),
    ticks,
    brokenTicks,
    transitions: ticks.flatMap(({tick}) => tick.transitions),
    effects,
    results: readResults(dump.inbox),
    inventory,
  };
}

function readTelemetry(records: readonly LoggedRecord[]) {
  const batchRows = new Map<string, number>();
  const gaps = new Set<string>();
  let repeatedBatches = 0;
  for (const {value} of records) {
    const record = codec.decodeTelemetry(value);
    if (record.kind === 'gap') {
      const {edge, incarnation, fromSeq, toSeq} = record.gap;
      for (let seq = fromSeq; seq <= toSeq; seq++) gaps.add(batchKey({edge, incarnation, seq}));
      continue;
    }
    const key = batchKey(record.batch);
    if (batchRows.has(key)) repeatedBatches++;
    batchRows.set(
      key,
      record.batch.blocks.reduce((sum, {rows}) => sum + rows, 0),
    );
  }
  return {batchRows, repeatedBatches, gaps};
}

/** In the order of partitions and, in each, of offsets. */
function validTicks(journal: readonly LoggedRecord[]) {
  const ticks: ValidTick[] = [];
  const brokenTicks: string[] = [];
  const byPartition = Map.groupBy(journal, ({partition}) => partition);
  for (const [partition, records] of byPartition) {
    let epoch = -1;
    let number = -1;
    let parts: Uint8Array[] = [];
    for (const {offset, value, atMs} of records) {
      const record = codec.decodeJournal(value);
      if (record.kind === 'epoch') {
        if (record.epoch.epoch > epoch) {
          epoch = record.epoch.epoch;
          parts = [];
        }
        continue;
      }
      const tick = wholeTick(record, epoch, parts);
      if (tick === undefined || tick.epoch !== epoch || tick.number <= number) continue;
      if (number >= 0 && tick.number !== number + 1) {
        brokenTicks.push(`partition ${partition}: ${tick.number} after ${number}`);
      }
      number = tick.number;
      parts = [];
      ticks.push({partition, offset, atMs, tick});
    }
  }
  return {ticks, brokenTicks};
}

/** The tick that a record is or completes; keeps parts of it in `parts`. */
function wholeTick(record: JournalRecord, epoch: number, parts: Uint8Array[]): Tick | undefined {
  if (record.kind === 'tick') return record.tick;
  if (record.kind !== 'tick-part' || record.epoch !== epoch) return undefined;
  if (record.part === 0) parts.length = 0;
  if (record.part !== parts.length) return undefined;
  parts.push(record.bytes);
  if (parts.length < record.parts) return undefined;
  const whole = codec.decodeJournal(Buffer.concat(parts));
  return whole.kind === 'tick' ? whole.tick : undefined;
}

function readResults(inbox: readonly LoggedRecord[]): Map<string, EffectResult[]> {
  const results = new Map<string, EffectResult[]>();
  for (const {value} of inbox) {
    const record = codec.decodeInbox(value);
    if (record.kind !== 'effect-result') continue;
    const known = results.get(record.result.id) ?? [];
    results.set(record.result.id, [...known, record.result]);
  }
  return results;
}
