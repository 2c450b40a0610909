/**
 * The sink: tails the log, turns records into rows, and writes them to a store in bounded batches.
 *
 * R1 It only reads the log; whatever the store does, no decision waits for it.
 * R2 Offsets are written after the rows before them; what was not written is read again.
 * R3 Memory is bounded: with one batch on its way and the next one full, it stops reading.
 */
import {ForestayError, isForestayError} from '../domain/errors.ts';
import {publish} from '../events.ts';
import type {Clock, Codec, Log, Random, Store, StoreRow, TableSchema} from '../ports.ts';
import {bytesOf} from './log-range.ts';
import {
  type Cursor,
  createCursor,
  RECORDED_TOPICS,
  type Sink,
  takeRecords,
} from './recorder-cursors.ts';
import {createSetCatalog} from './recorder-sets.ts';
import {createWriter} from './recorder-writer.ts';
import {samplesTable, TABLES} from './tables.ts';

export type RecorderDeps = {
  log: Log;
  store: Store;
  codec: Codec;
  /** The machine's, also in a simulation: a sink has no part in it. */
  clock: Clock;
  random: Random;
  partitions: readonly number[];
  /** Whether this process is the one that stores a partition; all of them unless given. */
  isOwned?: (partition: number) => boolean;
  /** Rows a flush. */
  rowsMax?: number;
  /** How long a row may wait for others. */
  flushMs?: number;
  /** Every how many batches of an edge are stored. */
  sampleEvery?: number;
  /** Every how many score records of a partition are stored; reasons always are. */
  scoreEvery?: number;
};

export type Recorder = {
  /**
   * Records until the signal aborts or the log is closed. Rejects when the store can never take what it must:
   * `STORE_SCHEMA_NEWER`, or a store that was closed.
   */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Resolves when everything is stored that the log holds now of what is owned. Throws `TIMED_OUT`.
   */
  drained(msMax?: number): Promise<void>;
  /** Samples stored since the start, by cell. */
  storedSamples(): ReadonlyMap<string, number>;
};

const READ_BYTES = 128 * 1024;
const POLL_MS_MIN = 20;
/** Of a place that was read to its end: rows wait for their flush anyway, and a read has its price. */
const POLL_MS_FOLLOWING = 200;
const POLL_MS_MAX = 500;
const POLL_MS_DAMAGED = 30_000;

/** Rows that wait for their flush. */
type Pending = {
  rows: Map<string, StoreRow[]>;
  count: number;
  samples: Map<string, number>;
  /** When the first of them came; Infinity: there is none. */
  sinceMs: number;
};

const noRows = (): Pending => ({
  rows: new Map(),
  count: 0,
  samples: new Map(),
  sinceMs: Number.POSITIVE_INFINITY,
});

