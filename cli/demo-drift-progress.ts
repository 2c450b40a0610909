/** How far the keeper has come, as the registry's audit log has it. */
import type {AuditRecord} from '../models/registry/audit.ts';

/** Virtual times; undefined: not yet. */
export type Milestones = {
  readonly arrivedAtMs: number;
  detectedAtMs?: number;
  trainingAtMs?: number;
  promotedAtMs?: number;
  /** Whatever was promoted was given up again. */
  rolledBackAtMs?: number;
  badModelAtMs?: number;
  /** The bad model scored hosts that are acted upon: a share of them, or all. */
  badModelServedAtMs?: number;
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

  #take({what, atMs, from, to, aliases}: AuditRecord): void {
    const {milestones} = this;
    if (atMs < milestones.arrivedAtMs) return;
    if (what === 'drift') milestones.detectedAtMs ??= atMs;
    if (what === 'training-began') milestones.trainingAtMs ??= atMs;
    if (what === 'rollback') milestones.rolledBackAtMs ??= atMs;
    const bad = this.#badHash;
    if (what === 'promote' && from !== null && to !== bad) milestones.promotedAtMs ??= atMs;
    if (bad === undefined) return;
    const isTried = aliases?.challenger === bad && aliases.canaryPercent > 0;
    if (isTried || aliases?.champion === bad) milestones.badModelServedAtMs ??= atMs;
    const isBad = from === bad || to === bad;
    if (isBad && (what === 'withdraw' || what === 'refused')) milestones.refusedAtMs ??= atMs;
  }
}
