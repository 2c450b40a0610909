import {PARTITION_COUNT} from '../domain/hash.ts';

/** As much as the checkpoint of some hundred hosts: to read it again costs about as much. */
const MUCH_BYTES = 1 << 20;
const SOONER = 4;

/**
 * When a partition's next checkpoint is due: about every `everyMs` on the time of its ticks, or four
 * times as often while much telemetry comes, which a restart would have to read again: more than the
 * last checkpoint had bytes, so that checkpoints write no more than telemetry does. Each partition
 * has its own turn in time, so that many never write together.
 */
export class CheckpointSchedule {
  readonly #slotMs: number;
  readonly #turnMs: number;
  /** Slots of the last checkpoint, and of the last time that this was asked. */
  #slot = -1;
  #askedSlot = -1;
  #telemetryBytes = 0;
  #checkpointBytes = 0;

  /** @param atMs Time of the last tick; 0: the partition is new, its first tick counts. */
  constructor(everyMs: number, partition: number, atMs: number) {
    this.#slotMs = everyMs / SOONER;
    this.#turnMs = Math.floor(this.#slotMs * (partition / PARTITION_COUNT));
    if (atMs > 0) this.#slot = this.#slotAt(atMs);
  }

  /** So much telemetry was read. */
  read(bytes: number): void {
    this.#telemetryBytes += bytes;
  }

  /** Yes at most once in a slot, when it has just begun. */
  isDue(nowMs: number): boolean {
    const slot = this.#slotAt(nowMs);
    if (this.#slot < 0) this.#slot = slot;
    if (slot === this.#askedSlot) return false;
    this.#askedSlot = slot;
    const much = Math.max(MUCH_BYTES, this.#checkpointBytes);
    return slot - this.#slot >= (this.#telemetryBytes > much ? 1 : SOONER);
  }

  /** One is being written: the next is not due for a while, whatever comes of it. */
  begun(nowMs: number): void {
    this.#slot = this.#slotAt(nowMs);
    this.#telemetryBytes = 0;
  }

  /** It was so large. */
  written(bytes: number): void {
    this.#checkpointBytes = bytes;
  }

  #slotAt(ms: number): number {
    return Math.floor((ms + this.#turnMs) / this.#slotMs);
  }
}
