import {ForestayError} from '../domain/errors.ts';
import type {Files, LogRecord} from '../ports.ts';
import {frameHeaderBytes, nextFrame, readFrame, wasSynced} from './log-segments-frame.ts';

/** One file: records of a partition from `startOffset` on. */
export type Segment = {
  path: string;
  startOffset: number;
  createdAtMs: number;
  /** How much of the file is durable. */
  bytes: number;
  /** Where some of the records are, ascending; grows as the file is written and read. */
  index: Place[];
};

/** A record's offset, and where in the file it begins. */
type Place = {offset: number; position: number};

/**
 * Told of a place where what was written cannot be read; reading goes on behind it. Undefined: it
 * does not go on.
 */
export type OnDamage = ((damage: Place & {path: string}) => void) | undefined;

const indexEveryBytes = 1 << 16;

/** Remembers where a record is, if the last one remembered is far enough away. */
export function addToIndex(segment: Segment, offset: number, position: number): void {
  const last = segment.index.at(-1);
  if (last === undefined || position >= last.position + indexEveryBytes)
    segment.index.push({offset, position});
}

/**
 * Records of one segment from `from` on, up to about `bytesMax` of values, at least one. They end
 * before a damaged place; with `onDamage` they begin behind it when nothing stands before, and
 * there may be none. Costs one read of that many bytes plus up to 64 KiB.
 *
 * @throws {ForestayError} `LOG_CORRUPT` if the next record is not what was written, and nobody is
 *   there to be told.
 */
export function readSegment(
  files: Files,
  segment: Segment,
  from: number,
  bytesMax: number,
  onDamage: OnDamage,
): LogRecord[] {
  for (let place: Place | undefined = floorOf(segment, from); place !== undefined; ) {
    const {records, end} = readRun(files, segment, place, from, bytesMax);
    if (records.length > 0) return records;
    if (onDamage === undefined) throw corrupt(segment, end);
    onDamage({path: segment.path, ...end});
    const rest = files.readRange(segment.path, end.position, segment.bytes - end.position);
    const next = nextFrame(asBuffer(rest), 0, end.offset);
    place = next && {offset: next.offset, position: end.position + next.position};
  }
  return [];
}

/** Records up to the bound, the end of the segment, or the first that is not what was written. */
function readRun(
  files: Files,
  segment: Segment,
  start: Place,
  from: number,
  bytesMax: number,
): {records: LogRecord[]; end: Place} {
  const records: LogRecord[] = [];
  let {offset, position} = start;
  let chunkBytes = bytesMax + indexEveryBytes;
  let taken = 0;
  const wanted = (): boolean => records.length === 0 || taken < bytesMax;
  const run = () => ({records, end: {offset, position}});
  while (position < segment.bytes && wanted()) {
    const length = Math.min(chunkBytes, segment.bytes - position);
    const bytes = asBuffer(files.readRange(segment.path, position, length));
    let at = 0;
    while (wanted()) {
      const frame = readFrame(bytes, at);
      if (frame === undefined) break;
      if (frame === 'damaged' || frame.offset !== offset) {
        position += at;
        return run();
      }
      addToIndex(segment, offset, position + at);
      if (offset >= from) {
        if (records.length > 0 && taken + frame.value.length > bytesMax) return run();
        records.push({offset, value: frame.value});
        taken += frame.value.length;
      }
      offset++;
      at = frame.next;
    }
    // A record longer than the chunk: its header says how much to read, if the file has as much.
    if (at === 0) {
      const needed = bytes.length < 4 ? 0 : frameHeaderBytes + bytes.readUInt32LE(0);
      if (needed <= length || position + needed > segment.bytes) return run();
      chunkBytes = needed;
    }
    position += at;
  }
  return run();
}

/**
 * Goes through a whole segment after a restart: gives the offset after its last good record and the
 * length up to there. What follows is a torn write that nobody was promised.
 *
 * @throws {ForestayError} `LOG_CORRUPT` if what cannot be read had been durable, and nobody is
 *   there to be told.
 */
export function scanSegment(
  files: Files,
  segment: Segment,
  onDamage: OnDamage,
): {endOffset: number; bytes: number} {
  const bytes = asBuffer(files.read(segment.path));
  let offset = segment.startOffset;
  let at = 0;
  while (true) {
    const frame = readFrame(bytes, at);
    if (frame !== undefined && frame !== 'damaged' && frame.offset === offset) {
      addToIndex(segment, offset, at);
      offset++;
      at = frame.next;
      continue;
    }
    if (at >= bytes.length || !wasSynced(bytes, at, offset)) break;
    const place = {offset, position: at};
    if (onDamage === undefined) throw corrupt(segment, place);
    onDamage({path: segment.path, ...place});
    const next = nextFrame(bytes, at, offset);
    if (next === undefined) break;
    ({offset, position: at} = next);
  }
  return {endOffset: offset, bytes: at};
}

function floorOf(segment: Segment, offset: number): Place {
  let low = 0;
  let high = segment.index.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segment.index[middle] as {offset: number}).offset <= offset) low = middle + 1;
    else high = middle;
  }
  return segment.index[low - 1] ?? {offset: segment.startOffset, position: 0};
}

export function corrupt({path}: Segment, {offset, position}: Place): ForestayError {
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
