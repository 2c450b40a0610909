/** Every derivative against finite differences of what the ONNX runtime computes. */
import test from 'ava';
import {gradients} from '../../models/network/gradients.ts';
import {createGraph, type Graph, sizeOf, type Value} from '../../models/network/graph.ts';
import {pinballLoss, softmaxCrossEntropy} from '../../models/network/losses.ts';
import {headOf, parameterCount, splitParameters, unrollLstm} from '../../models/network/lstm.ts';
import {
  add,
  concat,
  div,
  exp,
  expand,
  gemm,
  log,
  logSoftmax,
  mul,
  negate,
  reduceSum,
  relu,
  reshape,
  scalar,
  sigmoid,
  slice,
  split,
  squareRoot,
  sub,
  tanh,
  transpose,
} from '../../models/network/operations.ts';
import {emptyFloats, type Floats, openRunner} from '../../models/network/runtime.ts';
import {createUniform} from '../../models/random.ts';
import fc from '../support/fast-check.ts';

/**
 * Central differences of float32: rounding costs about 6e-8 · |y| / STEP, what is cut off
 * STEP² / 6 · |y'''|. Both are some 1e-5 here, for up to 100 values of y near 1 that add up; a
 * derivative with a wrong factor or sign is off by tenths.
 */
const STEP = 5e-3;
const TOLERANCE = 2e-3;

type Case = {
  shapes: readonly (readonly number[])[];
  build: (graph: Graph, inputs: readonly Value[]) => Value;
  /** Inputs are drawn from here; none is nearer to a kink than a step. */
  range?: readonly [number, number];
};

const sizes = fc.integer({min: 1, max: 4});
const matrix = fc.tuple(sizes, sizes);

/** Largest difference of the derivative from differences, in units of max(1, |derivative|). */
async function worstDifference({shapes, build, range = [-2, 2]}: Case, seed: number) {
  const uniform = createUniform(seed);
  const graph = createGraph();
  const inputs = shapes.map((shape, at) => graph.input(`x${at}`, shape));
  const y = build(graph, inputs);
  const draw = (shape: readonly number[], [low, high]: readonly [number, number]): Floats => ({
    shape,
    values: Float32Array.from({length: sizeOf(shape)}, () => {
      const value = low + (high - low) * uniform();
      return Math.abs(value) < 0.05 ? 0.3 : value;
    }),
  });
  const slopes = draw(y.shape, [-1, 1]);
  const total = reduceSum(graph, mul(graph, y, graph.constant(slopes.values, y.shape)));
  const derivatives = gradients(graph, total, inputs);
  graph.output('y', y);
  for (const [at, derivative] of derivatives.entries()) graph.output(`d${at}`, derivative);
  const runner = await openRunner(graph.encode('difference'), 'difference');
  const given = shapes.map(shape => draw(shape, range));
  const feeds = Object.fromEntries(given.map((floats, at) => [`x${at}`, floats]));
  const found = Object.fromEntries(shapes.map((shape, at) => [`d${at}`, emptyFloats(shape)]));
  const result = emptyFloats(y.shape);
  const evaluate = async () => {
    await runner.run(feeds, {...found, y: result});
    return result.values.reduce((sum, value, at) => sum + value * (slopes.values[at] as number), 0);
  };
  await evaluate();
  const claimed = shapes.map((_, at) => Float32Array.from(found[`d${at}`]?.values ?? []));
  let worst = 0;
  for (const [at, {values}] of given.entries()) {
    for (const [index, value] of values.entries()) {
      values[index] = value + STEP;
      const [above, right] = [await evaluate(), values[index]];
      values[index] = value - STEP;
      const [below, left] = [await evaluate(), values[index]];
      values[index] = value;
      const wanted = (above - below) / (right - left);
      const difference = Math.abs(wanted - (claimed[at]?.[index] as number));
      worst = Math.max(worst, difference / Math.max(1, Math.abs(wanted)));
    }
  }
  await runner.release();
  return worst;
}

function unary(
  build: (graph: Graph, x: Value) => Value,
  range: readonly [number, number] = [-2, 2],
): fc.Arbitrary<Case> {
  return matrix.map(shape => ({
    shapes: [shape],
    build: (graph, [x]) => build(graph, x as Value),
    range,
  }));
}

/** Shapes that NumPy stretches to a common one: axes of size 1 and axes that are not there. */
const stretched = fc
  .tuple(fc.tuple(sizes, sizes, sizes), fc.array(fc.boolean(), {minLength: 6, maxLength: 6}))
  .chain(([whole, ones]) => {
    const narrow = (offset: number) => whole.map((size, at) => (ones[at + offset] ? 1 : size));
    return fc.tuple(fc.nat(2), fc.boolean()).map(([drop, flip]) => {
      const pair = [narrow(0), narrow(3).slice(drop)];
      return flip ? pair.toReversed() : pair;
    });
  });

function binary(
  build: (graph: Graph, a: Value, b: Value) => Value,
  range: readonly [number, number] = [-2, 2],
): fc.Arbitrary<Case> {
  return stretched.map(shapes => ({
    shapes,
    build: (graph, [a, b]) => build(graph, a as Value, b as Value),
    range,
  }));
}

