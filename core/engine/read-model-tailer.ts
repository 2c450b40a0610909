/**
 * Keeps a read model up to date on partitions that other cores own, from their journals and scores.
 *
 * L1 A partition is followed from where the model stands: what its former owner here applied is not
 *    applied again, and nothing is left out. One that is unknown begins at its newest checkpoint.
 * L2 All partitions are read in one round: a log in a broker is asked once, not once a partition.
 */
import {isForestayError} from '../domain/errors.ts';
import {PARTITIONS} from '../domain/hash.ts';
import {publish} from '../events.ts';
import type {Clock, Codec, Log, LogRecord, Random} from '../ports.ts';
import {createJournalReader, JOURNAL_START} from './journal-reader.ts';
import {bytesOf} from './log-range.ts';
import type {ReadModel} from './read-model.ts';
import {
  applyCheckpoint,
  applyEpoch,
  applyScores,
  applyTick,
  type PartitionImage,
} from './read-model-fold.ts';

/** How often others' partitions are asked for news. */
const POLL_MS = 250;
/** A read that fails is tried again this much later, doubled up to the bound. */
const RETRY_MS = 500;
const RETRY_MS_MAX = 10_000;
/** Of each partition and round; 128 of them fit into one answer of a broker. */
const READ_BYTES = 256 * 1024;
/** Partitions that begin at once: each may take a whole checkpoint into memory. */
const BEGIN_TOGETHER = 4;
/** Older scores are of no use to a live picture. */
const SCORE_RECORDS_MAX = 1000;

export type TailerDeps = {
  log: Log;
  codec: Pick<Codec, 'decodeJournal' | 'decodeScores'>;
  clock: Clock;
  /** Spreads retries. */
  random: Random;
  model: ReadModel;
  /** All of them unless given. */
  partitions?: readonly number[];
  /** Those that this process owns are fed by their owner, not from here. */
  isOwned?: (partition: number) => boolean;
  /** What the newest checkpoint shows; undefined: there is none, the journal is read from its start. */
  imageOf?: (partition: number) => Promise<PartitionImage | undefined>;
};

export type Tailer = {
  /** Reads until the signal aborts or the log is closed. A read that fails is tried again. */
  run(signal: AbortSignal): Promise<void>;
  /** True once everything that others' partitions held at the start has been read. */
  caughtUp(): boolean;
};

type Cursor = {
  topic: 'journal' | 'scores';
  partition: number;
  offset: number;
  /** What the log held when this cursor began. */
  endAtStart: number;
  take(record: LogRecord): void;
};

/** A partition that is followed; without cursors it has not begun. */
type Followed = {partition: number; cursors: Cursor[]; retryAtMs: number; retryMs: number};

const hasBegun = ({cursors}: Followed): boolean => cursors.length > 0;

