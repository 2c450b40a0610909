/** What a network says to whole sequences, without learning. */
import {type Batch, type Batching, streamBatches, windowBatches} from './batches.ts';
import {batchShapeOf, type Network, outputsOf} from './network.ts';
import {normaliseRows} from './normalisation.ts';
import {emptyFloats, type Floats, openRunner} from './runtime.ts';
import type {Sequences} from './sequences.ts';
import {type BatchShape, encodeLossGraph, targetRowsOf} from './training-graph.ts';

const BATCH_ROWS = 64;

/** Sequences with their features normalised once. */
export type Prepared = {readonly data: Sequences; readonly inputs: Float32Array};

type Told = {
  /** Mean by weight; NaN of no weight. */
  readonly loss: number;
  /** Of each row what the head gives, before any softmax; NaN of a row that was not asked. */
  readonly predictions: Float32Array;
};

export type Evaluator = {
  /** Moves the state on by what {@link feedsOf} made of a batch. */
  step(
    theta: Float32Array,
    feeds: Readonly<Record<string, Floats>>,
    outputs: Readonly<Record<string, Floats>>,
  ): Promise<void>;
  evaluate(theta: Float32Array, prepared: Prepared): Promise<Told>;
  release(): Promise<void>;
};

export function prepare(data: Sequences, normalisation: Network['normalisation']): Prepared {
  return {data, inputs: normaliseRows(data.features, normalisation)};
}

/**
 * What the network says to every sample of the sequences: the outputs of its head, rows × outputs,
 * before softmax or calibration. A window network is asked only for rows that have a weight, the
 * others are NaN. About 30 µs a row for a window of 60 steps, 1 µs a row for a stream.
 */
export async function predictSequences(network: Network, data: Sequences): Promise<Float32Array> {
  const evaluator = await openEvaluator(network, batchShapeOf(network, BATCH_ROWS));
  try {
    const prepared = prepare(data, network.normalisation);
    return (await evaluator.evaluate(network.theta, prepared)).predictions;
  } finally {
    await evaluator.release();
  }
}

type Plan = Pick<Network, 'form' | 'task' | 'normalisation'>;

export async function openEvaluator(network: Plan, shape: BatchShape): Promise<Evaluator> {
  const runner = await openRunner(encodeLossGraph(shape), 'loss');
  const step: Evaluator['step'] = (theta, feeds, outputs) =>
    runner.run({...feeds, theta: vector(theta)}, outputs);
  return {
    step,
    evaluate: (theta, prepared) =>
      evaluate(network, shape, prepared, (...ends) => step(theta, ...ends)),
    release: () => runner.release(),
  };
}

async function evaluate(
  network: Plan,
  shape: BatchShape,
  {data, inputs}: Prepared,
  step: (
    feeds: Readonly<Record<string, Floats>>,
    outputs: Readonly<Record<string, Floats>>,
  ) => Promise<void>,
): Promise<Told> {
  const outputs = outputsOf(network.task);
  const predictions = new Float32Array(data.weights.length * outputs).fill(Number.NaN);
  const state = emptyFloats([shape.rows, 2 * shape.lstm.hidden]);
  const told = {
    loss: emptyFloats([]),
    nextState: emptyFloats(state.shape),
    predictions: emptyFloats([targetRowsOf(shape), outputs]),
  };
  let [sum, weight] = [0, 0];
  for (const batch of batchesOf(network, shape, {data, inputs}, allOf(network, data))) {
    beginAnew(state, batch);
    await step(feedsOf(shape, batch, state), told);
    state.values.set(told.nextState.values);
    const heavy = weightOf(batch);
    // Of a batch that weighs nothing the mean is not a number.
    if (heavy > 0) sum += (told.loss.values[0] as number) * heavy;
    weight += heavy;
    for (const [at, row] of batch.sources.entries()) {
      if (row < 0) continue;
      const from = told.predictions.values.subarray(at * outputs, (at + 1) * outputs);
      predictions.set(from, row * outputs);
    }
  }
  return {loss: sum / weight, predictions};
}

/** Rows that end a window, or sequences to stream, in their own order. */
export function allOf({form}: Pick<Network, 'form'>, {weights, starts}: Sequences): Uint32Array {
  if (form === 'stream') return Uint32Array.from({length: starts.length - 1}, (_, at) => at);
  const ends: number[] = [];
  for (const [row, weight] of weights.entries()) if (weight > 0) ends.push(row);
  return Uint32Array.from(ends);
}

export function batchesOf(
  {form, normalisation}: Pick<Plan, 'form' | 'normalisation'>,
  {steps, rows}: BatchShape,
  {data, inputs}: Prepared,
  order: Uint32Array,
): Generator<Batch> {
  const batching: Batching = {data, inputs, missing: missingRow(normalisation), steps, rows};
  return form === 'window' ? windowBatches(batching, order) : streamBatches(batching, order);
}

function missingRow(normalisation: Network['normalisation']): Float32Array {
  const row = new Float32Array(normalisation.centre.length).fill(Number.NaN);
  return normaliseRows(row, normalisation);
}

/** What both graphs are fed of a batch. */
export function feedsOf(shape: BatchShape, batch: Batch, state: Floats): Record<string, Floats> {
  const {steps, rows, lstm, targets} = shape;
  const targetRows = targetRowsOf(shape);
  return {
    inputs: {values: batch.inputs, shape: [steps * rows, lstm.inputs]},
    targets: {values: batch.targets, shape: [targetRows, targets]},
    weights: {values: batch.weights, shape: [targetRows, 1]},
    state,
  };
}

export function vector(values: Float32Array): Floats {
  return {values, shape: [values.length]};
}

/** Zero is the state of a lane that begins anew. */
export function beginAnew({values, shape}: Floats, {fresh}: Batch): void {
  const width = shape[1] as number;
  for (const [lane, isFresh] of fresh.entries()) {
    if (isFresh === 1) values.fill(0, lane * width, (lane + 1) * width);
  }
}

export function weightOf({weights}: Batch): number {
  let sum = 0;
  for (const weight of weights) sum += weight;
  return sum;
}
