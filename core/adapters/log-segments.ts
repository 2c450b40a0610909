import assert from 'node:assert/strict';
import {ForestayError, isSystemError} from '../domain/errors.ts';
import {defaultRetention, type Retention} from '../domain/retention.ts';
import {type Clock, type Files, type Log, TOPICS, type Topic} from '../ports.ts';
import {SegmentFolder} from './log-segments-folder.ts';
import {type DirectoryLock, holdDirectory, type IsAlive, lockLost} from './log-segments-lock.ts';
import type {SegmentPartition, Written} from './log-segments-partition.ts';
import {ownAll, type SoleOwner} from './log-segments-sole-owner.ts';
import {TailCache} from './log-segments-tail.ts';

export type SegmentLogOptions = {
  /** Made if it is not there; used by one process at a time. Absolute. */
  directory: string;
  files: Files;
  clock: Clock;
  /** `none` resolves after the write: for data that may be lost with the machine. */
  sync?: 'group' | 'none';
  /**
   * At most one commit in this time, so that a disk sees fewer, larger ones; 2 (10 while nothing but
   * telemetry waits), or 0 without syncs.
   */
  groupMs?: number;
  /** A segment ends after the commit that takes it above this. */
  segmentBytes?: number;
  retention?: Partial<Record<Topic, Retention>>;
  /** Newest records that are kept in memory, over all partitions. */
  cacheBytes?: number;
  /** Whether the holder of a lock still runs; the machine's own answer unless a test gives one. */
  isAlive?: IsAlive;
  /** Told once of each damaged place that is skipped. */
  onDamage?: (damage: LogDamage) => void;
  /** Told when the folder is another's by now: all that is asked of this log fails from then on. */
  onLost?: (error: ForestayError) => void;
};

/** Bytes that are not what was written, and the first record that is gone with them. */
export type LogDamage = {
  topic: Topic;
  partition: number;
  offset: number;
  path: string;
  position: number;
};

/**
 * Topics that are read on behind a damaged place: what is gone is a gap to their readers, as if
 * retention had taken it. The others hold what was decided and what came of it; a partition does
 * not go on without that.
 */
const skippedTopics: readonly Topic[] = ['telemetry', 'scores', 'checkpoints'];

const defaultReadBytes = 1 << 20;
/**
 * Telemetry and scores may wait this long for company: a sync costs as much CPU as a hundred samples,
 * an edge can wait for its ack, and ticks take what came four times a second.
 */
const gatherMs = 10;
/** Waiting appends beyond this are refused. */
const pendingBytesMax = 256 << 20;
/** Another process that takes the folder needs longer until it appends. */
const lockCheckMs = 200;

type Append = {
  topic: Topic;
  values: readonly Uint8Array[];
  resolve: (offset: number) => void;
  reject: (error: unknown) => void;
};

/**
 * The embedded log: segment files in a folder, one group commit at a time for the whole process.
 * Appends that arrive during a commit share the next one: its cost is one sync of each file that
 * was written to, in parallel. Values are kept by reference and must not be changed after `append`.
 *
 * After a crash a partition ends with its last good record. A record that was acknowledged and is
 * damaged since is never believed: in the journal and the inbox it is `LOG_CORRUPT`, with file and
 * offset; in the other topics it is told to `onDamage` and left out. A failed commit leaves
 * no trace: its appends are `LOG_APPEND_FAILED` and their offsets are given to the next ones.
 *
 * Somebody may remove the lock while the log is in use. That is looked for before a commit, some
 * times a second; then nothing is written any more, and every call fails with `DATA_DIR_LOCKED`.
 *
 * @throws {ForestayError} `DATA_DIR_LOCKED` if another process uses the folder,
 *   `DEPENDENCY_UNREACHABLE` if it cannot be used.
 */
export async function openSegmentLog(options: SegmentLogOptions): Promise<Log> {
  const {files, directory, isAlive} = options;
  let lock: DirectoryLock | undefined;
  try {
    files.makeDirectory(directory);
    lock = holdDirectory(files, directory, isAlive);
    return new SegmentLog(options, lock);
  } catch (error) {
    lock?.release();
    throw isSystemError(error) ? unusable(directory, error) : error;
  }
}

function unusable(directory: string, cause: Error): ForestayError {
  return new ForestayError(
    'DEPENDENCY_UNREACHABLE',
    `open the log in ${directory}: ${cause.message}; it must be a folder that can be read and written`,
    {details: {directory}, cause},
  );
}

