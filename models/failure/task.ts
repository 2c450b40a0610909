import type {FailureData} from './data.ts';
import {createFailureTrainer, type FailureSettings, type FittedOutput} from './training.ts';

/** What one thread is asked to do; see {@link createFailureTrainer}. */
export type FailureTask =
  | {
      readonly kind: 'evaluate';
      readonly output: number;
      readonly settings: FailureSettings;
      readonly fold: number;
      readonly share: number;
    }
  | {readonly kind: 'fit'; readonly output: number; readonly settings: FailureSettings};

/** What the threads share: arrays of `data` lie in shared memory, nothing is copied. */
export type FailureTaskData = {readonly data: FailureData; readonly seed: number};

/** The same data in memory that threads can share. */
export function shareData(data: FailureData): FailureData {
  return {
    ...data,
    features: copyTo(new Float32Array(sharedBytes(data.features)), data.features),
    labels: copyTo(new Uint8Array(sharedBytes(data.labels)), data.labels),
    secondsToFailure: copyTo(
      new Float32Array(sharedBytes(data.secondsToFailure)),
      data.secondsToFailure,
    ),
    group: copyTo(new Int32Array(sharedBytes(data.group)), data.group),
    second: copyTo(new Int32Array(sharedBytes(data.second)), data.second),
  };
}

/** Does tasks one after the other; rows are coded at the first one. */
export function createTaskRunner({data, seed}: FailureTaskData) {
  const trainer = createFailureTrainer(data, seed);
  return (task: FailureTask): number | FittedOutput =>
    task.kind === 'evaluate'
      ? trainer.evaluate(task.output, task.settings, task.fold, task.share)
      : trainer.fit(task.output, task.settings);
}

function sharedBytes({byteLength}: {byteLength: number}): SharedArrayBuffer {
  return new SharedArrayBuffer(byteLength);
}

function copyTo<Values extends Float32Array | Uint8Array | Int32Array>(
  to: Values,
  from: Values,
): Values {
  to.set(from);
  return to;
}
