import {ForestayError} from '../../core/domain/errors.ts';
import {createUniform} from '../random.ts';
import {adamRate} from './adam.ts';
import {
  allOf,
  batchesOf,
  beginAnew,
  type Evaluator,
  feedsOf,
  openEvaluator,
  type Prepared,
  prepare,
  vector,
  weightOf,
} from './evaluation.ts';
import {initialParameters, parameterCount} from './lstm.ts';
import {batchShapeOf, type Network, outputsOf} from './network.ts';
import {fitNormalisation, inputsOf, type Normalisation} from './normalisation.ts';
import {emptyFloats, openRunner, type Runner} from './runtime.ts';
import {checkSequences, type Sequences} from './sequences.ts';
import {type BatchShape, encodeTrainingGraph} from './training-graph.ts';

/** Share of the training over which the learning rate rises, and what is left of it at the end. */
const WARM_UP_SHARE = 0.05;
const FINAL_SHARE = 0.05;

export type NetworkOptions = Pick<Network, 'form' | 'task' | 'steps'> & {
  readonly hidden: number;
  /** Windows of a batch, or sequences that are streamed side by side. */
  readonly batchRows: number;
  /** Times that all data are learned from, at most. */
  readonly epochs: number;
  /** Training ends when so many epochs brought no better validation loss. */
  readonly patience: number;
  /** The highest one; it rises to it, then falls as a cosine. */
  readonly learningRate: number;
  /** Gradients with a larger norm are cut to it. */
  readonly clipNorm: number;
  readonly seed: number;
};

export const NETWORK_DEFAULTS = {
  steps: 60,
  hidden: 64,
  batchRows: 64,
  epochs: 20,
  patience: 4,
  learningRate: 3e-3,
  clipNorm: 1,
} as const;

/** Parts of the learner that one epoch leaves to the next. */
type Learned = {
  readonly theta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
};

export type EpochReport = {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the epoch, while it was learned. */
  readonly trainingLoss: number;
  readonly validationLoss: number;
};

/**
 * Where training stands after an epoch: with it and the same data and options it goes on to the
 * very bytes that it would have given without a break. The random stream of an epoch depends on
 * seed and epoch alone, so there is nothing of it to keep. May be cloned and stored.
 */
export type NetworkCheckpoint = Learned & {
  readonly normalisation: Normalisation;
  /** Steps done, for Adam's corrections. */
  readonly steps: number;
  readonly epochs: readonly EpochReport[];
  /** Parameters of the epoch with the lowest validation loss, and that loss. */
  readonly best: {readonly theta: Float32Array; readonly epoch: number; readonly loss: number};
};

export type TrainingData = {
  readonly training: Sequences;
  /** Later in time, or of other hosts: it says when to stop. */
  readonly validation: Sequences;
};

/**
 * Trains a network on this thread, and returns that of the epoch with the lowest validation loss,
 * with the epochs' losses. Same data, options and seed: same bytes on one machine.
 *
 * Cost of a step of 64 windows × 60 steps × 16 inputs, 64 hidden: 7–9 ms of CPU, 90 MB; an epoch
 * of a stream costs as much per 64 × 60 samples.
 *
 * @param onProgress Is given the checkpoint after every epoch, and waited for.
 * @param from A checkpoint of the same data and options to go on from.
 * @throws {ForestayError} `TRAINING_DATA_INVALID` as {@link checkSequences} has it, or if the loss
 *   stops being finite; `INVALID_ARGUMENT` for a checkpoint of a network of another size.
 */
export async function trainNetwork(
  {training, validation}: TrainingData,
  options: NetworkOptions,
  onProgress: (checkpoint: NetworkCheckpoint) => void | Promise<void> = () => undefined,
  from?: NetworkCheckpoint,
): Promise<Network & Pick<NetworkCheckpoint, 'epochs'>> {
  const isOfClasses = options.task.kind === 'classes';
  checkSequences(training, isOfClasses, 'training');
  checkSequences(validation, isOfClasses, 'validation');
  const normalisation =
    from?.normalisation ?? fitNormalisation(training.features, training.columns);
  const lstm = {
    inputs: inputsOf(normalisation),
    hidden: options.hidden,
    outputs: outputsOf(options.task),
  };
  if (from !== undefined && from.theta.length !== parameterCount(lstm)) {
    throw otherCheckpoint(from, parameterCount(lstm));
  }
  const {form, task, steps} = options;
  const shape = batchShapeOf({form, task, steps, lstm}, options.batchRows);
  const runner = await openRunner(encodeTrainingGraph(shape, options.clipNorm), 'train');
  const evaluator = await openEvaluator({form, task, normalisation}, shape);
  try {
    const learner: Learner = {runner, evaluator, shape, options, normalisation};
    const [taught, judged] = [prepare(training, normalisation), prepare(validation, normalisation)];
    let checkpoint = from ?? begin(learner);
    while (checkpoint.epochs.length < options.epochs && !hasStalled(checkpoint, options)) {
      checkpoint = await learnEpoch(learner, checkpoint, taught, judged);
      await onProgress(checkpoint);
    }
    const {best, epochs} = checkpoint;
    return {form, task, steps, lstm, normalisation, theta: best.theta, epochs};
  } finally {
    await runner.release();
    await evaluator.release();
  }
}