class SegmentLog implements Log {
  readonly #clock: Clock;
  readonly #folder: SegmentFolder;
  readonly #tail: TailCache<SegmentPartition>;
  readonly #groupMs: number;
  readonly #gatherMs: number;
  #gathering: AbortController | undefined;
  readonly #lock: DirectoryLock;
  readonly #onLockLost: () => ForestayError;
  #lockCheckedAtMs: number;
  /** Why nothing is written any more. */
  #lost: ForestayError | undefined;
  #pending = new Map<SegmentPartition, Append[]>();
  #pendingBytes = 0;
  #committing: Promise<void> | undefined;
  #owner: SoleOwner | undefined;
  #closed = false;

  constructor(options: SegmentLogOptions, lock: DirectoryLock) {
    this.#clock = options.clock;
    this.#groupMs = options.groupMs ?? (options.sync === 'none' ? 0 : 2);
    this.#gatherMs = options.groupMs === undefined && options.sync !== 'none' ? gatherMs : 0;
    this.#tail = new TailCache(options.cacheBytes ?? 32 << 20);
    this.#lock = lock;
    this.#lockCheckedAtMs = options.clock.monotonicMs();
    this.#onLockLost = () => {
      const error = lockLost(options.directory);
      options.onLost?.(error);
      return error;
    };
    this.#folder = new SegmentFolder({
      files: options.files,
      directory: options.directory,
      retention: {...defaultRetention, ...options.retention},
      segmentBytes: options.segmentBytes ?? 64 << 20,
      durable: options.sync !== 'none',
      onDamage: (topic, partition) =>
        skippedTopics.includes(topic)
          ? damage => options.onDamage?.({topic, partition, ...damage})
          : undefined,
    });
    for (const topic of TOPICS) this.#folder.enforceRetention(topic, this.#clock.nowMs());
  }

  async append(topic: Topic, partition: number, values: readonly Uint8Array[]): Promise<number> {
    const to = this.#open(topic, partition);
    assert(values.length > 0, 'append of nothing');
    if (this.#pendingBytes > pendingBytesMax) throw behind(topic, partition, this.#pendingBytes);
    for (const value of values) this.#pendingBytes += value.length;
    return new Promise((resolve, reject) => {
      const append = {topic, values, resolve, reject};
      const others = this.#pending.get(to);
      if (others === undefined) this.#pending.set(to, [append]);
      else others.push(append);
      if (urgent(append)) this.#gathering?.abort('urgent');
      this.#committing ??= this.#commitAll();
    });
  }

  async read(topic: Topic, partition: number, from: number, maxBytes = defaultReadBytes) {
    const of = this.#open(topic, partition);
    return reading(topic, partition, () => {
      const start = Math.max(from, of.startOffset);
      if (start >= of.endOffset) return [];
      return this.#tail.read(of, start, maxBytes) ?? of.read(start, maxBytes);
    });
  }

  async startOffset(topic: Topic, partition: number): Promise<number> {
    return this.#open(topic, partition).startOffset;
  }

  async endOffset(topic: Topic, partition: number): Promise<number> {
    const of = this.#open(topic, partition);
    return reading(topic, partition, () => of.endOffset);
  }

  async own(handler: Parameters<Log['own']>[0]): Promise<SoleOwner> {
    this.#owner = await ownAll(handler, this.#clock.nowMs);
    return this.#owner;
  }

  async release(topic: 'journal' | 'checkpoints', partition: number, before: number) {
    this.#open(topic, partition);
    try {
      this.#folder.release(topic, partition, before, this.#clock.nowMs());
    } catch (error) {
      // A file that cannot be removed now is seen again, and removed, after the next start.
      if (!isSystemError(error)) throw error;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner?.drop();
    this.#gathering?.abort('closed');
    await this.#committing;
    this.#folder.close();
    this.#lock.release();
  }

  #open(topic: Topic, partition: number): SegmentPartition {
    if (this.#closed) throw new ForestayError('LOG_CLOSED', `${topic}/${partition}: log is closed`);
    if (this.#lost !== undefined) throw this.#lost;
    return this.#folder.partition(topic, partition);
  }

  async #commitAll(): Promise<void> {
    // Whatever else this turn of the event loop appends belongs into the first commit.
    await Promise.resolve();
    while (this.#pending.size > 0) {
      const startedAtMs = this.#clock.monotonicMs();
      const batch = this.#pending;
      this.#pending = new Map();
      this.#pendingBytes = 0;
      this.#checkLock(startedAtMs);
      await Promise.all(Array.from(batch, ([to, appends]) => this.#commit(to, appends)));
      await this.#gather(startedAtMs);
    }
    this.#committing = undefined;
  }

  /** Waits for more to commit: a little always, longer while nothing but telemetry waits. */
  async #gather(startedAtMs: number): Promise<void> {
    const restMs = (groupMs: number) =>
      Math.max(0, startedAtMs + groupMs - this.#clock.monotonicMs());
    if (this.#groupMs > 0) await this.#clock.sleep(restMs(this.#groupMs));
    const isUrgent = () => [...this.#pending.values()].some(([first]) => first && urgent(first));
    if (this.#gatherMs === 0 || this.#closed || isUrgent()) return;
    this.#gathering = new AbortController();
    await this.#clock.sleep(restMs(this.#gatherMs), this.#gathering.signal);
    this.#gathering = undefined;
  }

  /** Whoever has the folder by now would not know of what we append. */
  #checkLock(nowMs: number): void {
    if (this.#lost !== undefined || nowMs - this.#lockCheckedAtMs < lockCheckMs) return;
    this.#lockCheckedAtMs = nowMs;
    try {
      if (this.#lock.isHeld()) return;
    } catch (error) {
      // A disk that does not answer now says nothing about who has the folder.
      if (isSystemError(error)) return;
      throw error;
    }
    this.#lost = this.#onLockLost();
    this.#owner?.drop();
  }

  async #commit(to: SegmentPartition, appends: readonly Append[]): Promise<void> {
    if (this.#lost !== undefined) {
      for (const {reject} of appends) reject(this.#lost);
      return;
    }
    const {topic} = appends[0] as Append;
    const nowMs = this.#clock.nowMs();
    let written: Written;
    try {
      const rolled = this.#folder.rollIfDue(topic, to, nowMs);
      if (rolled) this.#folder.enforceRetention(topic, nowMs);
      written = to.write(valuesOf(appends), nowMs);
      await to.sync();
    } catch (error) {
      this.#fail(to, appends, error);
      return;
    }
    to.commit(written);
    this.#tail.add(to, written.records, written.bytes);
    let offset = written.firstOffset;
    for (const append of appends) {
      append.resolve(offset);
      offset += append.values.length;
    }
  }

  #fail(to: SegmentPartition, appends: readonly Append[], cause: unknown): void {
    const {topic} = appends[0] as Append;
    const whole = takenBack(to, cause);
    const error = isSystemError(cause) ? refused(topic, to, whole) : (cause as Error);
    for (const append of appends) append.reject(error);
  }
}

/** Takes a failed write out again; gives why it failed, and why it is still there if it is. */
function takenBack(to: SegmentPartition, cause: unknown): unknown {
  try {
    to.rollback();
    return cause;
  } catch (error) {
    // The disk is gone for now; the next write tries again before it writes anything.
    const problem = error instanceof Error ? error.message : String(error);
    return new Error(`what was written of it could not be taken back: ${problem}`, {cause});
  }
}

/** What the disk does not give now it may give later; nobody takes it for an end or for damage. */
function reading<Found>(topic: Topic, partition: number, read: () => Found): Found {
  try {
    return read();
  } catch (cause) {
    throw isSystemError(cause) ? unreadable(topic, partition, cause) : cause;
  }
}

function unreadable(topic: Topic, partition: number, cause: Error): ForestayError {
  return new ForestayError(
    'DEPENDENCY_UNREACHABLE',
    `read ${topic} of partition ${partition}: ${cause.message}; check the disk`,
    {retryable: true, details: {topic, partition}, cause},
  );
}

/** Somebody waits for it: a tick, a command, a takeover. */
const urgent = ({topic}: Append): boolean => topic !== 'telemetry' && topic !== 'scores';

function refused(topic: Topic, to: SegmentPartition, cause: unknown): ForestayError {
  return new ForestayError(
    'LOG_APPEND_FAILED',
    `append to ${topic}: ${to.segments.at(-1)?.path ?? 'no file'} could not be written; ` +
      'check the space and health of the disk, then try again',
    {retryable: true, details: {topic}, cause},
  );
}

function behind(topic: Topic, partition: number, bytes: number): ForestayError {
  return new ForestayError(
    'LOG_APPEND_FAILED',
    `append to ${topic}/${partition}: ${bytes} bytes wait already, ${pendingBytesMax} at most; ` +
      'the disk is slower than what comes in: send less, or use a faster one',
    {retryable: true, details: {topic, partition, bytes, bytesMax: pendingBytesMax}},
  );
}

function* valuesOf(appends: readonly Append[]): Iterable<Uint8Array> {
  for (const {values} of appends) yield* values;
}
