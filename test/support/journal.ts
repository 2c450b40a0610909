import {createHash} from 'node:crypto';
import {deserialize} from 'node:v8';
import type {Tick} from '../../core/domain/records.ts';
import {encodeState, LAYOUT_BYTES} from '../../core/engine/checkpoint.ts';
import {createJournalReader, type JournalItem} from '../../core/engine/journal-reader.ts';
import type {PartitionState} from '../../core/engine/partition-state.ts';
import type {Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';

/** Everything that counts in a partition's journal. */
export async function readJournal(log: Log, partition: number): Promise<JournalItem[]> {
  const reader = createJournalReader(codec);
  const items: JournalItem[] = [];
  for (let from = 0; ; ) {
    const records = await log.read('journal', partition, from);
    if (records.length === 0) return items;
    for (const record of records) {
      const item = reader.take(record);
      if (item !== undefined) items.push(item);
      from = record.offset + 1;
    }
  }
}

export async function ticksOf(log: Log, partition: number): Promise<Tick[]> {
  const items = await readJournal(log, partition);
  return items.flatMap(item => (item.kind === 'tick' ? [item.tick] : []));
}

/**
 * A state as text, by field, without what only its owner keeps: what was sent to the scorer, who is
 * frozen, the epoch. Typed arrays are there bit by bit.
 */
export function essence(state: PartitionState): Record<string, string> {
  const stored = deserialize(encodeState({...state, epoch: 0}).subarray(LAYOUT_BYTES));
  for (const table of stored.tables.values()) table.scoredMs = undefined;
  for (const host of stored.hosts.values()) host.frozen = false;
  return Object.fromEntries(
    Object.entries(stored).map(([field, value]) => {
      const text = JSON.stringify(value ?? null, plain);
      const digest = createHash('sha256').update(text).digest('hex');
      return [field, text.length < 200 ? text : digest];
    }),
  );
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map || value instanceof Set) return [...value];
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  // A decoded record has its fields in another order.
  return isRecord ? Object.fromEntries(Object.entries(value).sort()) : value;
}
