import {createOnTopTrainer, type OnTopFit, type OnTopRows} from './on-top.ts';
import {share} from './task.ts';

/** What one thread is asked to do; see {@link createOnTopTrainer}. */
export type OnTopTask = {readonly output: number; readonly treesMax: number};

/** What the threads share: the arrays lie in shared memory, nothing is copied. */
export type OnTopTaskData = {readonly onTop: OnTopRows; readonly seed: number};

/** The same rows in memory that threads can share. */
export function shareOnTopRows(rows: OnTopRows): OnTopRows {
  return {
    ...rows,
    features: share(rows.features, memory => new Float32Array(memory)),
    targets: share(rows.targets, memory => new Float32Array(memory)),
    weights: share(rows.weights, memory => new Float32Array(memory)),
    host: share(rows.host, memory => new Int32Array(memory)),
    fold: share(rows.fold, memory => new Uint8Array(memory)),
    start: share(rows.start, memory => new Float64Array(memory)),
  };
}

/** Does tasks one after the other; rows are coded at the first one. */
export function createOnTopRunner({onTop, seed}: OnTopTaskData) {
  const trainer = createOnTopTrainer(onTop, seed);
  return ({output, treesMax}: OnTopTask): OnTopFit => trainer.fit(output, treesMax);
}
