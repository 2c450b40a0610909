/** How far the keeper has come, as the registry's audit log has it. */
import type {AuditRecord} from '../models/registry/audit.ts';

/** Virtual times; undefined: not yet. */
export type Milestones = {
  readonly arrivedAtMs: number;
  detectedAtMs?: number;
  trainingAtMs?: number;
  promotedAtMs?: number;
  badModelAtMs?: number;
  refusedAtMs?: number;
};

export class DriftProgress {
  readonly milestones: Milestones;
  readonly #onRecord: (record: AuditRecord) => void;
  #badHash: string | undefined;
  #seen = 0;

  /** @param onRecord Told of every record once, in order. */
  constructor(arrivedAtMs: number, onRecord: (record: AuditRecord) => void) {
    this.milestones = {arrivedAtMs};
    this.#onRecord = onRecord;
  }

  badModelAdded(hash: string, atMs: number): void {
    this.#badHash = hash;
    this.milestones.badModelAtMs = atMs;
  }

  /** @param records The whole log, oldest first. */
  follow(records: readonly AuditRecord[]): void {
    for (const record of records.slice(this.#seen)) {
      this.#take(record);
      this.#onRecord(record);
    }
    this.#seen = records.length;
  }

  #take({what, atMs, from, to}: AuditRecord): void {
    const {milestones} = this;
    const isLater = atMs >= milestones.arrivedAtMs;
    if (what === 'drift' && isLater) milestones.detectedAtMs ??= atMs;
    if (what === 'training-began' && isLater) milestones.trainingAtMs ??= atMs;
    if (what === 'promote' && from !== null && to !== this.#badHash)
      milestones.promotedAtMs ??= atMs;
    const isBad = this.#badHash !== undefined && (from === this.#badHash || to === this.#badHash);
    if (isBad && (what === 'withdraw' || what === 'refused')) milestones.refusedAtMs ??= atMs;
  }
}
