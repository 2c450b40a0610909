/**
 * Batches on disk until the core has them.
 *
 * P1 A batch may be sent as soon as it is appended; its durability (a group sync) delays nothing.
 * P2 An ack is durable in the ledger before the file that it frees is removed.
 * P3 Every life of the spool has a number of its own, durable before its first batch; sequences
 *    begin at 1 in each. Older lives come first.
 * P4 Whatever will not come is a gap: dropped by a full spool, refused, damaged, or torn.
 * P5 Nothing on disk can stop it: what cannot be read is counted and skipped, what cannot be
 *    written is kept in memory as long as there is room.
 */
import {strict as assert} from 'node:assert';
import {isDefect, isDiskFull} from '../core/domain/errors.ts';
import {comparePositions, frameBytes, type Position, START} from './frame.ts';
import {createLedger, type Ledger, type LedgerState, readLedger} from './ledger.ts';
import {addLoss, afterAck, endOf, type Loss, startOf} from './losses.ts';
import type {Clock, Files, Note} from './ports.ts';
import {openRejectFolder, type RejectFolder} from './reject-folder.ts';
import {lastOf, openSegments, type Segments} from './segments.ts';
import {createTail, type Tail} from './tail.ts';

export type SpoolLimits = {
  bytesMax: number;
  segmentBytes: number;
  /** A spool that is opened again and again makes a file each time. */
  segmentsMax: number;
  /** How long a batch may stay without being durable. */
  syncMs: number;
  rejectFilesMax: number;
  rejectBytesMax: number;
};

export const DEFAULT_SPOOL_LIMITS: SpoolLimits = {
  bytesMax: 64 * 1024 * 1024,
  segmentBytes: 1024 * 1024,
  segmentsMax: 1024,
  syncMs: 100,
  rejectFilesMax: 100,
  rejectBytesMax: 16 * 1024 * 1024,
};

/** What comes next: a batch as it was encoded, or the sequences that will never come. */
export type SpoolEntry =
  | {kind: 'batch'; position: Position; body: Uint8Array}
  | {kind: 'gap'; position: Position; gap: Loss};

export type SpoolCounters = {
  appendedBatches: number;
  droppedBatches: number;
  rejectedBatches: number;
  tornBytes: number;
  damagedSegments: number;
  failedWrites: number;
};

export type SpoolOptions = {
  files: Files;
  clock: Clock;
  /** A folder of its own. */
  folder: string;
  /** Number of the first life of a new spool; later ones count on. */
  firstIncarnation?: number;
  limits?: Partial<SpoolLimits>;
  note?: Note;
};

type Stored = Position & {body: Uint8Array};

/**
 * One life of a spool. Opening it reads every file once.
 * Errors: what {@link Files} throws when the folder or its ledger cannot be written.
 */
export class Spool {
  /** The number of this life. */
  readonly incarnation: number;
  readonly counters: SpoolCounters;
  readonly #folder: string;
  readonly #limits: SpoolLimits;
  readonly #clock: Clock;
  readonly #note: Note;
  readonly #segments: Segments;
  readonly #rejects: RejectFolder;
  readonly #ledger: Ledger;
  readonly #tail: Tail;
  readonly #closing = new AbortController();
  #acked: Position;
  #losses: readonly Loss[];
  #dirty = false;
  #syncing: Promise<void> | undefined;

