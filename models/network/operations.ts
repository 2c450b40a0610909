/**
 * Differentiable operations: each adds its ONNX operator to the graph and knows its derivative.
 * Only operators whose meaning is the same in every opset since 13. Sizes that do not fit are
 * refused here, where the caller can be seen, not by the runtime.
 */
import {ForestayError} from '../../core/domain/errors.ts';
import {type Cotangent, type Graph, type Shape, sizeOf, type Value} from './graph.ts';

type Unary = (graph: Graph, x: Value) => Value;

export function scalar(graph: Graph, value: number): Value {
  return graph.constant([value], []);
}

function filled(graph: Graph, shape: Shape, value: number): Value {
  return graph.constant(new Float32Array(sizeOf(shape)).fill(value), shape);
}

export function zeros(graph: Graph, shape: Shape): Value {
  return filled(graph, shape, 0);
}

export function ones(graph: Graph, shape: Shape): Value {
  return filled(graph, shape, 1);
}

/** An operation of one input, value by value; `slope` gives dy/dx × the gradient by y. */
function elementwise(
  opType: string,
  slope: (graph: Graph, gradient: Value, x: Value, y: Value) => Value,
): Unary {
  return (graph, x) => {
    const [y] = graph.apply({
      opType,
      inputs: [x],
      shapes: [x.shape],
      derivative: ([dy], [out]) => [() => slope(graph, dy as Value, x, out as Value)],
    });
    return y as Value;
  };
}

export const sigmoid = elementwise('Sigmoid', (graph, dy, _x, y) =>
  mul(graph, dy, mul(graph, y, sub(graph, scalar(graph, 1), y))),
);
export const tanh = elementwise('Tanh', (graph, dy, _x, y) =>
  mul(graph, dy, sub(graph, scalar(graph, 1), mul(graph, y, y))),
);
export const exp = elementwise('Exp', (graph, dy, _x, y) => mul(graph, dy, y));
export const log = elementwise('Log', (graph, dy, x) => div(graph, dy, x));
export const negate = elementwise('Neg', (graph, dy) => negate(graph, dy));
/** max(x, 0); its derivative at 0 is taken as 0. */
export const relu = elementwise('Relu', (graph, dy, _x, y) => mul(graph, dy, sign(graph, y)));
export const squareRoot = elementwise('Sqrt', (graph, dy, _x, y) =>
  div(graph, dy, mul(graph, scalar(graph, 2), y)),
);
const sign = elementwise('Sign', (graph, _dy, x) => zeros(graph, x.shape));

/** log(softmax(x)) along the last axis. */
export function logSoftmax(graph: Graph, x: Value): Value {
  const last = x.shape.length - 1;
  const [y] = graph.apply({
    opType: 'LogSoftmax',
    inputs: [x],
    shapes: [x.shape],
    attributes: {axis: last},
    derivative: ([dy], [out]) => [
      () => {
        const sum = reduceSum(graph, dy as Value, [last], true);
        return sub(graph, dy as Value, mul(graph, exp(graph, out as Value), sum));
      },
    ],
  });
  return y as Value;
}

type Slope = (dy: Value, y: Value) => Value;

/** An operation of two inputs that are stretched to a common shape as NumPy does it. */
function binary(
  opType: string,
  graph: Graph,
  [a, b]: readonly [Value, Value],
  [byA, byB]: readonly [Slope, Slope],
): Value {
  const [y] = graph.apply({
    opType,
    inputs: [a, b],
    shapes: [broadcast(opType, a.shape, b.shape)],
    derivative: ([dy], [out]) => [
      () => sumTo(graph, byA(dy as Value, out as Value), a.shape),
      () => sumTo(graph, byB(dy as Value, out as Value), b.shape),
    ],
  });
  return y as Value;
}

export function add(graph: Graph, a: Value, b: Value): Value {
  return binary('Add', graph, [a, b], [dy => dy, dy => dy]);
}

