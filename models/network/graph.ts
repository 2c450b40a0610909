/** A graph of float tensors under construction: what it computes, and how it is differentiated. */
import {
  encodeGraph,
  floatInfo,
  floatTensor,
  int,
  integerTensor,
  ints,
  type Node,
  type Tensor,
  type ValueInfo,
} from '../onnx-graph.ts';

export type Shape = readonly number[];

/** A tensor that the graph will hold when it runs. Its shape is known while the graph is built. */
export type Value = {readonly name: string; readonly shape: Shape};

/**
 * A part of a gradient. A product leftᵀ · right stays one until all parts are known: the products
 * of all time steps are then a single large one, several times as fast as their sum.
 */
export type Cotangent = Value | {readonly left: Value; readonly right: Value};

/**
 * From the gradients by the outputs (undefined: none reaches it) the gradient by each input,
 * computed only when asked for. Undefined where nothing can be learned, as of sizes.
 */
export type Derivative = (
  gradients: readonly (Value | undefined)[],
  outputs: readonly Value[],
) => readonly ((() => Cotangent) | undefined)[];

export type Operation = {
  readonly opType: string;
  readonly inputs: readonly Value[];
  readonly shapes: readonly Shape[];
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
  /** Without one, no gradient can flow through it. */
  readonly derivative?: Derivative;
};

/** An operation that was applied, with its outputs. */
export type Applied = Operation & {readonly outputs: readonly Value[]};

export type Graph = {
  /** Operations in the order in which they were applied. */
  readonly tape: readonly Applied[];
  input(name: string, shape: Shape): Value;
  constant(values: readonly number[] | Float32Array, shape: Shape): Value;
  /** Sizes or axes, as some operators take them as input. */
  integers(values: readonly number[]): Value;
  /** The outputs; those of the same operation on the same inputs are the same values. */
  apply(operation: Operation): readonly Value[];
  output(name: string, value: Value): void;
  encode(name: string): Uint8Array;
};

export function createGraph(): Graph {
  const tape: Applied[] = [];
  const nodes: Node[] = [];
  const constants: Tensor[] = [];
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const known = new Map<string, readonly Value[]>();
  const once = (key: string, make: () => readonly Value[]): readonly Value[] => {
    const values = known.get(key) ?? make();
    known.set(key, values);
    return values;
  };
  const addConstant = (shape: Shape, tensor: (name: string) => Tensor): readonly Value[] => {
    const name = `constant${constants.length}`;
    constants.push(tensor(name));
    return [{name, shape}];
  };
  return {
    tape,
    input(name, shape) {
      inputs.push(floatInfo(name, shape));
      return {name, shape};
    },
    constant: (values, shape) =>
      once(`${shape.join()}:${values.join()}`, () =>
        addConstant(shape, name => floatTensor(name, values, shape)),
      )[0] as Value,
    integers: values =>
      once(`integers:${values.join()}`, () =>
        addConstant([values.length], name => integerTensor(name, values)),
      )[0] as Value,
    apply: operation =>
      once(keyOf(operation), () => {
        const {opType, shapes, attributes = {}} = operation;
        const made = shapes.map((shape, at) => ({name: `${opType}${nodes.length}.${at}`, shape}));
        nodes.push({
          opType,
          input: operation.inputs.map(({name}) => name),
          output: made.map(({name}) => name),
          attribute: Object.entries(attributes).map(([name, value]) =>
            typeof value === 'number' ? int(name, value) : ints(name, value),
          ),
        });
        tape.push({...operation, outputs: made});
        return made;
      }),
    output(name, {name: from, shape}) {
      nodes.push({opType: 'Identity', input: [from], output: [name]});
      outputs.push(floatInfo(name, shape));
    },
    encode: name => encodeGraph({name, nodes, constants, inputs, outputs}),
  };
}

function keyOf({opType, inputs, attributes}: Operation): string {
  return JSON.stringify([opType, inputs.map(({name}) => name), attributes]);
}

/** Values of a tensor of this shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}
