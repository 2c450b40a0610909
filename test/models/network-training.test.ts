import test from 'ava';
import {drawSequences, SEQUENCE_COLUMNS} from '../../bench/support/network-sequences.ts';
import {streamBatches, windowBatches} from '../../models/network/batches.ts';
import {RISK_CLASSES} from '../../models/network/competing-risks.ts';
import {predictSequences} from '../../models/network/evaluation.ts';
import {fitNormalisation, inputsOf, normaliseRows} from '../../models/network/normalisation.ts';
import type {Sequences} from '../../models/network/sequences.ts';
import {
  type NetworkCheckpoint,
  type NetworkOptions,
  trainNetwork,
} from '../../models/network/train.ts';
import {createUniform} from '../../models/random.ts';

const OPTIONS: NetworkOptions = {
  form: 'stream',
  task: {kind: 'classes', classes: RISK_CLASSES},
  steps: 20,
  hidden: 8,
  batchRows: 16,
  epochs: 4,
  patience: 4,
  learningRate: 1e-2,
  clipNorm: 1,
  seed: 3,
};

const DATA = {training: drawSequences(20, 1), validation: drawSequences(10, 2)};
/** Windows of some samples only: fewer to learn from. */
const THINNED = {
  ...DATA,
  training: {
    ...DATA.training,
    weights: DATA.training.weights.map((weight, row) => (row % 30 === 0 ? weight : 0)),
  },
};

function pass<Values>(values: Values): Values {
  return structuredClone(values);
}

for (const form of ['stream', 'window'] as const) {
  const options = {...OPTIONS, form};
  const data = form === 'window' ? THINNED : DATA;

  test(`a ${form} of equal seeds is equal in every byte, of another seed it is not`, async t => {
    const [first, second] = [await trainNetwork(data, options), await trainNetwork(data, options)];
    t.deepEqual(first, second);
    const other = await trainNetwork(data, {...options, epochs: 1, seed: 4});
    t.notDeepEqual(other.theta, (await trainNetwork(data, {...options, epochs: 1})).theta);
  });

  test(`a ${form} that goes on from a checkpoint ends with the same bytes`, async t => {
    const checkpoints: NetworkCheckpoint[] = [];
    const whole = await trainNetwork(data, options, checkpoint => {
      checkpoints.push(pass(checkpoint));
    });
    const steps = checkpoints.map(checkpoint => checkpoint.steps);
    t.true((steps[3] as number) > 3 * (steps[0] as number), `${steps}`);
    const resumed = await trainNetwork(data, options, undefined, checkpoints[1]);
    t.deepEqual(resumed, whole);
    t.deepEqual(pass(checkpoints[3]), checkpoints[3]);
  });
}

test('a checkpoint of a network of another size is refused', async t => {
  let checkpoint: NetworkCheckpoint | undefined;
  await trainNetwork(DATA, {...OPTIONS, epochs: 1}, given => {
    checkpoint = given;
  });
  await t.throwsAsync(trainNetwork(DATA, {...OPTIONS, hidden: 9}, undefined, checkpoint), {
    code: 'INVALID_ARGUMENT',
  });
});

test('training ends when the validation loss has stopped falling, and gives the best epoch', async t => {
  // Targets without any reason: what is learned of them is wrong elsewhere.
  const uniform = createUniform(1);
  const noise = (data: Sequences): Sequences => {
    const targets = new Float32Array(data.targets.length);
    for (let row = 0; row < data.weights.length; row++) {
      targets[row * RISK_CLASSES + Math.floor(RISK_CLASSES * uniform())] = 1;
    }
    return {...data, targets};
  };
  const data = {training: noise(drawSequences(4, 1)), validation: noise(drawSequences(4, 2))};
  const options = {...OPTIONS, epochs: 60, patience: 3, batchRows: 4, hidden: 16};
  let last: NetworkCheckpoint | undefined;
  const network = await trainNetwork(data, options, checkpoint => {
    last = checkpoint;
  });
  const losses = network.epochs.map(({validationLoss}) => validationLoss);
  const best = losses.indexOf(Math.min(...losses)) + 1;
  t.true(losses.length < 60, `${losses}`);
  t.is(losses.length, best + 3);
  t.deepEqual(network.theta, last?.best.theta);
});