export function sub(graph: Graph, a: Value, b: Value): Value {
  return binary('Sub', graph, [a, b], [dy => dy, dy => negate(graph, dy)]);
}

export function mul(graph: Graph, a: Value, b: Value): Value {
  return binary('Mul', graph, [a, b], [dy => mul(graph, dy, b), dy => mul(graph, dy, a)]);
}

export function div(graph: Graph, a: Value, b: Value): Value {
  return binary(
    'Div',
    graph,
    [a, b],
    [dy => div(graph, dy, b), (dy, y) => negate(graph, div(graph, mul(graph, dy, y), b))],
  );
}

export type GemmOptions = {
  /** Added to the product, stretched to its shape. */
  readonly plus?: Value;
  readonly transposeLeft?: boolean;
  readonly transposeRight?: boolean;
};

/** left · right + plus, of matrices. */
export function gemm(graph: Graph, left: Value, right: Value, options: GemmOptions = {}): Value {
  const {plus, transposeLeft: flipLeft = false, transposeRight: flipRight = false} = options;
  const [rows, inner] = flipLeft ? left.shape.toReversed() : left.shape;
  const [innerRight, columns] = flipRight ? right.shape.toReversed() : right.shape;
  if (left.shape.length !== 2 || right.shape.length !== 2 || inner !== innerRight) {
    throw misfit('Gemm', left.shape, right.shape);
  }
  const product = (a: Value, b: Value, flipA: boolean, flipB: boolean) =>
    gemm(graph, a, b, {transposeLeft: flipA, transposeRight: flipB});
  const byLeft = (dy: Value): Cotangent =>
    flipLeft ? product(right, dy, flipRight, true) : product(dy, right, false, !flipRight);
  const byRight = (dy: Value): Cotangent => {
    if (flipLeft)
      return flipRight ? product(dy, left, true, true) : product(left, dy, false, false);
    return flipRight ? {left: dy, right: left} : {left, right: dy};
  };
  const [y] = graph.apply({
    opType: 'Gemm',
    inputs: plus === undefined ? [left, right] : [left, right, plus],
    shapes: [[rows as number, columns as number]],
    attributes: {transA: Number(flipLeft), transB: Number(flipRight)},
    derivative: ([dy]) => [
      () => byLeft(dy as Value),
      () => byRight(dy as Value),
      ...(plus === undefined ? [] : [() => sumTo(graph, dy as Value, plus.shape)]),
    ],
  });
  return y as Value;
}

/** Parts of these sizes along the axis. */
export function split(graph: Graph, x: Value, sizes: readonly number[], axis: number): Value[] {
  if (sizes.reduce((sum, size) => sum + size, 0) !== x.shape[axis]) {
    throw misfit('Split', x.shape, sizes);
  }
  const shapes = sizes.map(size => x.shape.with(axis, size));
  const parts = graph.apply({
    opType: 'Split',
    inputs: [x, graph.integers(sizes)],
    shapes,
    attributes: {axis},
    derivative: gradients => [
      () => {
        const given = gradients.map((dy, at) => dy ?? zeros(graph, shapes[at] as Shape));
        return concat(graph, given, axis);
      },
      undefined,
    ],
  });
  return [...parts];
}

/** The inputs side by side along the axis. */
export function concat(graph: Graph, parts: readonly Value[], axis: number): Value {
  const [first] = parts;
  if (parts.length === 1) return first as Value;
  const sizes = parts.map(({shape}) => shape[axis] as number);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const pieces = (dy: Value) => split(graph, dy, sizes, axis);
  const [y] = graph.apply({
    opType: 'Concat',
    inputs: parts,
    shapes: [(first as Value).shape.with(axis, total)],
    attributes: {axis},
    derivative: ([dy]) => parts.map((_, at) => () => pieces(dy as Value)[at] as Value),
  });
  return y as Value;
}

