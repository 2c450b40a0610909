import type {Graph, Value} from './graph.ts';
import {add, div, mul, reduceSum, scalar, squareRoot, sub} from './operations.ts';

const FIRST_DECAY = 0.9;
const SECOND_DECAY = 0.999;
const EPSILON = 1e-8;
/** Keeps the clipping factor finite for a gradient of 0. */
const NORM_FLOOR = 1e-6;

export type AdamState = {
  readonly theta: Value;
  /** Decayed means of the gradient and of its square. */
  readonly mean: Value;
  readonly variance: Value;
};

/**
 * Adds one step of Adam on a gradient whose norm is cut to `clipNorm` first.
 *
 * @param rate Two floats, as {@link adamRate} gives them for the step.
 * @returns The next state, and the norm of the gradient before it was cut.
 * @see D. P. Kingma, J. Ba, "Adam: a method for stochastic optimization", ICLR 2015; R. Pascanu,
 *   T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.
 */
export function adamStep(
  graph: Graph,
  {theta, mean, variance}: AdamState,
  gradient: Value,
  rate: Value,
  clipNorm: number,
): AdamState & {readonly norm: Value} {
  const norm = squareRoot(graph, reduceSum(graph, mul(graph, gradient, gradient)));
  const wanted = div(graph, scalar(graph, clipNorm), add(graph, norm, scalar(graph, NORM_FLOOR)));
  const [factor] = graph.apply({
    opType: 'Min',
    inputs: [wanted, scalar(graph, 1)],
    shapes: [[]],
  });
  const cut = mul(graph, gradient, factor as Value);
  const nextMean = decayed(graph, mean, cut, FIRST_DECAY);
  const nextVariance = decayed(graph, variance, mul(graph, cut, cut), SECOND_DECAY);
  const [size, epsilon] = splitRate(graph, rate);
  const change = div(
    graph,
    mul(graph, nextMean, size),
    add(graph, squareRoot(graph, nextVariance), epsilon),
  );
  return {theta: sub(graph, theta, change), mean: nextMean, variance: nextVariance, norm};
}

/** Learning rate and epsilon of the step (1 the first), corrected for means that began at 0. */
export function adamRate(learningRate: number, step: number): Float32Array {
  const second = Math.sqrt(1 - SECOND_DECAY ** step);
  return Float32Array.of((learningRate * second) / (1 - FIRST_DECAY ** step), EPSILON * second);
}

function decayed(graph: Graph, old: Value, fresh: Value, decay: number): Value {
  return add(
    graph,
    mul(graph, old, scalar(graph, decay)),
    mul(graph, fresh, scalar(graph, 1 - decay)),
  );
}

function splitRate(graph: Graph, rate: Value): readonly [Value, Value] {
  const parts = graph.apply({
    opType: 'Split',
    inputs: [rate, graph.integers([1, 1])],
    shapes: [[1], [1]],
    attributes: {axis: 0},
  });
  return [parts[0] as Value, parts[1] as Value];
}
