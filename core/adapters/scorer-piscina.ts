import assert from 'node:assert/strict';
import {setTimeout as sleep} from 'node:timers/promises';
import {Piscina} from 'piscina';
import {readModelShape} from '../../workers/model-shape.ts';
import {
  type ModelDescription,
  type ScoreReply,
  type ScoreTask,
  type ScoreWorkerData,
  slotBytes,
  slotFeatures,
  slotRisks,
} from '../../workers/score-task.ts';
import {ForestayError} from '../domain/errors.ts';
import {PARTITION_COUNT} from '../domain/hash.ts';
import type {ModelSignature, Scorer} from '../ports.ts';

export type PiscinaScorerOptions = {
  /** The .onnx file or its folder. */
  readonly modelPath: string;
  readonly threads: number;
  /** Tasks in flight at most; by default 64 a thread. */
  readonly slots?: number;
  /** Larger requests are split into tasks of this many rows; by default 1,024. */
  readonly rowsPerTask?: number;
  /** Tasks that may wait for a slot; by default 256 a thread. More are refused. */
  readonly waitingMax?: number;
};

/**
 * One for each partition of a core, all of which may ask in the same moment. What has no slot waits
 * for an answer to be seen by the engine's thread, which has many other things to do in between: with
 * four, scores of 64 busy partitions took seconds, while the scoring thread was idle most of the time.
 */
const SLOTS_A_THREAD = PARTITION_COUNT;
const WAITING_A_THREAD = 256;
const START_DEADLINE_MS = 60_000;
const START_POLL_MS = 5;
/** Reasons cost milliseconds a row: in small tasks they do not hold up the scores behind them. */
const EXPLAIN_ROWS_PER_TASK = 16;

/**
 * Scores in worker threads, one ONNX session each. Rows travel through slots of shared memory;
 * the slots are the credits, so that work in flight is bounded.
 *
 * S1. Scores resolve in the order of the calls.
 * S2. A request that finds no room is refused as a whole, before any of it runs.
 * S3. A worker is never ended while it may be inside the runtime: that aborts the process.
 *
 * @throws {ForestayError} `MODEL_UNREADABLE`, `MODEL_HASH_MISMATCH`, `MODEL_SIGNATURE_MISMATCH`,
 *   `SCORER_FAILED` when the golden rows come out wrong.
 */
export async function createPiscinaScorer(options: PiscinaScorerOptions): Promise<Scorer> {
  const {threads, slots = SLOTS_A_THREAD * threads, rowsPerTask = 1024} = options;
  assert(threads >= 1 && slots >= 1 && rowsPerTask >= 1, 'at least one of each');
  // The runtime reports its use to its maker by default. It reads the process's own environment,
  // when it is loaded: a worker's copy would be too late.
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  const shape = await readModelShape(options.modelPath);
  const workerData: ScoreWorkerData = {
    modelPath: options.modelPath,
    rowsPerTask,
    shape,
    slots: new SharedArrayBuffer(slots * slotBytes(shape, rowsPerTask)),
    started: new SharedArrayBuffer(4),
  };
  const pool = new Piscina<ScoreTask, ScoreReply<unknown>>({
    filename: new URL('../../workers/score.ts', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: SLOTS_A_THREAD,
    atomics: 'async',
    workerData,
  });
  try {
    const reply = await pool.run({kind: 'describe', slot: 0, rows: 0});
    await allStarted(new Int32Array(workerData.started), threads);
    const description = unwrap(reply as ScoreReply<ModelDescription>);
    const waitingMax = options.waitingMax ?? WAITING_A_THREAD * threads;
    return new PiscinaScorer(pool, description, workerData, slots, waitingMax);
  } catch (error) {
    await allStarted(new Int32Array(workerData.started), threads).catch(() => {});
    await pool.destroy();
    throw error;
  }
}

/** Waits until every thread has its session or has failed to get one. */
async function allStarted(started: Int32Array, threads: number): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  for (let seen = Atomics.load(started, 0); seen < threads; seen = Atomics.load(started, 0)) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) {
      throw new ForestayError(
        'SCORER_FAILED',
        `only ${seen} of ${threads} scoring threads started within ${START_DEADLINE_MS} ms; ` +
          'start again on a machine with less load or ask for fewer threads',
        {retryable: true},
      );
    }
    await sleep(Math.min(leftMs, START_POLL_MS));
  }
}

