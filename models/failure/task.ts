import type {FailureData} from './data.ts';
import type {FailureSettings} from './settings.ts';
import {createFailureTrainer, type FittedOutput} from './training.ts';

/** What one thread is asked to do; see {@link createFailureTrainer}. */
export type FailureTask =
  | {
      readonly kind: 'evaluate';
      readonly output: number;
      readonly settings: FailureSettings;
      readonly fold: number;
      readonly share: number;
    }
  | {
      readonly kind: 'fit';
      readonly output: number;
      readonly settings: FailureSettings;
      readonly turn: number;
    };

/** What the threads share: arrays of `data` lie in shared memory, nothing is copied. */
export type FailureTaskData = {readonly data: FailureData; readonly seed: number};

/** The same data in memory that threads can share; what lies there already is not copied. */
export function shareData(data: FailureData): FailureData {
  const {features, labels, secondsToFailure, group, second} = data;
  return {
    ...data,
    features: share(features, memory => new Float32Array(memory)),
    labels: share(labels, memory => new Uint8Array(memory)),
    secondsToFailure: share(secondsToFailure, memory => new Float32Array(memory)),
    group: share(group, memory => new Int32Array(memory)),
    second: share(second, memory => new Int32Array(memory)),
  };
}

/** Does tasks one after the other; rows are coded at the first one. */
export function createTaskRunner({data, seed}: FailureTaskData) {
  const trainer = createFailureTrainer(data, seed);
  return (task: FailureTask): number | FittedOutput =>
    task.kind === 'evaluate'
      ? trainer.evaluate(task.output, task.settings, task.fold, task.share)
      : trainer.fit(task.output, task.settings, task.turn);
}

/** The same values in memory that threads can share. */
export function share<Values extends Float32Array | Float64Array | Uint8Array | Int32Array>(
  values: Values,
  create: (memory: SharedArrayBuffer) => Values,
): Values {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const shared = create(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}
