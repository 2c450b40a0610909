/** Where in the journals a time is. */
import {isForestayError} from '../domain/errors.ts';
import type {EventSource} from './journal-events.ts';
import {createJournalReader} from './journal-reader.ts';
import type {JournalPlace} from './resume-token.ts';

/**
 * Records before the one that was found, in which the reader learns the epoch: what a former owner
 * still wrote then does not count.
 */
const BACK = 64;

/**
 * A place at or before the first tick of this time; O(log n) reads. Ticks of a partition never go
 * back in time, but for what a superseded owner wrote late.
 *
 * Errors: those of the log.
 */
export async function placeAt(
  source: EventSource,
  partition: number,
  timeMs: number,
): Promise<JournalPlace> {
  const {log} = source;
  const start = await log.startOffset('journal', partition);
  let [low, high] = [start, await log.endOffset('journal', partition)];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await firstTickTime(source, partition, middle, high);
    if (found !== undefined && found < timeMs) low = middle + 1;
    else high = middle;
  }
  const offset = Math.max(start, low - BACK);
  return {offset, epoch: -1, tickNumber: -1, inboxOffset: offset === 0 ? 0 : -1};
}

async function firstTickTime(
  {log, codec}: EventSource,
  partition: number,
  from: number,
  end: number,
): Promise<number | undefined> {
  const reader = createJournalReader(codec, {offset: from, epoch: -1, tickNumber: -1});
  for (let next = from; next < end; ) {
    const records = await log.read('journal', partition, next, 1);
    for (const record of records) {
      next = record.offset + 1;
      try {
        const item = reader.take(record);
        if (item?.kind === 'tick') return item.tick.timeMs;
      } catch (error) {
        if (!isForestayError(error)) throw error;
      }
    }
    if (records.length === 0) return undefined;
  }
  return undefined;
}
