import {ForestayError} from '../domain/errors.ts';
import type {Files, LogRecord} from '../ports.ts';
import {frameHeaderBytes, readFrame, wasSynced} from './log-segments-frame.ts';

/** One file: records of a partition from `startOffset` on. */
export type Segment = {
  path: string;
  startOffset: number;
  createdAtMs: number;
  /** How much of the file is durable. */
  bytes: number;
  /** Where some of the records are, ascending; grows as the file is written and read. */
  index: {offset: number; position: number}[];
};

const indexEveryBytes = 1 << 16;

/** Remembers where a record is, if the last one remembered is far enough away. */
export function addToIndex(segment: Segment, offset: number, position: number): void {
  const last = segment.index.at(-1);
  if (last === undefined || position >= last.position + indexEveryBytes)
    segment.index.push({offset, position});
}

/**
 * Records of one segment from `from` on (which it must hold), up to about `bytesMax` of values, at
 * least one. Costs one read of that many bytes plus up to 64 KiB.
 *
 * @throws {ForestayError} `LOG_CORRUPT` if a record on the way is not what was written.
 */
export function readSegment(
  files: Files,
  segment: Segment,
  from: number,
  bytesMax: number,
): LogRecord[] {
  const records: LogRecord[] = [];
  let {offset, position} = floorOf(segment, from);
  let chunkBytes = bytesMax + indexEveryBytes;
  let taken = 0;
  const wanted = (): boolean => records.length === 0 || taken < bytesMax;
  while (position < segment.bytes && wanted()) {
    const length = Math.min(chunkBytes, segment.bytes - position);
    const bytes = asBuffer(files.readRange(segment.path, position, length));
    let at = 0;
    while (wanted()) {
      const frame = readFrame(bytes, at);
      if (frame === undefined) break;
      if (frame === 'damaged' || frame.offset !== offset)
        throw corrupt(segment, offset, position + at);
      addToIndex(segment, offset, position + at);
      if (offset >= from) {
        if (records.length > 0 && taken + frame.value.length > bytesMax) return records;
        records.push({offset, value: frame.value});
        taken += frame.value.length;
      }
      offset++;
      at = frame.next;
    }
    // A record longer than the chunk: its header says how much to read, if the file has as much.
    if (at === 0) {
      const needed = bytes.length < 4 ? 0 : frameHeaderBytes + bytes.readUInt32LE(0);
      if (needed <= length || position + needed > segment.bytes)
        throw corrupt(segment, offset, position);
      chunkBytes = needed;
    }
    position += at;
  }
  if (records.length === 0) throw corrupt(segment, offset, position);
  return records;
}

/**
 * Goes through a whole segment after a restart: gives the offset after its last good record and the
 * length up to there. What follows is a torn write that nobody was promised.
 *
 * @throws {ForestayError} `LOG_CORRUPT` if what follows had been durable.
 */
export function scanSegment(files: Files, segment: Segment): {endOffset: number; bytes: number} {
  const bytes = asBuffer(files.read(segment.path));
  let offset = segment.startOffset;
  let at = 0;
  while (true) {
    const frame = readFrame(bytes, at);
    if (frame === undefined || frame === 'damaged' || frame.offset !== offset) break;
    addToIndex(segment, offset, at);
    offset++;
    at = frame.next;
  }
  if (at < bytes.length && wasSynced(bytes, at, offset)) throw corrupt(segment, offset, at);
  return {endOffset: offset, bytes: at};
}

function floorOf(segment: Segment, offset: number): {offset: number; position: number} {
  let low = 0;
  let high = segment.index.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segment.index[middle] as {offset: number}).offset <= offset) low = middle + 1;
    else high = middle;
  }
  return segment.index[low - 1] ?? {offset: segment.startOffset, position: 0};
}

function corrupt({path}: Segment, offset: number, position: number): ForestayError {
  return new ForestayError(
    'LOG_CORRUPT',
    `read ${path}: the record at offset ${offset}, byte ${position}, is not what was written; ` +
      'restore the file from a copy, or move the files of all topics of this partition away to start it anew',
    {details: {file: path, offset, position}},
  );
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
