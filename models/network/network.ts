import {type Loss, pinballLoss, softmaxCrossEntropy} from './losses.ts';
import type {LstmShape} from './lstm.ts';
import type {Normalisation} from './normalisation.ts';
import type {BatchShape} from './training-graph.ts';

/** What a network tells: probabilities of classes, or these quantiles of one value. */
export type NetworkTask =
  | {readonly kind: 'classes'; readonly classes: number}
  | {readonly kind: 'quantiles'; readonly quantiles: readonly number[]};

/**
 * How a network is fed. A `window` is all of the last `steps` samples at once and stands alone; a
 * `stream` is one sample, and a state that goes on from the sample before.
 */
export type NetworkForm = 'window' | 'stream';

/** A network that was trained. It can be cloned to another thread, and holds no session. */
export type Network = {
  readonly form: NetworkForm;
  readonly task: NetworkTask;
  /** Samples of a window; of a stream, how far gradients went back. */
  readonly steps: number;
  readonly lstm: LstmShape;
  readonly normalisation: Normalisation;
  /** All parameters, in the order of {@link import('./lstm.ts').parameterShapes}. */
  readonly theta: Float32Array;
};

export function outputsOf(task: NetworkTask): number {
  return task.kind === 'classes' ? task.classes : task.quantiles.length;
}

function lossOf(task: NetworkTask): Loss {
  return task.kind === 'classes' ? softmaxCrossEntropy : pinballLoss(task.quantiles);
}

/** Batches as a network of this form learns from them. */
export function batchShapeOf(
  {form, task, steps, lstm}: Pick<Network, 'form' | 'task' | 'steps' | 'lstm'>,
  rows: number,
): BatchShape {
  return {
    lstm,
    steps,
    rows,
    lossAt: form === 'window' ? 'last' : 'each',
    targets: task.kind === 'classes' ? task.classes : 1,
    loss: lossOf(task),
  };
}