class PiscinaScorer implements Scorer {
  readonly #pool: Piscina<ScoreTask, ScoreReply<unknown>>;
  readonly #description: ModelDescription;
  readonly #data: ScoreWorkerData;
  readonly #free: number[];
  readonly #waiting: ((slot: number) => void)[] = [];
  readonly #waitingMax: number;
  readonly #inFlight = new Set<Promise<unknown>>();
  #lastScore: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(
    pool: Piscina<ScoreTask, ScoreReply<unknown>>,
    description: ModelDescription,
    data: ScoreWorkerData,
    slots: number,
    waitingMax: number,
  ) {
    this.#pool = pool;
    this.#description = description;
    this.#data = data;
    this.#free = Array.from({length: slots}, (_, index) => slots - 1 - index);
    this.#waitingMax = waitingMax;
  }

  signature(): ModelSignature {
    return this.#description.signature;
  }

  async score(modelHash: string, rows: number, features: Float32Array): Promise<Float32Array> {
    const {rowsPerTask} = this.#data;
    const components = this.signature().components.length;
    const risks = new Float32Array(rows * components);
    const work = this.#split(
      'score',
      modelHash,
      rows,
      features,
      rowsPerTask,
      (slot, from, count) => {
        risks.set(slotRisks(this.#data, slot, count), from * components);
      },
    );
    const before = this.#lastScore;
    this.#lastScore = Promise.allSettled([before, work]);
    await this.#lastScore;
    await work;
    return risks;
  }

  async explain(
    modelHash: string,
    rows: number,
    features: Float32Array,
  ): Promise<{contributions: Float32Array; usual: Float32Array}> {
    const width = this.signature().components.length * this.signature().featureCount;
    const contributions = new Float32Array(rows * width);
    const rowsPerTask = Math.min(EXPLAIN_ROWS_PER_TASK, this.#data.rowsPerTask);
    await this.#split(
      'explain',
      modelHash,
      rows,
      features,
      rowsPerTask,
      (_slot, from, _count, value) => contributions.set(value as Float32Array, from * width),
    );
    return {contributions, usual: this.#description.usual};
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
    await this.#pool.destroy();
  }

  /** Runs `rows` in tasks of at most `rowsPerTask`; `take` sees each one before its slot is freed. */
  async #split(
    kind: ScoreTask['kind'],
    modelHash: string,
    rows: number,
    features: Float32Array,
    rowsPerTask: number,
    take: (slot: number, from: number, rows: number, value: unknown) => void,
  ): Promise<void> {
    const width = this.#data.shape.features;
    assert(features.length === rows * width, 'features must be rows × featureCount');
    const tasks = Math.ceil(rows / rowsPerTask);
    this.#admit(modelHash, rows, tasks);
    const running: Promise<void>[] = [];
    for (let from = 0; from < rows; from += rowsPerTask) {
      const count = Math.min(rowsPerTask, rows - from);
      const part = features.subarray(from * width, (from + count) * width);
      const task = this.#run(kind, part, count, (slot, value) => take(slot, from, count, value));
      this.#inFlight.add(task);
      const done = () => this.#inFlight.delete(task);
      task.then(done, done);
      running.push(task);
    }
    // All are awaited, so that none writes into an answer that was given up.
    const failed = (await Promise.allSettled(running)).find(task => task.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #run(
    kind: ScoreTask['kind'],
    features: Float32Array,
    rows: number,
    take: (slot: number, value: unknown) => void,
  ): Promise<void> {
    const slot = this.#free.pop() ?? (await this.#nextSlot());
    try {
      slotFeatures(this.#data, slot, rows).set(features);
      const reply = await this.#pool.run({kind, slot, rows}).catch((cause: unknown) => {
        throw new ForestayError(
          'SCORER_FAILED',
          `cannot ${kind} ${rows} rows: a scoring thread ended; the rows may be sent again`,
          {retryable: true, cause},
        );
      });
      take(slot, unwrap(reply));
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(slot);
      else next(slot);
    }
  }

  #nextSlot(): Promise<number> {
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  #admit(modelHash: string, rows: number, tasks: number): void {
    if (this.#closing !== undefined) {
      throw new ForestayError('SCORER_FAILED', `cannot score ${rows} rows: the scorer is closed`);
    }
    const {hash} = this.signature();
    if (modelHash !== hash) {
      throw new ForestayError(
        'MODEL_HASH_MISMATCH',
        `cannot score ${rows} rows with model ${modelHash}: this scorer serves ${hash}`,
        {details: {asked: modelHash, served: hash}},
      );
    }
    const waiting = this.#waiting.length + Math.max(0, tasks - this.#free.length);
    if (waiting > this.#waitingMax) {
      throw new ForestayError(
        'SCORER_SATURATED',
        `cannot score ${rows} rows: ${waiting} tasks would wait, ${this.#waitingMax} may; ` +
          'score less often or add threads',
        {retryable: true, details: {rows, waiting, waitingMax: this.#waitingMax}},
      );
    }
  }
}

function unwrap<Value>(reply: ScoreReply<Value>): Value {
  if (reply.ok) return reply.value;
  const {code, message, details, cause} = reply;
  throw new ForestayError(code, message, cause === '' ? {details} : {details, cause});
}