type Learner = {
  readonly runner: Runner;
  readonly evaluator: Evaluator;
  readonly shape: BatchShape;
  readonly options: NetworkOptions;
  readonly normalisation: Normalisation;
};

function begin({shape, options, normalisation}: Learner): NetworkCheckpoint {
  const theta = initialParameters(shape.lstm, createUniform(options.seed));
  return {
    normalisation,
    theta,
    mean: new Float32Array(theta.length),
    variance: new Float32Array(theta.length),
    steps: 0,
    epochs: [],
    best: {theta, epoch: 0, loss: Number.POSITIVE_INFINITY},
  };
}

function hasStalled({epochs, best}: NetworkCheckpoint, {patience}: NetworkOptions): boolean {
  return epochs.length - best.epoch >= patience;
}

async function learnEpoch(
  learner: Learner,
  before: NetworkCheckpoint,
  taught: Prepared,
  judged: Prepared,
): Promise<NetworkCheckpoint> {
  const epoch = before.epochs.length + 1;
  const {learned, steps, loss} = await learnBatches(learner, before, taught);
  if (!Number.isFinite(loss)) throw diverged(epoch, learner.options);
  const {loss: validationLoss} = await learner.evaluator.evaluate(learned.theta, judged);
  const better = validationLoss < before.best.loss;
  return {
    ...learned,
    normalisation: before.normalisation,
    steps,
    epochs: [...before.epochs, {epoch, trainingLoss: loss, validationLoss}],
    best: better ? {theta: learned.theta, epoch, loss: validationLoss} : before.best,
  };
}

/** Learns from all data once, in an order that depends on seed and epoch. */
async function learnBatches(
  {runner, evaluator, shape, options, normalisation}: Learner,
  before: NetworkCheckpoint,
  taught: Prepared,
): Promise<{learned: Learned; steps: number; loss: number}> {
  const {length: epochsBefore} = before.epochs;
  const order = shuffle(allOf(options, taught.data), options.seed, epochsBefore + 1);
  const toSee = options.form === 'window' ? order.length : taught.data.weights.length;
  const state = emptyFloats([shape.rows, 2 * shape.lstm.hidden]);
  const told = {nextState: emptyFloats(state.shape), loss: emptyFloats([])};
  // In turns: what one step writes is what the next one reads.
  let learned = copyOf(before);
  let spare = copyOf(before);
  let {steps} = before;
  let [sum, weight, seen] = [0, 0, 0];
  for (const batch of batchesOf({...options, normalisation}, shape, taught, order)) {
    beginAnew(state, batch);
    for (const row of batch.sources) if (row >= 0) seen++;
    const heavy = weightOf(batch);
    const feeds = feedsOf(shape, batch, state);
    if (heavy === 0) {
      // Context alone: there is nothing to learn, but it moves the state.
      await evaluator.step(learned.theta, feeds, {nextState: told.nextState});
    } else {
      steps++;
      const progress = (epochsBefore + seen / toSee) / options.epochs;
      const rate = adamRate(scheduledRate(options.learningRate, progress), steps);
      const {theta, mean, variance} = learned;
      await runner.run(
        {
          ...feeds,
          rate: vector(rate),
          theta: vector(theta),
          mean: vector(mean),
          variance: vector(variance),
        },
        {
          ...told,
          nextTheta: vector(spare.theta),
          nextMean: vector(spare.mean),
          nextVariance: vector(spare.variance),
        },
      );
      [learned, spare] = [spare, learned];
      sum += (told.loss.values[0] as number) * heavy;
      weight += heavy;
    }
    state.values.set(told.nextState.values);
  }
  return {learned, steps, loss: sum / weight};
}

function copyOf({theta, mean, variance}: Learned): Learned {
  return {theta: theta.slice(), mean: mean.slice(), variance: variance.slice()};
}

/** Rises over the first 5 % of the training, then falls as a cosine to 5 %. */
function scheduledRate(highest: number, progress: number): number {
  const cosine = (1 + Math.cos(Math.PI * progress)) / 2;
  const rising = Math.min(1, progress / WARM_UP_SHARE);
  return highest * rising * (FINAL_SHARE + (1 - FINAL_SHARE) * cosine);
}

/** Fisher and Yates. */
function shuffle(values: Uint32Array, seed: number, epoch: number): Uint32Array {
  const uniform = createUniform(Math.imul(seed, 0x9e3779b1) + epoch);
  for (let last = values.length - 1; last > 0; last--) {
    const at = Math.floor(uniform() * (last + 1));
    [values[last], values[at]] = [values[at] as number, values[last] as number];
  }
  return values;
}

function diverged(epoch: number, {learningRate}: NetworkOptions): ForestayError {
  return new ForestayError(
    'TRAINING_DATA_INVALID',
    `cannot train the network: the loss of epoch ${epoch} is not finite; learn slower than ` +
      `${learningRate}, or look for targets that are far too large`,
    {details: {epoch, learningRate}},
  );
}

function otherCheckpoint({theta}: NetworkCheckpoint, parameters: number): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot go on from a checkpoint of ${theta.length} parameters, the network has ${parameters}; ` +
      'give the options and data it was made with, or begin anew',
    {details: {given: theta.length, parameters}},
  );
}