const products: fc.Arbitrary<Case> = fc
  .tuple(sizes, sizes, sizes, fc.boolean(), fc.boolean(), fc.nat(4))
  .map(([rows, inner, columns, transposeLeft, transposeRight, plusKind]) => {
    const plus = [[], [columns], [rows, columns], [1, columns], undefined][plusKind];
    return {
      shapes: [
        transposeLeft ? [inner, rows] : [rows, inner],
        transposeRight ? [columns, inner] : [inner, columns],
        ...(plus === undefined ? [] : [plus]),
      ],
      build: (graph, [left, right, added]) =>
        gemm(graph, left as Value, right as Value, {
          transposeLeft,
          transposeRight,
          ...(added === undefined ? {} : {plus: added}),
        }),
    };
  });

const weighted = (graph: Graph, rows: number) =>
  graph.constant(
    Float32Array.from({length: rows}, (_, row) => (row === 1 ? 0 : 1 + row)),
    [rows, 1],
  );

const cases: Record<string, fc.Arbitrary<Case>> = {
  Sigmoid: unary(sigmoid),
  Tanh: unary(tanh),
  Exp: unary(exp, [-2, 1]),
  Log: unary(log, [0.5, 2]),
  Neg: unary(negate),
  Relu: unary(relu),
  Sqrt: unary(squareRoot, [0.5, 2]),
  LogSoftmax: unary(logSoftmax),
  Add: binary(add),
  Sub: binary(sub),
  Mul: binary(mul),
  Div: binary(div, [0.5, 2]),
  Gemm: products,
  Split: fc
    .tuple(sizes, sizes, sizes, fc.constantFrom(0, 1))
    .map(([first, second, other, axis]) => {
      const whole = axis === 0 ? [first + second, other] : [other, first + second];
      return {
        shapes: [whole],
        // The last part is left aside, so that no gradient reaches it.
        build: (graph, [x]) => split(graph, x as Value, [first, second], axis)[0] as Value,
      };
    }),
  Concat: fc.tuple(sizes, sizes, sizes).map(([first, second, rows]) => ({
    shapes: [
      [rows, first],
      [rows, second],
    ],
    build: (graph, [a, b]) => concat(graph, [a as Value, b as Value, a as Value], 1),
  })),
  Slice: fc.tuple(fc.nat(2), sizes, fc.nat(2), sizes).map(([before, size, after, rows]) => ({
    shapes: [[rows, before + size + after]],
    build: (graph, [x]) => slice(graph, x as Value, before, before + size, 1),
  })),
  Reshape: fc.tuple(sizes, sizes, sizes).map(shape => ({
    shapes: [shape],
    build: (graph, [x]) => reshape(graph, x as Value, [shape[0] * shape[1], shape[2]]),
  })),
  Transpose: fc
    .tuple(sizes, sizes, sizes, fc.constantFrom([1, 2, 0], [2, 0, 1], [0, 2, 1]))
    .map(([a, b, c, order]) => ({
      shapes: [[a, b, c]],
      build: (graph, [x]) => transpose(graph, x as Value, order),
    })),
  ReduceSum: fc
    .tuple(fc.tuple(sizes, sizes, sizes), fc.subarray([0, 1, 2], {minLength: 1}), fc.boolean())
    .map(([shape, axes, keep]) => ({
      shapes: [shape],
      build: (graph, [x]) => reduceSum(graph, x as Value, axes, keep),
    })),
  Expand: fc.tuple(sizes, sizes).map(([rows, columns]) => ({
    shapes: [[columns]],
    build: (graph, [x]) => expand(graph, x as Value, [rows, columns]),
  })),
  'products that share a factor': fc.tuple(sizes, sizes, sizes).map(([a, b, c]) => ({
    shapes: [
      [a, b],
      [c, b],
      [b, b],
    ],
    build: (graph, [x, y, w]) =>
      gemm(
        graph,
        gemm(graph, gemm(graph, x as Value, w as Value), w as Value),
        gemm(graph, y as Value, w as Value),
        {transposeRight: true},
      ),
    range: [-1, 1],
  })),
  'cross-entropy': fc.tuple(fc.integer({min: 2, max: 5}), sizes).map(([rows, classes]) => ({
    shapes: [
      [rows, classes],
      [rows, classes],
    ],
    build: (graph, [logits, targets]) =>
      softmaxCrossEntropy(graph, logits as Value, targets as Value, weighted(graph, rows)),
  })),
  'pinball loss': fc.tuple(fc.integer({min: 2, max: 5}), sizes).map(([rows, outputs]) => {
    const quantiles = Array.from({length: outputs}, (_, at) => (at + 1) / (outputs + 1));
    return {
      shapes: [[rows, outputs]],
      // Far from all predictions, so that no difference is taken across the kink.
      build: (graph, [x]) => {
        const observed = graph.constant(
          Float32Array.from({length: rows}, (_, row) => (row % 2 === 0 ? 3 : -3)),
          [rows, 1],
        );
        return pinballLoss(quantiles)(graph, x as Value, observed, weighted(graph, rows));
      },
    };
  }),
  'three steps of an LSTM': fc.tuple(sizes, sizes, sizes).map(([inputs, hidden, rows]) => {
    const shape = {inputs, hidden, outputs: 2};
    return {
      shapes: [[parameterCount(shape)], [3 * rows, inputs], [rows, hidden], [rows, hidden]],
      build: (graph, [theta, x, first, cell]) => {
        const parameters = splitParameters(graph, theta as Value, shape);
        const state = {hidden: first as Value, cell: cell as Value};
        const unrolled = unrollLstm(graph, parameters, x as Value, state);
        return headOf(graph, parameters, concat(graph, unrolled.hidden, 0));
      },
      range: [-1, 1],
    };
  }),
};