  constructor({files, clock, folder, firstIncarnation = 1, limits, note}: SpoolOptions) {
    this.#clock = clock;
    this.#folder = folder;
    this.#note = note ?? (() => {});
    this.#limits = {...DEFAULT_SPOOL_LIMITS, ...limits};
    const {segmentBytes, bytesMax, rejectFilesMax, rejectBytesMax} = this.#limits;
    assert(segmentBytes * 4 <= bytesMax, 'a spool holds at least four segments');
    files.makeDirectory(folder);
    const known = readLedger(files, `${folder}/ledger`);
    this.#segments = openSegments(files, `${folder}/segments`, segmentBytes);
    this.#rejects = openRejectFolder(files, `${folder}/reject`, {
      filesMax: rejectFilesMax,
      bytesMax: rejectBytesMax,
    });
    const lastLife = Math.max(known?.incarnation ?? 0, this.#segments.all.at(-1)?.incarnation ?? 0);
    // Without a ledger nobody knows which lives have come and gone since the oldest file.
    this.incarnation =
      known === undefined ? Math.max(firstIncarnation, lastLife + 1) : lastLife + 1;
    this.#acked = known?.acked ?? START;
    this.#losses = known?.losses ?? [];
    this.#ledger = createLedger(files, `${folder}/ledger`, this.#state());
    this.#tail = createTail(this.incarnation, 2 * segmentBytes);
    this.counters = {
      appendedBatches: 0,
      droppedBatches: 0,
      rejectedBatches: 0,
      failedWrites: 0,
      ...this.#segments.damage,
    };
  }

  /** The sequence that the next batch must carry. */
  get nextSeq(): number {
    return this.#tail.lastSeq + 1;
  }

  /** Everything up to here is settled. */
  get acked(): Position {
    return this.#acked;
  }

  /** The last that there is to settle. */
  get end(): Position {
    const loss = this.#losses.at(-1);
    const segment = this.#segments.all.at(-1);
    let end = this.#acked;
    if (loss) end = laterOf(end, endOf(loss));
    if (segment) end = laterOf(end, lastOf(segment));
    const {lastSeq} = this.#tail;
    return lastSeq === 0 ? end : laterOf(end, {incarnation: this.incarnation, seq: lastSeq});
  }

  /** On disk now. */
  get bytes(): number {
    return this.#segments.bytes;
  }

  /** Keeps a batch that carries {@link Spool.nextSeq}; `body` must not be changed any more. */
  append(body: Uint8Array): void {
    const position = this.#tail.push(body);
    this.counters.appendedBatches++;
    try {
      this.#makeRoom(frameBytes(body));
      this.#write(position, body);
    } catch (error) {
      this.#failed('write', error);
    }
    this.#touch();
  }

  /** What is to be sent after `position`; undefined if that was the last. */
  after(position: Position): SpoolEntry | undefined {
    if (this.#losses.length === 0) {
      const next = this.#tail.successor(position);
      if (next !== undefined) return {kind: 'batch', position: next, body: next.body};
    }
    return firstOf(
      position,
      earlierOf(this.#segments.after(position), this.#tail.after(position)),
      this.#losses.find(loss => comparePositions(endOf(loss), position) > 0),
    );
  }

  /** The core has everything up to `position`. */
  acknowledge(position: Position): void {
    if (comparePositions(position, this.#acked) <= 0) return;
    this.#acked = {incarnation: position.incarnation, seq: position.seq};
    this.#tail.settle(this.#acked);
    if (this.#losses.length > 0) this.#losses = afterAck(this.#losses, this.#acked);
    this.#touch();
  }

  /** Sets a batch aside that the core will never take; gives the gap to send in its place. */
  reject({incarnation, seq}: Position, code: string): SpoolEntry | undefined {
    const before = {incarnation, seq: seq - 1};
    const entry = this.after(before);
    if (entry?.kind === 'gap') return entry;
    if (entry === undefined || entry.position.seq !== seq) return undefined;
    this.counters.rejectedBatches++;
    try {
      this.#rejects.put(entry.position, code, entry.body);
    } catch (error) {
      this.#failed('keep a refused batch', error);
    }
    this.#losses = addLoss(this.#losses, {incarnation, fromSeq: seq, toSeq: seq, reason: code});
    this.#touch();
    return this.after(before);
  }

  /** Makes everything durable and closes the files. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#syncing;
    try {
      this.#segments.syncNow();
      this.#ledger.append(this.#state());
      this.#ledger.syncNow();
      this.#freeUpTo(this.#acked);
    } catch (error) {
      this.#failed('sync', error);
    }
    this.#segments.close();
    this.#ledger.close();
  }

  #state(): LedgerState {
    return {incarnation: this.incarnation, acked: this.#acked, losses: this.#losses};
  }

  #touch(): void {
    this.#dirty = true;
    this.#syncing ??= this.#syncLater();
  }

  async #syncLater(): Promise<void> {
    while (this.#dirty) {
      await this.#clock.sleep(this.#limits.syncMs, this.#closing.signal);
      if (this.#closing.signal.aborted) break;
      this.#dirty = false;
      await this.#sync();
    }
    this.#syncing = undefined;
  }

  async #sync(): Promise<void> {
    const settled = this.#acked;
    try {
      await this.#segments.sync();
      this.#ledger.append(this.#state());
      await this.#ledger.sync();
      this.#freeUpTo(settled);
    } catch (error) {
      this.#failed('sync', error);
    }
  }

  /** Removes files that hold only what the durable ledger says is settled. */
  #freeUpTo(settled: Position): void {
    for (;;) {
      const oldest = this.#segments.all[0];
      if (oldest === undefined || comparePositions(lastOf(oldest), settled) > 0) return;
      if (this.#segments.removeOldest() === undefined) return;
    }
  }

  #makeRoom(bytes: number): void {
    const {bytesMax, segmentsMax} = this.#limits;
    while (this.bytes + bytes > bytesMax || this.#segments.all.length > segmentsMax) {
      if (!this.#dropOldest()) return;
    }
  }

  /** On a full disk the oldest file makes room for the newest batch, as in a full spool. */
  #write(position: Position, body: Uint8Array): void {
    for (;;) {
      try {
        this.#segments.append(position, body);
        return;
      } catch (error) {
        if (!isDiskFull(error) || !this.#dropOldest()) throw error;
        this.#note(`spool: the disk of ${this.#folder} is full; the oldest batches are dropped`);
      }
    }
  }

  /** False: there is none, or only the one that is written to. */
  #dropOldest(): boolean {
    const dropped = this.#segments.removeOldest();
    if (dropped === undefined) return false;
    const {incarnation, firstSeq, lastSeq: toSeq} = dropped;
    if (comparePositions(lastOf(dropped), this.#acked) <= 0) return true;
    const sameLife = incarnation === this.#acked.incarnation;
    const fromSeq = Math.max(firstSeq, sameLife ? this.#acked.seq + 1 : 1);
    this.counters.droppedBatches += toSeq - fromSeq + 1;
    const loss = {incarnation, fromSeq, toSeq, reason: 'spool-full'};
    this.#losses = addLoss(this.#losses, loss);
    return true;
  }

  #failed(what: string, error: unknown): void {
    if (isDefect(error)) throw error;
    this.counters.failedWrites++;
    const cause = error instanceof Error ? error.message : String(error);
    this.#note(`spool: cannot ${what} in ${this.#folder}: ${cause}; free or check the disk`);
  }
}

function earlierOf(a: Stored | undefined, b: Stored | undefined): Stored | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return comparePositions(a, b) <= 0 ? a : b;
}

const laterOf = (a: Position, b: Position): Position => (comparePositions(a, b) < 0 ? b : a);

/** The first of a batch, a known loss, and the hole that may lie before both. */
function firstOf(
  position: Position,
  batch: Stored | undefined,
  loss: Loss | undefined,
): SpoolEntry | undefined {
  const isLoss = loss && (!batch || comparePositions(startOf(loss), batch) <= 0);
  const first = isLoss ? startOf(loss) : batch;
  if (first === undefined) return undefined;
  const {incarnation} = first;
  const expected = incarnation === position.incarnation ? position.seq + 1 : 1;
  if (first.seq > expected)
    return gapEntry({incarnation, fromSeq: expected, toSeq: first.seq - 1, reason: 'damaged'});
  if (isLoss) return gapEntry({...loss, fromSeq: expected});
  return batch && {kind: 'batch', position: batch, body: batch.body};
}

const gapEntry = (gap: Loss): SpoolEntry => ({kind: 'gap', position: endOf(gap), gap});
