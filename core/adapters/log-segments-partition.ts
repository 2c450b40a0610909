import {ForestayError} from '../domain/errors.ts';
import type {AppendFile, Files, LogRecord} from '../ports.ts';
import {frameHeaderBytes, writeFrame} from './log-segments-frame.ts';
import {
  addToIndex,
  corrupt,
  type OnDamage,
  readSegment,
  type Segment,
  scanSegment,
} from './log-segments-reader.ts';

/** Frames are gathered here before they are written; one for all partitions is enough. */
const scratch = Buffer.allocUnsafe(1 << 18);

/** What {@link SegmentPartition.write} has put into the file and a sync will make count. */
export type Written = {segment: Segment; firstOffset: number; bytes: number; records: LogRecord[]};

/**
 * The segment files of one partition. Writing is in three steps, so that many partitions share one
 * wait: `write`, then `sync`, then `commit` or `rollback`. Readers see what is committed.
 */
export class SegmentPartition {
  readonly #files: Files;
  readonly #pathOf: (startOffset: number, createdAtMs: number) => string;
  readonly #durable: boolean;
  readonly #onDamage: OnDamage;
  /** Oldest first; the last one is written to. */
  readonly segments: Segment[];
  /** A start needs what stands from here on. */
  neededFrom = Number.POSITIVE_INFINITY;
  #endOffset: number | undefined;
  #file: AppendFile | undefined;
  #dirty = false;

  constructor(
    files: Files,
    segments: Segment[],
    pathOf: (startOffset: number, createdAtMs: number) => string,
    durable: boolean,
    onDamage: OnDamage,
  ) {
    this.#onDamage = onDamage && onceEach(onDamage);
    this.#durable = durable;
    this.#files = files;
    this.segments = segments;
    this.#pathOf = pathOf;
  }

  get startOffset(): number {
    return this.segments[0]?.startOffset ?? 0;
  }

  /** The first use scans the newest segment and cuts off what a crash has left there. */
  get endOffset(): number {
    if (this.#endOffset !== undefined) return this.#endOffset;
    const last = this.segments.at(-1);
    if (last === undefined) return 0;
    const {endOffset, bytes} = scanSegment(this.#files, last, this.#onDamage);
    if (bytes < this.#files.size(last.path)) this.#files.truncate(last.path, bytes);
    if (bytes > 0) this.#syncTail(last.path);
    last.bytes = bytes;
    this.#endOffset = endOffset;
    return endOffset;
  }

  /** Who was killed before its sync has left bytes that a power cut would still take. */
  #syncTail(path: string): void {
    if (!this.#durable) return;
    try {
      const file = this.#files.openAppend(path);
      file.syncNow();
      file.close();
    } catch (error) {
      throw unsynced(path, error);
    }
  }

  /**
   * Committed records from `from` on, which must be between start and end. Where damage is skipped
   * they may begin later.
   *
   * @throws {ForestayError} `LOG_CORRUPT` if damage is not skipped, or nothing stands behind it.
   */
  read(from: number, bytesMax: number): LogRecord[] {
    const first = this.segments.findLastIndex(({startOffset}) => startOffset <= from);
    for (const segment of this.segments.slice(first)) {
      const records = readSegment(this.#files, segment, from, bytesMax, this.#onDamage);
      if (records.length > 0) return records;
    }
    const last = this.segments.at(-1) as Segment;
    throw corrupt(last, {offset: from, position: last.bytes});
  }

  /** Puts values into the file; they count only after `sync` and `commit`. */
  write(values: Iterable<Uint8Array>, nowMs: number): Written {
    const firstOffset = this.endOffset;
    this.rollback();
    const segment = this.segments.at(-1) ?? this.roll(nowMs);
    this.#dirty = true;
    this.#file ??= this.#files.openAppend(segment.path);
    const synced = this.#durable ? segment.bytes : 0;
    const records: LogRecord[] = [];
    let [filled, bytes] = [0, 0];
    for (const value of values) {
      const offset = firstOffset + records.length;
      const size = frameHeaderBytes + value.length;
      if (filled + size > scratch.length) {
        this.#file.write([scratch.subarray(0, filled)]);
        filled = 0;
      }
      const target = size > scratch.length ? Buffer.allocUnsafe(size) : scratch;
      const end = writeFrame(target, filled, offset, synced, value);
      if (target === scratch) filled = end;
      else this.#file.write([target]);
      addToIndex(segment, offset, segment.bytes + bytes);
      records.push({offset, value});
      bytes += size;
    }
    if (filled > 0) this.#file.write([scratch.subarray(0, filled)]);
    return {segment, firstOffset, bytes, records};
  }

  async sync(): Promise<void> {
    if (this.#durable) await this.#file?.sync();
  }

  commit({segment, firstOffset, bytes, records}: Written): void {
    segment.bytes += bytes;
    this.#endOffset = firstOffset + records.length;
    this.#dirty = false;
  }

  /** Takes a failed write out of the file again, so that its offsets are free. */
  rollback(): void {
    if (!this.#dirty) return;
    this.close();
    const segment = this.segments.at(-1) as Segment;
    while ((segment.index.at(-1)?.position ?? -1) >= segment.bytes) segment.index.pop();
    if (this.#files.exists(segment.path)) this.#files.truncate(segment.path, segment.bytes);
    this.#dirty = false;
  }

  /**
   * Begins a new segment; the file comes with its first record. What a failed write has left in the
   * one before goes first: nobody would look for it there later, and it would be read as a record.
   */
  roll(nowMs: number): Segment {
    const startOffset = this.endOffset;
    this.rollback();
    this.close();
    const path = this.#pathOf(startOffset, nowMs);
    const segment: Segment = {path, startOffset, createdAtMs: nowMs, bytes: 0, index: []};
    this.segments.push(segment);
    this.#endOffset = startOffset;
    return segment;
  }

  /** Whether there is an oldest segment that is neither written to nor needed. */
  get canDrop(): boolean {
    const next = this.segments[1];
    return next !== undefined && next.startOffset <= this.neededFrom;
  }

  /** Deletes the oldest segment, which must not be the only one. */
  dropOldest(): void {
    const [oldest] = this.segments.splice(0, 1);
    if (oldest !== undefined) this.#files.remove(oldest.path);
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

/** A disk that rots is not reported without end. */
const damageToldMax = 1000;

/** The same place is met by every reader, and told once. */
function onceEach(tell: NonNullable<OnDamage>): NonNullable<OnDamage> {
  const told = new Set<string>();
  return damage => {
    const key = `${damage.path}:${damage.position}`;
    if (told.has(key) || told.size >= damageToldMax) return;
    told.add(key);
    tell(damage);
  };
}

function unsynced(path: string, cause: unknown): ForestayError {
  return new ForestayError(
    'LOG_APPEND_FAILED',
    `sync ${path}: its end is not durable yet; check the disk, then try again`,
    {retryable: true, details: {file: path}, cause},
  );
}
