/** The graphs of training: one step of learning, and the loss of a batch without learning. */
import {adamStep} from './adam.ts';
import {gradients} from './gradients.ts';
import {createGraph, type Graph, type Value} from './graph.ts';
import type {Loss} from './losses.ts';
import {
  headOf,
  type LstmParameters,
  type LstmShape,
  type LstmState,
  operatorLstm,
  parameterCount,
  splitParameters,
  type Unrolled,
  unrollLstm,
} from './lstm.ts';
import {concat, split} from './operations.ts';

export type BatchShape = {
  readonly lstm: LstmShape;
  /** Steps that a gradient goes back. */
  readonly steps: number;
  /** Rows of a batch; a smaller one is filled up with rows of weight 0. */
  readonly rows: number;
  /** Whether each step has a target, or the last alone. */
  readonly lossAt: 'each' | 'last';
  /** Columns of a target. */
  readonly targets: number;
  readonly loss: Loss;
};

type Ends = {
  readonly theta: Value;
  readonly inputs: Value;
  readonly predictions: Value;
  readonly loss: Value;
};

type Layer = (
  graph: Graph,
  parameters: LstmParameters<Value>,
  inputs: Value,
  state: LstmState,
) => Unrolled;

/**
 * A step of learning as one graph. Inputs: `inputs` steps · rows × inputs (all rows of the first
 * step first), `targets` and `weights` of as many rows as have a target, `state` rows × 2 · hidden,
 * `theta`, `mean`, `variance`, and `rate` as {@link import('./adam.ts').adamRate} gives it.
 * Outputs: `nextTheta`, `nextMean`, `nextVariance`, `nextState`, `loss`, `norm`; and if asked for
 * `gradient` (by theta, before it is cut) and `inputGradient`.
 */
export function encodeTrainingGraph(
  shape: BatchShape,
  clipNorm: number,
  withGradients = false,
): Uint8Array {
  const graph = createGraph();
  const {theta, inputs, loss} = addLoss(graph, shape, unrollLstm);
  const parameters = theta.shape;
  const mean = graph.input('mean', parameters);
  const variance = graph.input('variance', parameters);
  const rate = graph.input('rate', [2]);
  const [gradient, inputGradient] = gradients(
    graph,
    loss,
    withGradients ? [theta, inputs] : [theta],
  );
  const next = adamStep(graph, {theta, mean, variance}, gradient as Value, rate, clipNorm);
  graph.output('nextTheta', next.theta);
  graph.output('nextMean', next.mean);
  graph.output('nextVariance', next.variance);
  graph.output('norm', next.norm);
  if (withGradients) {
    graph.output('gradient', gradient as Value);
    graph.output('inputGradient', inputGradient as Value);
  }
  return graph.encode('train');
}

/**
 * The loss of a batch and what the network says to it, about five times as fast as learning from
 * it. Inputs as far as they are needed and outputs `loss`, `nextState` are those of
 * {@link encodeTrainingGraph}; `predictions` has as many rows as have a target.
 */
export function encodeLossGraph(shape: BatchShape): Uint8Array {
  const graph = createGraph();
  const {predictions} = addLoss(graph, shape, operatorLstm);
  graph.output('predictions', predictions);
  return graph.encode('loss');
}

function addLoss(graph: Graph, shape: BatchShape, layer: Layer): Ends {
  const {lstm, steps, rows, lossAt, loss: lossOf} = shape;
  const targetRows = targetRowsOf(shape);
  const theta = graph.input('theta', [parameterCount(lstm)]);
  const inputs = graph.input('inputs', [steps * rows, lstm.inputs]);
  const targets = graph.input('targets', [targetRows, shape.targets]);
  const weights = graph.input('weights', [targetRows, 1]);
  const [hidden, cell] = split(
    graph,
    graph.input('state', [rows, 2 * lstm.hidden]),
    [lstm.hidden, lstm.hidden],
    1,
  );
  const parameters = splitParameters(graph, theta, lstm);
  const state = {hidden: hidden as Value, cell: cell as Value};
  const unrolled = layer(graph, parameters, inputs, state);
  const told = lossAt === 'each' ? unrolled.hidden : unrolled.hidden.slice(-1);
  const predictions = headOf(graph, parameters, concat(graph, told, 0));
  const loss = lossOf(graph, predictions, targets, weights);
  graph.output('loss', loss);
  graph.output('nextState', concat(graph, [unrolled.state.hidden, unrolled.state.cell], 1));
  return {theta, inputs, predictions, loss};
}

/** Rows of targets and weights that belong to a batch. */
export function targetRowsOf({lossAt, steps, rows}: BatchShape): number {
  return lossAt === 'each' ? steps * rows : rows;
}
