/**
 * The edge of a replay: one stream that stands for all recorded hosts, with the real spool (in
 * memory) and uplink. It knows of every sample whether the core has it.
 */
import {createMemoryFiles} from '../core/adapters/files-memory.ts';
import {ForestayError} from '../core/domain/errors.ts';
import type {MetricSet} from '../core/domain/metric-sets.ts';
import type {Block} from '../core/domain/telemetry.ts';
import type {Clock, Codec, Random} from '../core/ports.ts';
import type {Dial} from '../edge/ports.ts';
import {Spool} from '../edge/spool.ts';
import {Uplink} from '../edge/uplink.ts';
import type {ReplayRow} from './replay-rows.ts';

export type ReplayEdgeOptions = {
  edge: string;
  cell: string;
  /** Higher than that of any replay before into the same cell. */
  incarnation: number;
  dial: Dial;
  codec: Codec;
  clock: Clock;
  random: Random;
  batchRowsMax: number;
  /** Without an ack for so long the replay is given up. */
  ackMsMax: number;
  note(line: string): void;
};

/** Not acked; above it the replay waits. */
const AHEAD_BYTES_MAX = 4 * 1024 * 1024;
const LOOK_MS = 5;

export class ReplayEdge {
  sentSamples = 0;
  ackedSamples = 0;
  readonly #options: ReplayEdgeOptions;
  readonly #spool: Spool;
  readonly #uplink: Uplink;
  /** Rows of the next batch, by metric set. */
  readonly #rows = new Map<MetricSet, ReplayRow[]>();
  #rowCount = 0;
  /** Samples of each batch that is not acked. */
  readonly #waiting = new Map<number, number>();
  #ackedSeq = 0;
  #progressMs: number;
  #refusal: ForestayError | undefined;

  constructor(options: ReplayEdgeOptions) {
    const {clock, incarnation, note, random, edge, cell, codec} = options;
    this.#options = options;
    this.#progressMs = clock.monotonicMs();
    this.#spool = new Spool({
      files: createMemoryFiles(),
      clock,
      folder: '/spool',
      firstIncarnation: incarnation,
      note,
    });
    this.#uplink = new Uplink({
      spool: this.#spool,
      dial: this.#watch(options.dial),
      clock,
      random,
      edge,
      cell,
      encodeGap: gap => codec.encodeTelemetry({kind: 'gap', gap: {edge, cell, ...gap}}),
      note,
    });
    this.#uplink.start();
  }

  /** Waits while the core is behind. Throws what the core refused, or `TIMED_OUT`. */
  async add(row: ReplayRow): Promise<void> {
    const rows = this.#rows.get(row.set);
    if (rows === undefined) this.#rows.set(row.set, [row]);
    else rows.push(row);
    if (++this.#rowCount < this.#options.batchRowsMax) return;
    this.flush();
    if (this.#spool.bytes >= AHEAD_BYTES_MAX) {
      await this.#until(() => this.#spool.bytes < AHEAD_BYTES_MAX / 2);
    }
  }

  /** Sends the rows that wait for others. */
  flush(): void {
    if (this.#rowCount === 0) return;
    const {edge, cell, codec} = this.#options;
    const blocks = [...this.#rows].map(([set, rows]) => blockOf(set, rows));
    const {incarnation, nextSeq: seq} = this.#spool;
    this.#waiting.set(seq, this.#rowCount);
    this.sentSamples += this.#rowCount;
    this.#rows.clear();
    this.#rowCount = 0;
    const batch = {edge, cell, incarnation, seq, timeBase: 'recorded' as const, blocks};
    this.#spool.append(codec.encodeTelemetry({kind: 'batch', batch}));
    this.#uplink.wake();
  }

  /** Sends what is left and waits until the core has all of it. */
  async finish(): Promise<void> {
    this.flush();
    await this.#until(() => this.#waiting.size === 0);
  }

  async close(): Promise<void> {
    await this.#uplink.stop();
    await this.#spool.close();
  }

  async #until(isDone: () => boolean): Promise<void> {
    const {clock, ackMsMax} = this.#options;
    this.#progressMs = clock.monotonicMs();
    while (!isDone()) {
      if (this.#refusal !== undefined) throw this.#refusal;
      if (clock.monotonicMs() - this.#progressMs > ackMsMax) throw notAcked(this, ackMsMax);
      await clock.sleep(LOOK_MS);
    }
  }

  /** The uplink's own dial, overheard. */
  #watch(dial: Dial): Dial {
    return (hello, events) =>
      dial(hello, {
        ...events,
        acked: (incarnation, seq) => {
          events.acked(incarnation, seq);
          this.#acked(seq);
        },
        refused: refusal => {
          const {code, message} = refusal;
          const what = `the core refused batch ${refusal.seq}: [${code}] ${message}`;
          this.#refusal ??= new ForestayError('INVALID_ARGUMENT', what);
          events.refused(refusal);
        },
      });
  }

  #acked(seq: number): void {
    for (let each = this.#ackedSeq + 1; each <= seq; each++) {
      this.ackedSamples += this.#waiting.get(each) ?? 0;
      this.#waiting.delete(each);
    }
    this.#ackedSeq = Math.max(this.#ackedSeq, seq);
    this.#progressMs = this.#options.clock.monotonicMs();
  }
}

function blockOf(set: MetricSet, rows: readonly ReplayRow[]): Block {
  const entities = [...new Set(rows.map(({host}) => `hosts/${host}`))];
  const values = new Float32Array(rows.length * set.columns.length);
  rows.forEach((row, index) => {
    row.values.forEach((value, column) => {
      // An infinity is a missing value, and so is what f32 cannot hold.
      const stored = Math.fround(value);
      values[column * rows.length + index] = Number.isFinite(stored) ? stored : Number.NaN;
    });
  });
  return {
    metricSet: set.name,
    metricSetHash: set.hash,
    rows: rows.length,
    entities,
    rowEntity: Uint16Array.from(rows, ({host}) => entities.indexOf(`hosts/${host}`)),
    observedAtMs: Float64Array.from(rows, ({atMs}) => atMs),
    values,
    devices: [],
  };
}

function notAcked({sentSamples, ackedSamples}: ReplayEdge, ackMsMax: number): ForestayError {
  return new ForestayError(
    'TIMED_OUT',
    `the core acknowledged ${ackedSamples} of ${sentSamples} samples and then nothing for ` +
      `${ackMsMax / 1000} s; see what it says, then replay again`,
    {details: {sentSamples, ackedSamples}},
  );
}
