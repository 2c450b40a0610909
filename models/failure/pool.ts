import {Piscina} from 'piscina';
import type {FailureData} from './data.ts';
import type {OnTopFit, OnTopRows} from './on-top.ts';
import {type OnTopTask, type OnTopTaskData, shareOnTopRows} from './on-top-task.ts';
import type {FailureSettings} from './settings.ts';
import {type FailureTask, type FailureTaskData, shareData} from './task.ts';
import type {FittedOutput} from './training.ts';

/** Threads that learn; tasks wait for a free one, in the order in which they were asked. */
export type TrainingPool = {
  evaluate(task: Omit<Extract<FailureTask, {kind: 'evaluate'}>, 'kind'>): Promise<number>;
  fit(output: number, settings: FailureSettings, turn: number): Promise<FittedOutput>;
  close(): Promise<void>;
};

/** Niceness of the threads: serving and acting go first on a machine that does both. */
const NICE = 10;

/** @param data Copied once into memory that the threads share, if it does not lie there. */
export function createTrainingPool(data: FailureData, seed: number, threads: number): TrainingPool {
  const workerData: FailureTaskData = {data: shareData(data), seed};
  const pool = openPool<FailureTask, number | FittedOutput>(workerData, threads);
  return {
    evaluate: async task => (await pool.run({kind: 'evaluate', ...task})) as number,
    fit: async (output, settings, turn) =>
      (await pool.run({kind: 'fit', output, settings, turn})) as FittedOutput,
    close: () => pool.destroy(),
  };
}

/** Threads that learn on top of another model. */
export type OnTopPool = {
  fit(output: number, treesMax: number): Promise<OnTopFit>;
  close(): Promise<void>;
};

/** @param rows Copied once into memory that the threads share. */
export function createOnTopPool(rows: OnTopRows, seed: number, threads: number): OnTopPool {
  const workerData: OnTopTaskData = {onTop: shareOnTopRows(rows), seed};
  const pool = openPool<OnTopTask, OnTopFit>(workerData, threads);
  return {
    fit: (output, treesMax) => pool.run({output, treesMax}),
    close: () => pool.destroy(),
  };
}

function openPool<Task, Result>(
  workerData: FailureTaskData | OnTopTaskData,
  threads: number,
): Piscina<Task, Result> {
  return new Piscina<Task, Result>({
    filename: new URL('../../workers/train.ts', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
    niceIncrement: NICE,
    workerData,
  });
}