class LogRecorder implements Recorder {
  readonly #deps: RecorderDeps;
  readonly #rowsMax: number;
  readonly #flushMs: number;
  readonly #stored = new Map<string, number>();
  #cursors: readonly Cursor[] = [];
  #pending = noRows();
  /** The flush under way, if there is one. */
  #flushing: Promise<void> = Promise.resolve();
  /** Why the last flush can never succeed. */
  #failure: unknown;
  #drains = 0;
  #wake = new AbortController();

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
    this.#rowsMax = deps.rowsMax ?? 5_000;
    this.#flushMs = deps.flushMs ?? 1_000;
  }

  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#wake.abort();
    signal.addEventListener('abort', wake);
    const writer = createWriter(this.#deps, signal);
    try {
      const sink = this.#sink(writer);
      const {store} = this.#deps;
      await writer.attempt(async () => {
        for (const table of TABLES) await store.ensure(table);
      });
      while (!signal.aborted) {
        await this.#follow(sink, writer);
        await this.#readAll(signal, writer);
        if (this.#isDue()) await this.#flush(writer);
        await this.#rest();
        if (this.#failure !== undefined) throw this.#failure;
      }
      await this.#flushing;
    } catch (error) {
      if (!isForestayError(error, 'LOG_CLOSED')) throw error;
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  async drained(msMax = 60_000): Promise<void> {
    const {log, clock} = this.#deps;
    const targets = await endsOf(log, this.#owned());
    const isDrained = () => {
      const stored = new Map(
        this.#cursors.map(cursor => [`${cursor.topic}/${cursor.partition}`, cursor.storedTo]),
      );
      return [...targets].every(([place, end]) => (stored.get(place) ?? -1) >= end);
    };
    const until = clock.monotonicMs() + msMax;
    this.#drains++;
    try {
      while (!isDrained()) {
        if (clock.monotonicMs() > until) throw notDrained(msMax);
        for (const cursor of this.#cursors) cursor.pollAtMs = 0;
        this.#wake.abort();
        await clock.sleep(POLL_MS_MIN);
      }
    } finally {
      this.#drains--;
    }
  }

  storedSamples(): ReadonlyMap<string, number> {
    return this.#stored;
  }

  #owned(): number[] {
    const {partitions, isOwned = () => true} = this.#deps;
    return partitions.filter(isOwned);
  }

  /**
   * Reads what is owned now, and lets go of the rest: whoever owns that goes on from the offsets in
   * the store. What both have stored meanwhile is one row, by its key.
   */
  async #follow(sink: Sink, writer: ReturnType<typeof createWriter>): Promise<void> {
    const owned = new Set(this.#owned());
    const kept = this.#cursors.filter(({partition}) => owned.has(partition));
    for (const {partition} of kept) owned.delete(partition);
    if (owned.size === 0 && kept.length === this.#cursors.length) return;
    const {log, store} = this.#deps;
    const taken = [...owned];
    await writer.attempt(async () => {
      // Before anything is awaited from the store: what comes from now on is beyond these ends.
      const ends = await endsOf(log, taken);
      const offsets = (await store.readOffsets()).filter(
        ({topic, partition, offset}) => offset <= (ends.get(`${topic}/${partition}`) ?? 0),
      );
      const begun = taken.flatMap(partition =>
        RECORDED_TOPICS.map(topic => {
          const from = offsets.find(o => o.topic === topic && o.partition === partition);
          return createCursor(sink, topic, partition, from);
        }),
      );
      this.#cursors = [...kept, ...begun];
    });
  }

  #sink(writer: ReturnType<typeof createWriter>): Sink {
    const {log, store, codec, sampleEvery = 1, scoreEvery = 1} = this.#deps;
    const tables = new Map<number, TableSchema>();
    return {
      codec,
      sets: createSetCatalog(log, codec),
      samplesTable: async set => {
        const known = tables.get(set.hash);
        if (known !== undefined) return known;
        const table = samplesTable(set);
        await writer.attempt(() => store.ensure(table));
        tables.set(set.hash, table);
        return table;
      },
      add: (table, row) => this.#add(table, row),
      addedSamples: (cell, count) => increase(this.#pending.samples, cell, count),
      nowMs: () => this.#deps.clock.nowMs(),
      sampleEvery,
      scoreEvery,
    };
  }

  #add(table: TableSchema, row: StoreRow): void {
    const pending = this.#pending;
    const rows = pending.rows.get(table.name);
    if (rows === undefined) pending.rows.set(table.name, [row]);
    else rows.push(row);
    pending.count++;
    if (pending.count === 1) pending.sinceMs = this.#deps.clock.monotonicMs();
  }

  async #readAll(signal: AbortSignal, writer: ReturnType<typeof createWriter>): Promise<void> {
    const {log, clock} = this.#deps;
    for (const cursor of this.#cursors) {
      if (signal.aborted) return;
      if (cursor.pollAtMs > clock.monotonicMs()) continue;
      let readBytes = 0;
      try {
        const {topic, partition, readTo} = cursor;
        const records = await log.read(topic, partition, readTo, READ_BYTES);
        await takeRecords(cursor, records);
        readBytes = bytesOf(records);
      } catch (error) {
        // A read that fails is tried again; a store or a log that is gone is not. Damage ends one
        // partition of one topic, until somebody has seen to it.
        if (isForestayError(error, 'LOG_CORRUPT')) cursor.idleMs = POLL_MS_DAMAGED;
        else if (!isForestayError(error) || !error.retryable) throw error;
      }
      cursor.idleMs = nextPollMs(cursor.idleMs, readBytes);
      cursor.pollAtMs = clock.monotonicMs() + cursor.idleMs;
      if (this.#pending.count >= this.#rowsMax) await this.#flush(writer);
    }
  }

  #isDue(): boolean {
    if (this.#drains > 0) return true;
    return this.#deps.clock.monotonicMs() - this.#pending.sinceMs >= this.#flushMs;
  }

  /** Waits for the flush before; does not wait for its own end. */
  async #flush(writer: ReturnType<typeof createWriter>): Promise<void> {
    await this.#flushing;
    const {rows, count, samples} = this.#pending;
    const moved = this.#cursors
      .filter(cursor => cursor.readTo > cursor.storedTo)
      .map(cursor => ({cursor, readTo: cursor.readTo}));
    if (moved.length === 0 && count === 0) return;
    this.#pending = noRows();
    const offsets = moved.map(({cursor}) => {
      const {offset, epoch} = cursor.committable();
      return {topic: cursor.topic, partition: cursor.partition, offset, epoch};
    });
    const batches = [...rows].map(([table, of]) => ({table, rows: of}));
    const write = async () => {
      const startMs = this.#deps.clock.monotonicMs();
      if (!(await writer.write(batches, offsets))) return;
      for (const {cursor, readTo} of moved) cursor.storedTo = readTo;
      for (const [cell, more] of samples) increase(this.#stored, cell, more);
      publish('store.written', {rows: count, durationMs: this.#deps.clock.monotonicMs() - startMs});
    };
    this.#flushing = write();
    this.#flushing.catch(error => {
      this.#failure = error;
      this.#wake.abort();
    });
  }

  async #rest(): Promise<void> {
    const {clock} = this.#deps;
    const dueMs = Math.min(
      clock.monotonicMs() + POLL_MS_MAX,
      this.#pending.sinceMs + this.#flushMs,
      ...this.#cursors.map(cursor => cursor.pollAtMs),
    );
    await clock.sleep(Math.max(0, dueMs - clock.monotonicMs()), this.#wake.signal);
    this.#wake = new AbortController();
  }
}

/** A recorder of these partitions; nothing happens before `run`. */
export function createRecorder(deps: RecorderDeps): Recorder {
  return new LogRecorder(deps);
}

/**
 * Where the log ends now. An offset beyond that was written by a recorder of another log (its
 * folder was removed, say), and this one is read from its start.
 */
async function endsOf(log: Log, partitions: readonly number[]): Promise<Map<string, number>> {
  const ends = new Map<string, number>();
  await Promise.all(
    partitions.flatMap(partition =>
      RECORDED_TOPICS.map(async topic => {
        ends.set(`${topic}/${partition}`, await log.endOffset(topic, partition));
      }),
    ),
  );
  return ends;
}

/** At once where there is likely more; less and less often while nothing comes. */
function nextPollMs(idleMs: number, readBytes: number): number {
  if (4 * readBytes > READ_BYTES) return 0;
  if (readBytes > 0) return POLL_MS_FOLLOWING;
  return idleMs === POLL_MS_DAMAGED
    ? idleMs
    : Math.min(POLL_MS_MAX, Math.max(POLL_MS_MIN, idleMs * 2));
}

function increase(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function notDrained(msMax: number): ForestayError {
  return new ForestayError(
    'TIMED_OUT',
    `the log is not stored after ${msMax} ms: look at the store, or wait longer`,
    {retryable: true},
  );
}
