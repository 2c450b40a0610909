/**
 * The single writer of one partition's journal.
 *
 * S1 An append counts only if its first offset is the last known offset + 1. Otherwise somebody
 *    else wrote: the gap is read, and an EPOCH in it ends this writer without another record.
 * S2 An append whose outcome is unknown is looked up at the end of the journal before the same
 *    bytes are appended again.
 * S3 A new writer appends EPOCH, reads to the end, and starts only if its own is the last.
 */
import {ForestayError, isForestayError} from '../domain/errors.ts';
import type {CheckpointPointer, Tick} from '../domain/records.ts';
import type {Clock, Codec, Log, LogRecord, Random} from '../ports.ts';
import {encodeTickRecords} from './journal-reader.ts';
import {readable} from './log-decoding.ts';
import {readRange} from './log-range.ts';

const APPENDS_MAX = 5;
/** Before the second attempt at most; doubled for each further one. */
const RETRY_MS = 50;

export type JournalWriter = {
  readonly epoch: number;
  /** Offset that the next record will get. */
  nextOffset(): number;
  /** Resolves when the tick counts. Errors: `EPOCH_SUPERSEDED`, `LOG_APPEND_FAILED`. */
  writeTick(tick: Tick): Promise<void>;
  writeCheckpoint(pointer: CheckpointPointer): Promise<void>;
};

type Writer = {log: Log; codec: Codec; partition: number; clock: Clock; random: Random};

/**
 * Becomes the writer: claims the next epoch, which is above every offset and every epoch that the
 * journal has had: an EPOCH at offset n is never above n + 1, so that the end is above them all.
 *
 * Errors: `EPOCH_SUPERSEDED` if a rival was later, those of the log.
 */
export async function claimJournal(
  writer: Writer,
  owner: {owner: string; address: string},
): Promise<JournalWriter> {
  const {log, codec, partition} = writer;
  let known = 0;
  for (let attempt = 0; attempt < APPENDS_MAX; attempt++) {
    const end = await log.endOffset('journal', partition);
    const claimed = Math.max(end, known) + 1;
    const bytes = codec.encodeJournal({kind: 'epoch', epoch: {epoch: claimed, ...owner}});
    const offset = await log.append('journal', partition, [bytes]);
    const before = lastEpochOf(codec, await readFrom(log, partition, end, offset));
    const after = await readFrom(log, partition, offset + 1);
    const rival = lastEpochOf(codec, after);
    if (rival !== undefined && rival > claimed) throw superseded(partition, claimed, rival);
    // Two that claim the same number: the first in the log has it, the second tries the next.
    if (before === undefined || before < claimed) {
      return createWriter(writer, claimed, offset + 1 + after.length);
    }
    known = before;
  }
  throw superseded(partition, known, known + 1);
}

function createWriter(writer: Writer, epoch: number, firstOffset: number): JournalWriter {
  const {log, codec, partition} = writer;
  let next = firstOffset;

  const append = async (values: readonly Uint8Array[]): Promise<void> => {
    const offset = await appendOnce(writer, values, next);
    if (offset !== next) {
      const rival = lastEpochOf(codec, await readFrom(log, partition, next, offset));
      if (rival !== undefined && rival > epoch) throw superseded(partition, epoch, rival);
    }
    next = offset + values.length;
  };

  return {
    epoch,
    nextOffset: () => next,
    writeTick: tick => append(encodeTickRecords(codec, tick)),
    writeCheckpoint: pointer => append([codec.encodeJournal({kind: 'checkpoint', pointer})]),
  };
}

/** S2: after an unknown outcome, looks before it tries again. */
async function appendOnce(
  {log, partition, clock, random}: Writer,
  values: readonly Uint8Array[],
  expected: number,
): Promise<number> {
  let failure: unknown;
  for (let attempt = 0; attempt < APPENDS_MAX; attempt++) {
    if (attempt > 0) await clock.sleep(random.next() * RETRY_MS * 2 ** (attempt - 1));
    try {
      return await log.append('journal', partition, values);
    } catch (error) {
      if (!isForestayError(error, 'LOG_APPEND_FAILED') || !error.retryable) throw error;
      failure = error;
      const found = findRun(await readFrom(log, partition, expected), values);
      if (found !== undefined) return found;
    }
  }
  throw new ForestayError(
    'LOG_APPEND_FAILED',
    `journal of partition ${partition}: ${APPENDS_MAX} attempts failed; the partition stops until the log answers`,
    {retryable: true, details: {partition, attempts: APPENDS_MAX}, cause: failure},
  );
}

/** Offset at which all the values stand in a row, or undefined. */
function findRun(records: readonly LogRecord[], values: readonly Uint8Array[]): number | undefined {
  for (let start = 0; start + values.length <= records.length; start++) {
    const all = values.every((value, index) =>
      Buffer.from(value).equals((records[start + index] as LogRecord).value),
    );
    if (all) return (records[start] as LogRecord).offset;
  }
  return undefined;
}

async function readFrom(
  log: Log,
  partition: number,
  from: number,
  to?: number,
): Promise<LogRecord[]> {
  const end = to ?? (await log.endOffset('journal', partition));
  return await Array.fromAsync(readRange(log, 'journal', partition, from, end));
}

function lastEpochOf(codec: Codec, records: readonly LogRecord[]): number | undefined {
  let last: number | undefined;
  for (const record of records) {
    // What cannot be read is nobody's claim.
    const [decoded] = readable([record], bytes => codec.decodeJournal(bytes));
    if (decoded?.kind === 'epoch') last = Math.max(last ?? 0, decoded.epoch.epoch);
  }
  return last;
}

function superseded(partition: number, epoch: number, rival: number): ForestayError {
  return new ForestayError(
    'EPOCH_SUPERSEDED',
    `partition ${partition}: epoch ${epoch} of this core was superseded by ${rival}; it stops here and dispatches nothing`,
    {details: {partition, epoch, rival}},
  );
}