/** Indices from `start` up to but not including `end` along the axis. */
export function slice(graph: Graph, x: Value, start: number, end: number, axis: number): Value {
  const size = x.shape[axis] as number;
  if (start < 0 || end > size || start >= end) throw misfit('Slice', x.shape, [start, end]);
  const [y] = graph.apply({
    opType: 'Slice',
    inputs: [x, graph.integers([start]), graph.integers([end]), graph.integers([axis])],
    shapes: [x.shape.with(axis, end - start)],
    derivative: ([dy]) => [
      () => {
        const before = start > 0 ? [zeros(graph, x.shape.with(axis, start))] : [];
        const after = end < size ? [zeros(graph, x.shape.with(axis, size - end))] : [];
        return concat(graph, [...before, dy as Value, ...after], axis);
      },
    ],
  });
  return y as Value;
}

export function reshape(graph: Graph, x: Value, shape: Shape): Value {
  if (sizeOf(shape) !== sizeOf(x.shape)) throw misfit('Reshape', x.shape, shape);
  if (shape.join() === x.shape.join()) return x;
  const [y] = graph.apply({
    opType: 'Reshape',
    inputs: [x, graph.integers(shape)],
    shapes: [shape],
    derivative: ([dy]) => [() => reshape(graph, dy as Value, x.shape), undefined],
  });
  return y as Value;
}

/** Axis i of the result is axis `order[i]` of x. */
export function transpose(graph: Graph, x: Value, order: readonly number[]): Value {
  const back = order.map((_, axis) => order.indexOf(axis));
  const [y] = graph.apply({
    opType: 'Transpose',
    inputs: [x],
    shapes: [order.map(axis => x.shape[axis] as number)],
    attributes: {perm: order},
    derivative: ([dy]) => [() => transpose(graph, dy as Value, back)],
  });
  return y as Value;
}

/** The sum along these axes, which are dropped unless kept as 1. */
export function reduceSum(
  graph: Graph,
  x: Value,
  axes: readonly number[] = x.shape.map((_, axis) => axis),
  keep = false,
): Value {
  if (axes.length === 0) return x;
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const [y] = graph.apply({
    opType: 'ReduceSum',
    inputs: [x, graph.integers(axes)],
    shapes: [keep ? kept : x.shape.filter((_, axis) => !axes.includes(axis))],
    attributes: {keepdims: Number(keep)},
    derivative: ([dy]) => [
      () => expand(graph, reshape(graph, dy as Value, kept), x.shape),
      undefined,
    ],
  });
  return y as Value;
}

/** x stretched to the shape as NumPy does it. */
export function expand(graph: Graph, x: Value, shape: Shape): Value {
  if (broadcast('Expand', x.shape, shape).join() !== shape.join()) {
    throw misfit('Expand', x.shape, shape);
  }
  if (x.shape.join() === shape.join()) return x;
  const [y] = graph.apply({
    opType: 'Expand',
    inputs: [x, graph.integers(shape)],
    shapes: [shape],
    derivative: ([dy]) => [() => sumTo(graph, dy as Value, x.shape), undefined],
  });
  return y as Value;
}

/** What is left for an input that had been stretched from `shape`. */
function sumTo(graph: Graph, x: Value, shape: Shape): Value {
  const missing = x.shape.length - shape.length;
  const axes = x.shape.flatMap((size, axis) =>
    axis < missing || (shape[axis - missing] === 1 && size > 1) ? [axis] : [],
  );
  return reshape(graph, reduceSum(graph, x, axes), shape);
}

function broadcast(opType: string, a: Shape, b: Shape): number[] {
  const length = Math.max(a.length, b.length);
  return Array.from({length}, (_, axis) => {
    const left = a[axis - length + a.length] ?? 1;
    const right = b[axis - length + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) throw misfit(opType, a, b);
    return Math.max(left, right);
  });
}

function misfit(opType: string, a: Shape, b: Shape): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot add ${opType} to the graph: [${a.join()}] and [${b.join()}] do not fit`,
    {details: {opType}},
  );
}
