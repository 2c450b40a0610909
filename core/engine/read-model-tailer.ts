import {isForestayError} from '../domain/errors.ts';
import {PARTITION_COUNT} from '../domain/hash.ts';
import {publish} from '../events.ts';
import type {Clock, Codec, Log, LogRecord} from '../ports.ts';
import {createJournalReader, JOURNAL_START} from './journal-reader.ts';
import type {ReadModel} from './read-model.ts';
import {applyEpoch, applyScores, applyTick} from './read-model-fold.ts';

const POLL_MS_MIN = 20;
const POLL_MS_MAX = 2000;
/** Older scores are of no use to a live picture. */
const SCORE_RECORDS_MAX = 1000;

export type TailerDeps = {
  log: Log;
  codec: Pick<Codec, 'decodeJournal' | 'decodeScores'>;
  clock: Clock;
  model: ReadModel;
  /** All of them unless given. */
  partitions?: readonly number[];
};

export type Tailer = {
  /** Reads until the signal aborts or the log is closed. A read that fails is tried again. */
  run(signal: AbortSignal): Promise<void>;
  /** True once everything that was there at the start has been read. */
  caughtUp(): boolean;
};

type Cursor = {
  topic: 'journal' | 'scores';
  partition: number;
  offset: number;
  /** What the log held when this cursor began; -1: not known yet. */
  endAtStart: number;
  pollAtMs: number;
  idleMs: number;
  take(record: LogRecord): void;
};

/**
 * Keeps a read model up to date from the journals and scores of partitions that this process may
 * not own. A partition where nothing happens is asked ever less often, every 2 s at least.
 */
export function createReadModelTailer(deps: TailerDeps): Tailer {
  const {log, clock} = deps;
  const partitions =
    deps.partitions ?? Array.from({length: PARTITION_COUNT}, (_value, partition) => partition);
  const cursors = partitions.flatMap(partition => [
    journalCursor(deps, partition),
    scoresCursor(deps, partition),
  ]);

  const advance = async (cursor: Cursor): Promise<void> => {
    if (cursor.endAtStart < 0) await begin(log, cursor);
    const records = await log.read(cursor.topic, cursor.partition, cursor.offset);
    for (const record of records) {
      take(cursor, record);
      cursor.offset = record.offset + 1;
    }
    cursor.idleMs = records.length > 0 ? POLL_MS_MIN : Math.min(cursor.idleMs * 2, POLL_MS_MAX);
    cursor.pollAtMs = clock.monotonicMs() + (records.length > 0 ? 0 : cursor.idleMs);
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const nowMs = clock.monotonicMs();
      for (const cursor of cursors) {
        if (cursor.pollAtMs > nowMs || signal.aborted) continue;
        try {
          await advance(cursor);
        } catch (error) {
          if (isForestayError(error, 'LOG_CLOSED')) return;
          cursor.idleMs = Math.min(cursor.idleMs * 2, POLL_MS_MAX);
          cursor.pollAtMs = clock.monotonicMs() + cursor.idleMs;
        }
      }
      const nextMs = Math.min(...cursors.map(cursor => cursor.pollAtMs));
      // Even when there is more to read, others get their turn first.
      await clock.sleep(Math.max(0, nextMs - clock.monotonicMs()), signal);
    }
  };

  return {
    run,
    caughtUp: () =>
      cursors.every(({endAtStart, offset}) => endAtStart >= 0 && offset >= endAtStart),
  };
}

async function begin(log: Log, cursor: Cursor): Promise<void> {
  const endAtStart = await log.endOffset(cursor.topic, cursor.partition);
  const start = await log.startOffset(cursor.topic, cursor.partition);
  const useful = cursor.topic === 'scores' ? endAtStart - SCORE_RECORDS_MAX : 0;
  cursor.offset = Math.max(start, useful);
  cursor.endAtStart = endAtStart;
}

function take(cursor: Cursor, record: LogRecord): void {
  try {
    cursor.take(record);
  } catch (error) {
    if (!isForestayError(error)) throw error;
    const {topic, partition} = cursor;
    publish('record.quarantined', {topic, partition, offset: record.offset, code: error.code});
  }
}

function newCursor(topic: Cursor['topic'], partition: number, take: Cursor['take']): Cursor {
  return {topic, partition, offset: 0, endAtStart: -1, pollAtMs: 0, idleMs: POLL_MS_MIN, take};
}

function journalCursor({codec, model}: TailerDeps, partition: number): Cursor {
  const reader = createJournalReader(codec, JOURNAL_START);
  return newCursor('journal', partition, record => {
    const item = reader.take(record);
    if (item?.kind === 'epoch') applyEpoch(model, partition, item.epoch);
    if (item?.kind === 'tick') applyTick(model, partition, item.tick);
  });
}

function scoresCursor({codec, model}: TailerDeps, partition: number): Cursor {
  return newCursor('scores', partition, record => {
    applyScores(model, partition, codec.decodeScores(record.value));
  });
}