/** Follows until {@link Tailer.run}'s signal. A round of nothing costs one read a partition and topic. */
export function createReadModelTailer(deps: TailerDeps): Tailer {
  const {clock, random, partitions = PARTITIONS, isOwned = () => false} = deps;
  const followed = new Map<number, Followed>();
  let wasCaughtUp = false;

  const choose = (): Followed[] => {
    for (const partition of partitions) {
      if (isOwned(partition)) followed.delete(partition);
      else if (!followed.has(partition)) {
        followed.set(partition, {partition, cursors: [], retryAtMs: 0, retryMs: RETRY_MS});
      }
    }
    const nowMs = clock.monotonicMs();
    const due = [...followed.values()].filter(({retryAtMs}) => retryAtMs <= nowMs);
    const [begun, others] = [due.filter(hasBegun), due.filter(one => !hasBegun(one))];
    return [...begun, ...others.slice(0, BEGIN_TOGETHER)];
  };

  /** True if there is likely more at once. */
  const follow = async (one: Followed): Promise<boolean> => {
    try {
      if (!hasBegun(one)) {
        one.cursors = await begin(deps, one.partition);
        return true;
      }
      const reads = one.cursors.map(cursor => advance(deps.log, cursor));
      const found = await Promise.all(reads);
      // Its owner may have begun to feed it meanwhile: then it is the owner's.
      if (isOwned(one.partition)) return false;
      one.cursors.forEach((cursor, index) => {
        apply(cursor, found[index] as readonly LogRecord[]);
      });
      one.retryMs = RETRY_MS;
      return found.some(isFull);
    } catch (error) {
      if (!isForestayError(error)) throw error;
      if (error.code === 'LOG_CLOSED') throw error;
      one.retryAtMs = clock.monotonicMs() + one.retryMs * (0.5 + random.next() / 2);
      one.retryMs = Math.min(2 * one.retryMs, RETRY_MS_MAX);
      return false;
    }
  };

  const isCaughtUp = () =>
    partitions.every(partition => {
      const cursors = followed.get(partition)?.cursors;
      if (cursors === undefined) return isOwned(partition);
      return cursors.length > 0 && cursors.every(({offset, endAtStart}) => offset >= endAtStart);
    });

  return {
    async run(signal) {
      while (!signal.aborted) {
        try {
          const more = await Promise.all(choose().map(follow));
          wasCaughtUp ||= isCaughtUp();
          // Even when there is more to read, others get their turn first.
          await clock.sleep(more.includes(true) ? 0 : POLL_MS, signal);
        } catch (error) {
          if (isForestayError(error, 'LOG_CLOSED')) return;
          throw error;
        }
      }
    },
    caughtUp: () => wasCaughtUp,
  };
}

/** L1. */
async function begin(deps: TailerDeps, partition: number): Promise<Cursor[]> {
  const {log, model, imageOf, isOwned} = deps;
  if (!model.partitions.has(partition)) {
    const image = await imageOf?.(partition);
    const isStillUnknown = !model.partitions.has(partition) && isOwned?.(partition) !== true;
    if (image !== undefined && isStillUnknown) applyCheckpoint(model, partition, image);
  }
  const scoresEnd = await log.endOffset('scores', partition);
  const scoresStart = await log.startOffset('scores', partition);
  return [
    {
      ...journalCursor(deps, partition),
      endAtStart: await log.endOffset('journal', partition),
    },
    {
      topic: 'scores',
      partition,
      offset: Math.max(scoresStart, scoresEnd - SCORE_RECORDS_MAX),
      endAtStart: scoresEnd,
      take: record => applyScores(model, partition, deps.codec.decodeScores(record.value)),
    },
  ];
}

function journalCursor({codec, model}: TailerDeps, partition: number): Omit<Cursor, 'endAtStart'> {
  const known = model.partitions.get(partition);
  const from = known ? {...known, offset: known.nextOffset} : JOURNAL_START;
  const reader = createJournalReader(codec, from);
  return {
    topic: 'journal',
    partition,
    offset: from.offset,
    take: record => {
      const item = reader.take(record);
      if (item?.kind === 'epoch') applyEpoch(model, partition, item.epoch, item.offset + 1);
      if (item?.kind === 'tick') applyTick(model, partition, item.tick, item.offset + 1);
    },
  };
}

function advance(log: Log, {topic, partition, offset}: Cursor): Promise<readonly LogRecord[]> {
  return log.read(topic, partition, offset, READ_BYTES);
}

function apply(cursor: Cursor, records: readonly LogRecord[]): void {
  const {topic, partition} = cursor;
  for (const record of records) {
    try {
      cursor.take(record);
    } catch (error) {
      if (!isForestayError(error)) throw error;
      publish('record.quarantined', {topic, partition, offset: record.offset, code: error.code});
    }
    cursor.offset = record.offset + 1;
  }
}

function isFull(records: readonly LogRecord[]): boolean {
  return 2 * bytesOf(records) >= READ_BYTES;
}