test('the loss of the returned network is the one that was reported', async t => {
  const network = await trainNetwork(DATA, OPTIONS);
  const {weights, targets} = DATA.validation;
  const logits = await predictSequences(network, DATA.validation);
  let [loss, count] = [0, 0];
  for (const [row, weight] of weights.entries()) {
    if (weight === 0) continue;
    const told = logits.subarray(row * RISK_CLASSES, (row + 1) * RISK_CLASSES);
    const total = told.reduce((sum, logit) => sum + Math.exp(logit), 0);
    const index = targets.subarray(row * RISK_CLASSES, (row + 1) * RISK_CLASSES).indexOf(1);
    loss += Math.log(total) - (told[index] as number);
    count++;
  }
  const reported = Math.min(...network.epochs.map(({validationLoss}) => validationLoss));
  t.true(Math.abs(loss / count - reported) < 1e-5, `${loss / count}, ${reported}`);
});

test('quantiles of what can be known come near those of what is drawn', async t => {
  const uniform = createUniform(9);
  const draw = (): Sequences => {
    const rows = 4000;
    const features = Float32Array.from({length: rows}, () => 2 * uniform() - 1);
    return {
      columns: 1,
      features,
      starts: Uint32Array.from({length: 41}, (_, at) => (at * rows) / 40),
      targetColumns: 1,
      // The value one step before, and uniform noise in [−½, ½].
      targets: features.map((_, row) => (features[row - 1] ?? 0) + uniform() - 0.5),
      weights: new Float32Array(rows).fill(1),
    };
  };
  const task = {kind: 'quantiles', quantiles: [0.1, 0.5, 0.9]} as const;
  const data = {training: draw(), validation: draw()};
  const options = {...OPTIONS, task, hidden: 16, epochs: 40, patience: 40};
  const network = await trainNetwork(data, options);
  const told = await predictSequences(network, data.validation);
  const shares = task.quantiles.map((_, at) => {
    const below = data.validation.targets.filter(
      (value, row) => value < (told[row * 3 + at] as number),
    );
    return below.length / data.validation.targets.length;
  });
  for (const [at, quantile] of task.quantiles.entries()) {
    t.true(Math.abs((shares[at] as number) - quantile) < 0.04, `${shares}`);
  }
  const wide = told.reduce(
    (sum, value, at) => sum + (at % 3 === 2 ? value : at % 3 === 0 ? -value : 0),
    0,
  );
  t.true(wide / 4000 < 0.95, `${wide / 4000} apart; knowing nothing they are 1.1 apart`);
});

test('normalisation knows medians, quartiles, counters that are mostly 0, constants and gaps', t => {
  const uniform = createUniform(2);
  const rows = 20_000;
  const features = new Float32Array(rows * 5);
  for (let row = 0; row < rows; row++) {
    const outlier = uniform() < 0.01 ? 1e6 : 0;
    const counter = uniform() < 0.1 ? 10 : 0;
    const gap = uniform() < 0.5 ? Number.NaN : 4;
    features.set([100 + 8 * uniform() + outlier, counter, 7, gap, Number.NaN], row * 5);
  }
  const normalisation = fitNormalisation(features, 5);
  const {centre, scale, lowest, highest, twins} = normalisation;
  t.true(Math.abs((centre[0] as number) - 104) < 0.2);
  t.true(Math.abs((scale[0] as number) - 4 / 1.349) < 0.1);
  t.is(centre[1], 0);
  t.true(Math.abs((scale[1] as number) - 3) < 0.1, `${scale}`);
  t.deepEqual([...centre.subarray(2)], [7, 4, 0]);
  t.deepEqual([...scale.subarray(2)], [1, 1, 1]);
  t.deepEqual(twins, [3, 4]);
  const range = (column: number) => (100 + 8 * column - 104) / (scale[0] as number);
  t.true(Math.abs((lowest[0] as number) - range(0)) < 0.1, 'what was seen');
  t.is(highest[0], 10, 'but not an outlier');
  t.deepEqual([...lowest.subarray(2), ...highest.subarray(2)], [0, 0, 0, 0, 0, 0]);
  const strange = Float32Array.of(-1e9, 1e9, 1e9, 5, 1e9);
  t.deepEqual(
    [...normaliseRows(strange, normalisation)],
    [lowest[0], highest[1], 0, 0, 0, 0, 0],
    'nothing further than it was seen; a constant stays one',
  );
});

/** One feature that counts the rows, 100 for each sequence. */
function counting(lengths: readonly number[]): Sequences {
  const features = lengths.flatMap((length, sequence) =>
    Array.from({length}, (_, at) => 100 * (sequence + 1) + at),
  );
  let total = 0;
  return {
    columns: 1,
    features: Float32Array.from(features),
    starts: Uint32Array.from([0, ...lengths.map(length => (total += length))]),
    targetColumns: 1,
    targets: Float32Array.from(features),
    weights: new Float32Array(features.length).fill(1),
  };
}

