import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {Piscina} from 'piscina';
import {describeModel} from '../../workers/describe-model.ts';
import {
  rowBytes,
  type ScoreReply,
  type ScoreTask,
  type ScoreWorkerData,
  type ServedModel,
} from '../../workers/score-task.ts';
import {ForestayError} from '../domain/errors.ts';
import {PARTITION_COUNT} from '../domain/hash.ts';
import type {Scorer} from '../ports.ts';
import {type PoolOfTasks, ServedScorer, unwrap} from './scorer-piscina-served.ts';
import {ModelThreads} from './scorer-piscina-threads.ts';

export type ScoringPoolOptions = {
  readonly threads: number;
  /** Tasks in flight at most; by default 64 a thread. */
  readonly slots?: number;
  /** Larger requests are split into tasks of this many rows; by default 1,024. */
  readonly rowsPerTask?: number;
  /** Tasks that may wait for a slot; by default 256 a thread. More are refused. */
  readonly waitingMax?: number;
};

/** Worker threads that hold any number of models at once. */
export type ScoringPool = {
  /**
   * Opens a model in one thread after the other, so that the others go on scoring, and resolves when
   * all have it. The model's file must not change until its scorer is closed. Errors:
   * `MODEL_UNREADABLE`, `MODEL_HASH_MISMATCH`, `MODEL_SIGNATURE_MISMATCH`; `SCORER_FAILED` when the
   * golden rows come out wrong, or the pool is closed.
   *
   * @param modelPath The .onnx file or its folder.
   */
  open(modelPath: string): Promise<Scorer>;
  /** Waits for what is in flight, then ends the threads. */
  close(): Promise<void>;
};

export type PiscinaScorerOptions = ScoringPoolOptions & {readonly modelPath: string};

/**
 * One for each partition of a core, all of which may ask in the same moment. What has no slot waits
 * for an answer to be seen by the engine's thread, which has many other things to do in between: with
 * four, scores of 64 busy partitions took seconds, while the scoring thread was idle most of the time.
 */
const SLOTS_A_THREAD = PARTITION_COUNT;
const WAITING_A_THREAD = 256;
const ROWS_PER_TASK = 1024;
/** Of a model of ordinary width; a wider one has fewer rows in a task. */
const ROW_BYTES = 1024;

/**
 * Scores in worker threads, one ONNX session a thread and model. Rows travel through slots of shared
 * memory; the slots are the credits, so that work in flight is bounded.
 *
 * S1. Scores of a model resolve in the order of the calls.
 * S2. A request that finds no room is refused as a whole, before any of it runs.
 * S3. A worker is never ended while it may be inside the runtime: that aborts the process.
 * S4. A model is let go of when the last scorer of it is closed and has nothing in flight.
 */
export function createScoringPool(options: ScoringPoolOptions): ScoringPool {
  const {threads, slots = SLOTS_A_THREAD * threads, rowsPerTask = ROWS_PER_TASK} = options;
  assert(threads >= 1 && slots >= 1 && rowsPerTask >= 1, 'at least one of each');
  // The runtime reports its use to its maker by default. It reads the process's own environment,
  // when it is loaded: a worker's copy would be too late.
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  return new PiscinaPool({
    threads,
    slots,
    rowsPerTask,
    waitingMax: options.waitingMax ?? WAITING_A_THREAD * threads,
  });
}

