/**
 * One layer of long short-term memory and a linear head, twice: step by step from differentiable
 * operations, to train; and as the operator of ONNX, to serve. Gates are in the operator's order:
 * input, output, forget, cell.
 *
 * @see S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997;
 *   F. A. Gers, J. Schmidhuber, F. Cummins, "Learning to forget", 2000.
 */
import {type Graph, type Shape, sizeOf, type Value} from './graph.ts';
import {add, concat, gemm, mul, reshape, sigmoid, split, tanh, transpose} from './operations.ts';

export type LstmShape = {
  /** Values a step. */
  readonly inputs: number;
  readonly hidden: number;
  readonly outputs: number;
};

/** Weights are laid out rows × columns of what they multiply from the right. */
export type LstmParameters<Part> = {
  readonly input: Part;
  readonly recurrent: Part;
  readonly bias: Part;
  readonly head: Part;
  readonly headBias: Part;
};

/** What a step leaves to the next one, rows × hidden each. */
export type LstmState = {readonly hidden: Value; readonly cell: Value};

/** Hidden values of each step, first to last, and what the last one leaves. */
export type Unrolled = {readonly hidden: readonly Value[]; readonly state: LstmState};

/** Shapes of the parameters, in their order in the one vector. */
export function parameterShapes({inputs, hidden, outputs}: LstmShape): LstmParameters<Shape> {
  return {
    input: [inputs, 4 * hidden],
    recurrent: [hidden, 4 * hidden],
    bias: [4 * hidden],
    head: [hidden, outputs],
    headBias: [outputs],
  };
}

export function parameterCount(shape: LstmShape): number {
  return Object.values(parameterShapes(shape)).reduce((sum, part) => sum + sizeOf(part), 0);
}

/**
 * Parameters to begin with: uniform within ± 1 / √hidden; forget gates begin open, so that
 * something is kept for long from the start.
 *
 * @param uniform Numbers in [0, 1).
 * @see R. Jozefowicz, W. Zaremba, I. Sutskever, "An empirical exploration of recurrent network
 *   architectures", ICML 2015.
 */
export function initialParameters(shape: LstmShape, uniform: () => number): Float32Array {
  const {inputs, hidden} = shape;
  const theta = new Float32Array(parameterCount(shape));
  const bound = 1 / Math.sqrt(hidden);
  for (let at = 0; at < theta.length; at++) theta[at] = bound * (2 * uniform() - 1);
  const forget = 4 * hidden * (inputs + hidden) + 2 * hidden;
  for (let at = forget; at < forget + hidden; at++) theta[at] = 1 + (theta[at] as number);
  return theta;
}

/** The parameters as parts of the one vector `theta`. */
export function splitParameters(
  graph: Graph,
  theta: Value,
  shape: LstmShape,
): LstmParameters<Value> {
  const shapes = parameterShapes(shape);
  const names = Object.keys(shapes) as (keyof LstmParameters<Shape>)[];
  const sizes = names.map(name => sizeOf(shapes[name]));
  const parts = split(graph, theta, sizes, 0);
  const entries = names.map((name, at) => [name, reshape(graph, parts[at] as Value, shapes[name])]);
  return Object.fromEntries(entries) as LstmParameters<Value>;
}

/**
 * The layer over the steps one after another.
 *
 * @param inputs steps · rows × inputs: all rows of the first step, then those of the second.
 */
export function unrollLstm(
  graph: Graph,
  parameters: LstmParameters<Value>,
  inputs: Value,
  state: LstmState,
): Unrolled {
  const [rows, size] = state.hidden.shape as [number, number];
  const steps = (inputs.shape[0] as number) / rows;
  // One large product for all steps; only what depends on the step before is left to each.
  const projected = gemm(graph, inputs, parameters.input, {plus: parameters.bias});
  const ofStep = split(graph, projected, new Array(steps).fill(rows), 0);
  const hidden: Value[] = [];
  let {hidden: last, cell} = state;
  for (const plus of ofStep) {
    const sums = gemm(graph, last, parameters.recurrent, {plus});
    const [gateSums, candidateSums] = split(graph, sums, [3 * size, size], 1);
    const gates = sigmoid(graph, gateSums as Value);
    const [input, output, forget] = split(graph, gates, [size, size, size], 1);
    const candidate = tanh(graph, candidateSums as Value);
    cell = add(graph, mul(graph, forget as Value, cell), mul(graph, input as Value, candidate));
    last = mul(graph, output as Value, tanh(graph, cell));
    hidden.push(last);
  }
  return {hidden, state: {hidden: last, cell}};
}

/** The same by the LSTM operator of ONNX: several times as fast, and not differentiable. */
export function operatorLstm(
  graph: Graph,
  parameters: LstmParameters<Value>,
  inputs: Value,
  state: LstmState,
): Unrolled {
  const [rows, size] = state.hidden.shape as [number, number];
  const [total, width] = inputs.shape as [number, number];
  const steps = total / rows;
  const turned = (weights: Value) => {
    const flipped = transpose(graph, weights, [1, 0]);
    return reshape(graph, flipped, [1, ...flipped.shape]);
  };
  const noBias = graph.constant(new Float32Array(4 * size), [4 * size]);
  const [all, hidden, cell] = graph.apply({
    opType: 'LSTM',
    inputs: [
      reshape(graph, inputs, [steps, rows, width]),
      turned(parameters.input),
      turned(parameters.recurrent),
      reshape(graph, concat(graph, [parameters.bias, noBias], 0), [1, 8 * size]),
      {name: '', shape: []},
      reshape(graph, state.hidden, [1, rows, size]),
      reshape(graph, state.cell, [1, rows, size]),
    ],
    shapes: [
      [steps, 1, rows, size],
      [1, rows, size],
      [1, rows, size],
    ],
    attributes: {hidden_size: size},
  });
  const flat = (value: Value | undefined) => reshape(graph, value as Value, [rows, size]);
  const ofStep = reshape(graph, all as Value, [steps * rows, size]);
  return {
    hidden: split(graph, ofStep, new Array(steps).fill(rows), 0),
    state: {hidden: flat(hidden), cell: flat(cell)},
  };
}

/** Outputs of the head for these hidden values, rows × outputs. */
export function headOf(
  graph: Graph,
  {head, headBias}: LstmParameters<Value>,
  hidden: Value,
): Value {
  return gemm(graph, hidden, head, {plus: headBias});
}