function batchingOf(data: Sequences, steps: number, rows: number) {
  return {data, inputs: data.features, missing: Float32Array.of(-1), steps, rows};
}

test('a window ends with its sample, and what was before its sequence is missing', t => {
  const batching = batchingOf(counting([3, 4]), 3, 2);
  const seen: unknown[] = [];
  for (const {inputs, targets, weights, sources} of windowBatches(
    batching,
    Uint32Array.of(0, 5, 4),
  )) {
    seen.push({
      inputs: [...inputs],
      targets: [...targets],
      weights: [...weights],
      sources: [...sources],
    });
  }
  t.deepEqual(seen, [
    {inputs: [-1, 200, -1, 201, 100, 202], targets: [100, 202], weights: [1, 1], sources: [0, 5]},
    {inputs: [-1, 0, 200, 0, 201, 0], targets: [201, 0], weights: [1, 0], sources: [4, -1]},
  ]);
});

test('a stream takes each row once, in its order, and begins anew with each sequence', t => {
  const data = counting([5, 0, 2, 7, 1]);
  const batching = batchingOf(data, 3, 2);
  const lanes: number[][] = [[], []];
  const seen: number[] = [];
  for (const {inputs, sources, fresh} of streamBatches(batching, Uint32Array.of(3, 1, 0, 4, 2))) {
    for (let lane = 0; lane < 2; lane++) {
      if (fresh[lane] === 1) lanes[lane]?.push(-1);
      for (let step = 0; step < 3; step++) {
        const row = sources[step * 2 + lane] as number;
        if (row < 0) continue;
        t.is(inputs[step * 2 + lane], data.features[row]);
        lanes[lane]?.push(data.features[row] as number);
        seen.push(row);
      }
    }
  }
  t.deepEqual(
    seen.sort((a, b) => a - b),
    Array.from({length: 15}, (_, row) => row),
  );
  t.deepEqual(lanes, [
    [-1, 400, 401, 402, 403, 404, 405, 406, -1, 300, 301],
    [-1, 100, 101, 102, 103, 104, -1, 500],
  ]);
});

test('a stream with context that is not learned from still carries it', async t => {
  const blind = {...DATA.training, weights: DATA.training.weights.slice()};
  // No sample of the first two batches of any sequence counts.
  for (const start of blind.starts) blind.weights.fill(0, start, start + 40);
  const network = await trainNetwork({...DATA, training: blind}, {...OPTIONS, epochs: 2});
  t.true(network.theta.every(Number.isFinite));
  t.true(network.epochs.every(({trainingLoss}) => Number.isFinite(trainingLoss)));
});

const broken: Record<string, Partial<Sequences>> = {
  'lengths that contradict each other': {columns: SEQUENCE_COLUMNS + 1},
  'a row out of its sequence': {starts: Uint32Array.of(0, 10)},
  'sequences out of order': {starts: DATA.training.starts.toReversed()},
  'a negative weight': {weights: DATA.training.weights.with(5, -1)},
  'no weight at all': {weights: new Float32Array(DATA.training.weights.length)},
  'a target that is no number': {targets: DATA.training.targets.with(7, Number.NaN)},
  'targets that are no probabilities': {targets: DATA.training.targets.map(target => 2 * target)},
  'a single class': {
    targets: DATA.training.targets.map((_, at) => Number(at % RISK_CLASSES === 0)),
  },
  'features that are all missing': {
    features: new Float32Array(DATA.training.features.length).fill(Number.NaN),
  },
};

for (const [what, change] of Object.entries(broken)) {
  test(`data with ${what} are refused`, async t => {
    const training = {...DATA.training, ...change};
    await t.throwsAsync(trainNetwork({...DATA, training}, OPTIONS), {
      code: 'TRAINING_DATA_INVALID',
    });
  });
}

test('a feature that is always missing is no hindrance, infinities are none either', async t => {
  const spoil = (data: Sequences): Sequences => ({
    ...data,
    features: data.features.map((value, at) => {
      if (at % SEQUENCE_COLUMNS === 4) return Number.NaN;
      return at % 1001 === 0 ? Number.POSITIVE_INFINITY : value;
    }),
  });
  const data = {training: spoil(DATA.training), validation: spoil(DATA.validation)};
  const {epochs, normalisation} = await trainNetwork(data, {...OPTIONS, epochs: 1});
  t.true(normalisation.twins.includes(4));
  t.true(Number.isFinite(epochs[0]?.validationLoss));
  t.is(
    normaliseRows(data.training.features, normalisation).length,
    inputsOf(normalisation) * data.training.weights.length,
  );
});
