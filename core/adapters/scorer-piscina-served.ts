import assert from 'node:assert/strict';
import type {ModelDescription} from '../../workers/describe-model.ts';
import {
  type ScoreReply,
  type ScoreTask,
  type ScoreWorkerData,
  type ServedModel,
  slotFeatures,
  slotRisks,
} from '../../workers/score-task.ts';
import {ForestayError} from '../domain/errors.ts';
import type {ModelSignature, Scorer} from '../ports.ts';

/** What a scorer needs of the pool that it is served by. */
export type PoolOfTasks = {
  readonly data: ScoreWorkerData;
  rowsPerTask(model: ServedModel): number;
  /** Errors: `SCORER_SATURATED`, `SCORER_FAILED`. */
  admit(rows: number, tasks: number): void;
  /** Fills a slot, runs the task, and takes from the slot before another has it. */
  run(
    task: Omit<ScoreTask, 'slot'>,
    fill: (task: ScoreTask) => void,
    take: (task: ScoreTask, value: unknown) => void,
  ): Promise<void>;
};

/** Reasons cost milliseconds a row: in small tasks they do not hold up the scores behind them. */
const EXPLAIN_ROWS_PER_TASK = 16;

/** One model of a pool. */
export class ServedScorer implements Scorer {
  readonly #pool: PoolOfTasks;
  readonly #model: ServedModel;
  readonly #description: ModelDescription;
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #release: () => void;
  #lastScore: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(
    pool: PoolOfTasks,
    model: ServedModel,
    description: ModelDescription,
    release: () => void,
  ) {
    this.#pool = pool;
    this.#model = model;
    this.#description = description;
    this.#release = release;
  }

  signature(): ModelSignature {
    return this.#description.signature;
  }

  async score(modelHash: string, rows: number, features: Float32Array): Promise<Float32Array> {
    const width = this.#model.components;
    const risks = new Float32Array(rows * width);
    const rowsPerTask = this.#pool.rowsPerTask(this.#model);
    const work = this.#split('score', modelHash, rows, features, rowsPerTask, (task, from) => {
      risks.set(slotRisks(this.#pool.data, task), from * width);
    });
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
    const width = this.#model.components * this.#model.features;
    const contributions = new Float32Array(rows * width);
    const rowsPerTask = Math.min(EXPLAIN_ROWS_PER_TASK, this.#pool.rowsPerTask(this.#model));
    await this.#split('explain', modelHash, rows, features, rowsPerTask, (_task, from, value) =>
      contributions.set(value as Float32Array, from * width),
    );
    return {contributions, usual: this.#description.usual};
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
    this.#release();
  }

  /** Runs `rows` in tasks of at most `rowsPerTask`; `take` sees each one before its slot is freed. */
  async #split(
    kind: ScoreTask['kind'],
    modelHash: string,
    rows: number,
    features: Float32Array,
    rowsPerTask: number,
    take: (task: ScoreTask, from: number, value: unknown) => void,
  ): Promise<void> {
    const model = this.#model;
    const width = model.features;
    assert(features.length === rows * width, 'features must be rows × featureCount');
    this.#refuse(modelHash, rows);
    this.#pool.admit(rows, Math.ceil(rows / rowsPerTask));
    const running: Promise<void>[] = [];
    for (let from = 0; from < rows; from += rowsPerTask) {
      const count = Math.min(rowsPerTask, rows - from);
      const part = features.subarray(from * width, (from + count) * width);
      const work = this.#pool.run(
        {kind, model, rows: count},
        task => slotFeatures(this.#pool.data, task).set(part),
        (task, value) => take(task, from, value),
      );
      this.#inFlight.add(work);
      const done = () => this.#inFlight.delete(work);
      work.then(done, done);
      running.push(work);
    }
    // All are awaited, so that none writes into an answer that was given up.
    const failed = (await Promise.allSettled(running)).find(work => work.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #refuse(modelHash: string, rows: number): void {
    if (this.#closing !== undefined) {
      throw new ForestayError('SCORER_FAILED', `cannot score ${rows} rows: the scorer is closed`);
    }
    const {hash} = this.#model;
    if (modelHash === hash) return;
    throw new ForestayError(
      'MODEL_HASH_MISMATCH',
      `cannot score ${rows} rows with model ${modelHash}: this scorer serves ${hash}`,
      {details: {asked: modelHash, served: hash}},
    );
  }
}

export function unwrap<Value>(reply: ScoreReply<Value>): Value {
  if (reply.ok) return reply.value;
  const {code, message, details, cause} = reply;
  throw new ForestayError(code, message, cause === '' ? {details} : {details, cause});
}
