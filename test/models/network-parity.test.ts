/**
 * What PyTorch computes on the same numbers, and learns from the same data. The numbers were made
 * by test/models/data/network-parity.py, for which `node test/models/data/network-dump.ts FOLDER`
 * writes the data.
 */
import {readFileSync} from 'node:fs';
import test from 'ava';
import {adamRate} from '../../models/network/adam.ts';
import {RISK_CLASSES} from '../../models/network/competing-risks.ts';
import {predictSequences} from '../../models/network/evaluation.ts';
import {softmaxCrossEntropy} from '../../models/network/losses.ts';
import {emptyFloats, type Floats, openRunner} from '../../models/network/runtime.ts';
import {calibratedProbabilities, identityCalibration} from '../../models/network/temperature.ts';
import {trainNetwork} from '../../models/network/train.ts';
import {
  type BatchShape,
  encodeLossGraph,
  encodeTrainingGraph,
  targetRowsOf,
} from '../../models/network/training-graph.ts';
import {LEARNING, learningSequences} from './network-fixtures.ts';

type Small = Record<
  | 'theta'
  | 'inputs'
  | 'targets'
  | 'weights'
  | 'logits'
  | 'gradient'
  | 'inputGradient'
  | 'losses'
  | 'lastTheta',
  number[]
> & {loss: number; clipNorm: number; learningRate: number};

const torch = JSON.parse(
  readFileSync(new URL('data/network-parity.json', import.meta.url), 'utf8'),
) as {
  shape: {inputs: number; hidden: number; classes: number; steps: number; rows: number};
  last: Small;
  each: Small;
  learning: {losses: number[]; accuracies: number[]};
};
const {inputs, hidden, classes, steps, rows} = torch.shape;

/** Largest difference, in units of max(1, |wanted|). */
function worst(found: ArrayLike<number> | undefined, wanted: readonly number[]): number {
  return wanted.reduce((most, value, at) => {
    const difference = Math.abs((found?.[at] ?? Number.NaN) - value);
    return Math.max(most, difference / Math.max(1, Math.abs(value)));
  }, 0);
}

for (const lossAt of ['last', 'each'] as const) {
  const {[lossAt]: wanted} = torch;
  const shape: BatchShape = {
    lstm: {inputs, hidden, outputs: classes},
    steps,
    rows,
    lossAt,
    targets: classes,
    loss: softmaxCrossEntropy,
  };
  const targetRows = targetRowsOf(shape);
  const count = wanted.theta.length;
  const feeds = {
    inputs: {values: Float32Array.from(wanted.inputs), shape: [steps * rows, inputs]},
    targets: {values: Float32Array.from(wanted.targets), shape: [targetRows, classes]},
    weights: {values: Float32Array.from(wanted.weights), shape: [targetRows, 1]},
    state: emptyFloats([rows, 2 * hidden]),
    theta: {values: Float32Array.from(wanted.theta), shape: [count]},
  };

  test(`outputs, loss and gradients of a target at ${lossAt} step are PyTorch's`, async t => {
    const told = {
      loss: emptyFloats([]),
      nextState: emptyFloats([rows, 2 * hidden]),
      predictions: emptyFloats([targetRows, classes]),
    };
    const evaluation = await openRunner(encodeLossGraph(shape), 'loss');
    await evaluation.run(feeds, told);
    t.true(worst(told.predictions.values, wanted.logits) < 1e-5);
    t.true(worst(told.loss.values, [wanted.loss]) < 1e-6);
    const training = await openRunner(encodeTrainingGraph(shape, 1, true), 'train');
    const found = {
      loss: emptyFloats([]),
      nextState: emptyFloats([rows, 2 * hidden]),
      gradient: emptyFloats([count]),
      inputGradient: emptyFloats([steps * rows, inputs]),
    };
    const adam = {
      mean: emptyFloats([count]),
      variance: emptyFloats([count]),
      rate: {values: adamRate(0.1, 1), shape: [2]},
    };
    await training.run({...feeds, ...adam}, found);
    t.true(worst(found.loss.values, [wanted.loss]) < 1e-6);
    t.true(worst(found.nextState.values, [...told.nextState.values]) < 1e-6);
    t.true(worst(found.gradient.values, wanted.gradient) < 1e-5);
    t.true(worst(found.inputGradient.values, wanted.inputGradient) < 1e-5);
  });

  test(`ten steps of Adam on targets at ${lossAt} step go where PyTorch's go`, async t => {
    const runner = await openRunner(encodeTrainingGraph(shape, wanted.clipNorm), 'train');
    const vector = () => emptyFloats([count]);
    let now: Record<'theta' | 'mean' | 'variance', Floats> = {
      theta: feeds.theta,
      mean: vector(),
      variance: vector(),
    };
    const norms: number[] = [];
    const losses: number[] = [];
    for (let step = 1; step <= 10; step++) {
      const next = {theta: vector(), mean: vector(), variance: vector()};
      const loss = emptyFloats([]);
      const norm = emptyFloats([]);
      const rate = {values: adamRate(wanted.learningRate, step), shape: [2]};
      await runner.run(
        {...feeds, ...now, rate},
        {loss, norm, nextTheta: next.theta, nextMean: next.mean, nextVariance: next.variance},
      );
      losses.push(loss.values[0] as number);
      now = next;
      norms.push(norm.values[0] as number);
    }
    t.true(
      norms.some(norm => norm > wanted.clipNorm),
      'clipping is part of the comparison',
    );
    t.true(worst(losses, wanted.losses) < 1e-5, `${losses}`);
    t.true(worst(now.theta.values, wanted.lastTheta) < 1e-4);
  });
}

test('from the same data it learns as much as PyTorch does', async t => {
  const [training, data] = [learningSequences('training'), learningSequences('test')];
  const task = {kind: 'classes', classes: RISK_CLASSES} as const;
  const network = await trainNetwork(
    {training, validation: data},
    // Patience without end: what the last epoch gives is compared, nothing is chosen.
    {...LEARNING, form: 'window', task, clipNorm: 1, patience: 99, seed: 1},
  );
  const lastLoss = network.epochs.at(-1)?.validationLoss ?? Number.NaN;
  const logits = await predictSequences(network, data);
  const risks = calibratedProbabilities(logits, identityCalibration(RISK_CLASSES));
  let [hits, count] = [0, 0];
  for (const [row, weight] of data.weights.entries()) {
    if (weight === 0) continue;
    const at = RISK_CLASSES * row;
    const told = risks.subarray(at, at + RISK_CLASSES);
    const likeliest = told.indexOf(Math.max(...told));
    hits += data.targets[at + likeliest] as number;
    count++;
  }
  const band = (values: readonly number[]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return {mean, deviation: Math.sqrt(squares / (values.length - 1))};
  };
  const losses = band(torch.learning.losses);
  const accuracies = band(torch.learning.accuracies);
  t.log(`log-loss ${lastLoss}, accuracy ${hits / count}; PyTorch`, losses, accuracies);
  t.true(Math.abs(lastLoss - losses.mean) < 4 * losses.deviation);
  t.true(Math.abs(hits / count - accuracies.mean) < 0.003);
});
