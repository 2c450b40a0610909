import {Piscina} from 'piscina';
import type {FailureData} from './data.ts';
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
  const pool = new Piscina<FailureTask, number | FittedOutput>({
    filename: new URL('../../workers/train.ts', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
    niceIncrement: NICE,
    workerData,
  });
  return {
    evaluate: async task => (await pool.run({kind: 'evaluate', ...task})) as number,
    fit: async (output, settings, turn) =>
      (await pool.run({kind: 'fit', output, settings, turn})) as FittedOutput,
    close: () => pool.destroy(),
  };
}
