import {PARTITION_COUNT} from '../domain/hash.ts';

/** As much as a small partition's checkpoint, which nobody has measured yet. */
const BYTES_MIN = 1 << 20;
/** While there is much telemetry, this part of the usual time is enough. */
const SOONER = 4;

/**
 * When a partition's next checkpoint is due: after `everyMs` on the time of its ticks, or sooner when
 * a restart would have to read more telemetry again than the last checkpoint's size. So the log
 * never gets much more of checkpoints than of telemetry, and a restart never reads much.
 */
export class CheckpointSchedule {
  readonly #everyMs: number;
  /** Partitions that begin together take turns. */
  readonly #turnMs: number;
  #atMs: number;
  #bytes = BYTES_MIN;
  #telemetryBytes = 0;

  /** @param atMs Time of the last tick; 0: the partition is new, its first tick counts. */
  constructor(everyMs: number, partition: number, atMs: number) {
    this.#everyMs = everyMs;
    this.#turnMs = Math.floor((everyMs / SOONER) * (partition / PARTITION_COUNT));
    this.#atMs = atMs === 0 ? 0 : atMs - this.#turnMs;
  }

  /** So much telemetry was read. */
  read(bytes: number): void {
    this.#telemetryBytes += bytes;
  }

  isDue(nowMs: number): boolean {
    if (this.#atMs === 0) this.#atMs = nowMs - this.#turnMs;
    const dueMs = this.#telemetryBytes > this.#bytes ? this.#everyMs / SOONER : this.#everyMs;
    return nowMs - this.#atMs >= dueMs;
  }

  /** One is being written: the next is not due for a while, whatever comes of it. */
  begun(nowMs: number): void {
    this.#atMs = nowMs;
    this.#telemetryBytes = 0;
  }

  written(bytes: number): void {
    this.#bytes = Math.max(BYTES_MIN, bytes);
  }
}