for (const [name, arbitrary] of Object.entries(cases)) {
  test(`the derivative of ${name} is the limit of differences`, async t => {
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.nat(), async (drawn, seed) => {
        const worst = await worstDifference(drawn, seed);
        return worst <= TOLERANCE || Promise.reject(new Error(`off by ${worst}`));
      }),
      {numRuns: name.includes('LSTM') ? 3 : 8},
    );
    t.pass();
  });
}

test('a value that the result does not depend on has the gradient 0', async t => {
  const graph = createGraph();
  const [x, aside] = [graph.input('x', [2]), graph.input('aside', [3])];
  const [, derivative] = gradients(graph, reduceSum(graph, mul(graph, x, x)), [x, aside]);
  graph.output('d', derivative as Value);
  const runner = await openRunner(graph.encode('aside'), 'aside');
  const found = {d: {values: Float32Array.of(9, 9, 9), shape: [3]}};
  await runner.run({x: emptyFloats([2]), aside: emptyFloats([3])}, found);
  t.deepEqual([...found.d.values], [0, 0, 0]);
});

test('an operation without derivative on the way is refused, beside it not', t => {
  const graph = createGraph();
  const x = graph.input('x', []);
  const [least] = graph.apply({opType: 'Min', inputs: [x, scalar(graph, 1)], shapes: [[]]});
  t.throws(() => gradients(graph, least as Value, [x]), {code: 'INVALID_ARGUMENT'});
  t.notThrows(() => gradients(graph, mul(graph, x, x), [x]));
});

test('sizes that do not fit are refused where the operation is added', t => {
  const graph = createGraph();
  const [a, b] = [graph.input('a', [2, 3]), graph.input('b', [4, 5])];
  for (const build of [
    () => add(graph, a, b),
    () => gemm(graph, a, b),
    () => split(graph, a, [1, 1], 0).concat(split(graph, a, [1, 1], 1)),
    () => slice(graph, a, 1, 4, 1),
    () => reshape(graph, a, [5]),
    () => expand(graph, a, [2, 1]),
  ]) {
    t.throws(build, {code: 'INVALID_ARGUMENT'});
  }
});

test('the same operation on the same values is computed once', t => {
  const graph = createGraph();
  const x = graph.input('x', [2]);
  t.is(sigmoid(graph, x), sigmoid(graph, x));
  t.not(slice(graph, x, 0, 1, 0), slice(graph, x, 1, 2, 0));
});

test('both losses are what plain arithmetic gives, rows of weight 0 aside', async t => {
  const [rows, columns] = [4, 3];
  const uniform = createUniform(7);
  const drawn = () => Float32Array.from({length: rows * columns}, () => 2 * uniform() - 1);
  const [predictions, targets] = [drawn(), drawn().map(Math.abs)];
  const weights = Float32Array.of(1, 0, 2, 0.5);
  const quantiles = [0.1, 0.5, 0.9];
  let [entropy, pinball] = [0, 0];
  for (const [row, weight] of weights.entries()) {
    const told = predictions.subarray(columns * row, columns * (row + 1));
    const normaliser = Math.log(told.reduce((sum, logit) => sum + Math.exp(logit), 0));
    for (const [column, prediction] of told.entries()) {
      const target = targets[columns * row + column] as number;
      entropy += (weight / 3.5) * target * (normaliser - prediction);
      const quantile = quantiles[column] as number;
      const error = (targets[row] as number) - prediction;
      pinball += (weight / 3.5) * Math.max(quantile * error, (quantile - 1) * error);
    }
  }
  const graph = createGraph();
  const x = graph.constant(predictions, [rows, columns]);
  const w = graph.constant(weights, [rows, 1]);
  const soft = graph.constant(targets, [rows, columns]);
  const observed = graph.constant(targets.slice(0, rows), [rows, 1]);
  graph.output('entropy', softmaxCrossEntropy(graph, x, soft, w));
  graph.output('pinball', pinballLoss(quantiles)(graph, x, observed, w));
  const runner = await openRunner(graph.encode('losses'), 'losses');
  const found = {entropy: emptyFloats([]), pinball: emptyFloats([])};
  await runner.run({}, found);
  t.true(Math.abs((found.entropy.values[0] as number) - entropy) < 1e-6);
  t.true(Math.abs((found.pinball.values[0] as number) - pinball) < 1e-6);
});
