import {ForestayError} from '../domain/errors.ts';
import type {Log, LogRecord, Topic} from '../ports.ts';

/** What a reader needs of a log. */
export type LogReads = Pick<Log, 'read' | 'startOffset' | 'endOffset'>;

/**
 * Records from `from` up to, not including, `to`, as far as retention has left them.
 *
 * Errors: those of the log; `DEPENDENCY_UNREACHABLE` (retryable) when the log gives nothing where it
 * says that there is something: nobody may take that for an end.
 */
export async function* readRange(
  log: LogReads,
  topic: Topic,
  partition: number,
  from: number,
  to: number,
): AsyncGenerator<LogRecord> {
  let next = from;
  while (next < to) {
    const found = await log.read(topic, partition, next);
    const last = found.at(-1);
    if (last === undefined) {
      if ((await log.startOffset(topic, partition)) >= to) return;
      throw unanswered(topic, partition, next, to);
    }
    for (const record of found) {
      if (record.offset >= to) return;
      yield record;
    }
    next = last.offset + 1;
  }
}

/** The log says that there is something and gives nothing. */
export function unanswered(
  topic: Topic,
  partition: number,
  next: number,
  to: number,
): ForestayError {
  return new ForestayError(
    'DEPENDENCY_UNREACHABLE',
    `${topic} of partition ${partition}: the log gave nothing at offset ${next}, below ${to}; ` +
      'the partition is read again later',
    {retryable: true, details: {topic, partition, offset: next, end: to}},
  );
}

/** Bytes of these records. */
export function bytesOf(records: readonly LogRecord[]): number {
  let bytes = 0;
  for (const {value} of records) bytes += value.byteLength;
  return bytes;
}

/** Where to read on: behind these records, or where they were looked for. */
export function endOf(records: readonly LogRecord[], before: number): number {
  const last = records.at(-1);
  return last === undefined ? before : last.offset + 1;
}