/** A pool of its own for one model; both end together. Errors: those of {@link ScoringPool.open}. */
export async function createPiscinaScorer(options: PiscinaScorerOptions): Promise<Scorer> {
  const pool = createScoringPool(options);
  try {
    const scorer = await pool.open(options.modelPath);
    return {
      signature: () => scorer.signature(),
      score: (...request) => scorer.score(...request),
      explain: (...request) => scorer.explain(...request),
      close: () => pool.close(),
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

class PiscinaPool implements ScoringPool, PoolOfTasks {
  readonly #pool: Piscina<ScoreTask, ScoreReply<unknown>>;
  readonly #threads: ModelThreads;
  readonly #rowsPerTask: number;
  readonly #free: number[];
  readonly #waiting: ((slot: number) => void)[] = [];
  readonly #waitingMax: number;
  readonly #inFlight = new Set<Promise<unknown>>();
  /** Scorers of a model, by its hash. */
  readonly #scorers = new Map<string, number>();
  #opening: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  readonly data: ScoreWorkerData;

  constructor({threads, slots, rowsPerTask, waitingMax}: Required<ScoringPoolOptions>) {
    const slotBytes = rowsPerTask * ROW_BYTES;
    this.data = {
      channel: `forestay-scoring-${randomUUID()}`,
      slots: new SharedArrayBuffer(slots * slotBytes),
      slotBytes,
    };
    this.#rowsPerTask = rowsPerTask;
    this.#free = Array.from({length: slots}, (_, index) => slots - 1 - index);
    this.#waitingMax = waitingMax;
    this.#threads = new ModelThreads(this.data.channel, threads);
    this.#pool = new Piscina<ScoreTask, ScoreReply<unknown>>({
      filename: new URL('../../workers/score.ts', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: SLOTS_A_THREAD,
      atomics: 'async',
      workerData: this.data,
    });
  }

  open(modelPath: string): Promise<Scorer> {
    this.#refuseIfClosed('open a model');
    const opened = this.#opening.then(() => this.#open(modelPath));
    this.#opening = opened.catch(() => {});
    return opened;
  }

  async #open(modelPath: string): Promise<Scorer> {
    const description = await describeModel(modelPath);
    const {hash, featureCount, components} = description.signature;
    const model = {hash, path: modelPath, features: featureCount, components: components.length};
    const served = this.#scorers.get(hash) ?? 0;
    if (served === 0) {
      try {
        await this.#threads.open(
          model,
          this.#pool.threads.map(({threadId}) => threadId),
        );
      } catch (error) {
        this.#threads.release(hash);
        throw error;
      }
    }
    this.#scorers.set(hash, (this.#scorers.get(hash) ?? 0) + 1);
    return new ServedScorer(this, model, description, () => this.#release(hash));
  }

  #release(hash: string): void {
    const left = (this.#scorers.get(hash) ?? 1) - 1;
    this.#scorers.set(hash, left);
    if (left > 0 || this.#closing !== undefined) return;
    this.#scorers.delete(hash);
    this.#threads.release(hash);
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    await this.#opening;
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
    await this.#threads.ready().catch(() => {});
    this.#threads.close();
    await this.#pool.destroy();
  }

  rowsPerTask(model: ServedModel): number {
    const fitting = Math.floor(this.data.slotBytes / rowBytes(model, 1));
    return Math.max(1, Math.min(this.#rowsPerTask, fitting));
  }

  admit(rows: number, tasks: number): void {
    this.#refuseIfClosed(`score ${rows} rows`);
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

  run(
    task: Omit<ScoreTask, 'slot'>,
    fill: (task: ScoreTask) => void,
    take: (task: ScoreTask, value: unknown) => void,
  ): Promise<void> {
    const running = this.#run(task, fill, take);
    this.#inFlight.add(running);
    const done = () => this.#inFlight.delete(running);
    running.then(done, done);
    return running;
  }

  async #run(
    {kind, model, rows}: Omit<ScoreTask, 'slot'>,
    fill: (task: ScoreTask) => void,
    take: (task: ScoreTask, value: unknown) => void,
  ): Promise<void> {
    const slot = this.#free.pop() ?? (await this.#nextSlot());
    const task: ScoreTask = {kind, model, slot, rows};
    try {
      fill(task);
      const reply = await this.#pool.run(task).catch((cause: unknown) => {
        throw new ForestayError(
          'SCORER_FAILED',
          `cannot ${kind} ${rows} rows: a scoring thread ended; the rows may be sent again`,
          {retryable: true, cause},
        );
      });
      take(task, unwrap(reply));
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(slot);
      else next(slot);
    }
  }

  #nextSlot(): Promise<number> {
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  #refuseIfClosed(what: string): void {
    if (this.#closing === undefined) return;
    throw new ForestayError('SCORER_FAILED', `cannot ${what}: the scorer is closed`);
  }
}
