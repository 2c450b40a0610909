import test from 'ava';
import {CAUSES, HORIZONS_MINUTES, RISK_OUTPUTS} from '../../core/domain/reboot-risks.ts';
import {RISK_CLASSES, RISK_SUMS, riskClass} from '../../models/network/competing-risks.ts';
import {predictSequences} from '../../models/network/evaluation.ts';
import {initialParameters, parameterShapes} from '../../models/network/lstm.ts';
import {type Network, type NetworkForm, outputsOf} from '../../models/network/network.ts';
import {encodeNetwork} from '../../models/network/network-onnx.ts';
import {openNetwork} from '../../models/network/network-session.ts';
import {inputsOf} from '../../models/network/normalisation.ts';
import {type Calibration, calibratedProbabilities} from '../../models/network/temperature.ts';
import {encodeGraph, matrixInfo} from '../../models/onnx-graph.ts';
import {createUniform} from '../../models/random.ts';
import fc from '../support/fast-check.ts';

const STEPS = 6;
const COLUMNS = 4;
const HIDDEN = 5;

function drawNetwork(form: NetworkForm, seed: number): Network {
  const uniform = createUniform(seed);
  const draw = (length: number, low: number, high: number) =>
    Float32Array.from({length}, () => low + (high - low) * uniform());
  const normalisation = {
    centre: draw(COLUMNS, -1, 1),
    scale: draw(COLUMNS, 0.1, 2),
    lowest: draw(COLUMNS, -10, -0.5),
    highest: draw(COLUMNS, 0.5, 10),
    twins: [1, 3],
  };
  const task = {kind: 'classes', classes: RISK_CLASSES} as const;
  const lstm = {inputs: inputsOf(normalisation), hidden: HIDDEN, outputs: outputsOf(task)};
  const theta = initialParameters(lstm, uniform).map(value => 2 * value);
  return {form, task, steps: STEPS, lstm, normalisation, theta};
}

function drawCalibration(seed: number): Calibration {
  const uniform = createUniform(seed);
  return {
    scale: Float32Array.from({length: RISK_CLASSES}, () => 0.5 + uniform()),
    offset: Float32Array.from({length: RISK_CLASSES}, () => uniform() - 0.5),
  };
}

/** Samples with gaps, and some that are far off or infinite. */
function drawSamples(count: number, seed: number): Float32Array {
  const uniform = createUniform(seed);
  return Float32Array.from({length: count * COLUMNS}, () => {
    const kind = uniform();
    if (kind < 0.2) return Number.NaN;
    if (kind < 0.25) return uniform() < 0.5 ? Number.POSITIVE_INFINITY : -1e20;
    return 4 * uniform() - 2;
  });
}

type Memory = {hidden: number[]; cell: number[]};

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** One step in plain arithmetic, from the definition. */
function stepOf(
  {lstm, normalisation, theta}: Network,
  sample: Float32Array,
  memory: Memory,
): Memory {
  const {centre, scale, lowest, highest, twins} = normalisation;
  const values = [...sample].map((value, at) => {
    const moved = (value - (centre[at] as number)) / (scale[at] as number);
    const bounded = Math.max(lowest[at] as number, Math.min(highest[at] as number, moved));
    return Number.isNaN(value) ? 0 : bounded;
  });
  const inputs = [...values, ...twins.map(at => Number(Number.isNaN(sample[at])))];
  const gates = 4 * lstm.hidden;
  const recurrent = lstm.inputs * gates;
  const bias = recurrent + lstm.hidden * gates;
  const sums = Array.from({length: gates}, (_, gate) => {
    let sum = theta[bias + gate] as number;
    for (const [at, value] of inputs.entries()) sum += value * (theta[at * gates + gate] as number);
    for (const [at, value] of memory.hidden.entries()) {
      sum += value * (theta[recurrent + at * gates + gate] as number);
    }
    return sum;
  });
  const [input, output, forget, candidate] = [0, 1, 2, 3].map(gate =>
    sums.slice(gate * lstm.hidden, (gate + 1) * lstm.hidden),
  ) as [number[], number[], number[], number[]];
  const cell = memory.cell.map(
    (old, at) =>
      sigmoid(forget[at] as number) * old +
      sigmoid(input[at] as number) * Math.tanh(candidate[at] as number),
  );
  const hidden = cell.map((value, at) => sigmoid(output[at] as number) * Math.tanh(value));
  return {hidden, cell};
}

function risksOf(network: Network, {hidden}: Memory, {scale, offset}: Calibration): number[] {
  const {theta, lstm} = network;
  const {head, headBias} = parameterShapes(lstm);
  const biasFrom = theta.length - (headBias[0] as number);
  const headFrom = biasFrom - (head[0] as number) * (head[1] as number);
  const logits = Array.from({length: lstm.outputs}, (_, index) => {
    const logit = hidden.reduce(
      (sum, value, at) => sum + value * (theta[headFrom + at * lstm.outputs + index] as number),
      theta[biasFrom + index] as number,
    );
    return (scale[index] as number) * logit + (offset[index] as number);
  });
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
  return RISK_OUTPUTS.map((_, output) =>
    logits.reduce(
      (sum, logit, index) => sum + (Math.exp(logit) / total) * (RISK_SUMS[index]?.[output] ?? 0),
      0,
    ),
  );
}

function isNear(found: Float32Array, wanted: readonly number[], tolerance = 1e-5): boolean {
  return (
    found.length === wanted.length &&
    wanted.every((value, at) => Math.abs((found[at] as number) - value) <= tolerance)
  );
}

const begin = (): Memory => ({
  hidden: new Array<number>(HIDDEN).fill(0),
  cell: new Array<number>(HIDDEN).fill(0),
});

const seeds = fc.nat(1e6);

test('a served window gives what plain arithmetic gives of raw features with gaps', async t => {
  await fc.assert(
    fc.asyncProperty(seeds, fc.integer({min: 1, max: 5}), async (seed, rows) => {
      const network = drawNetwork('window', seed);
      const calibration = drawCalibration(seed);
      const head = {outputs: RISK_OUTPUTS, sums: RISK_SUMS, calibration};
      const session = await openNetwork(encodeNetwork(network, head));
      const features = drawSamples(rows * STEPS, seed + 1);
      const risks = new Float32Array(rows * RISK_OUTPUTS.length);
      await session.run(rows, features, risks);
      await session.release();
      const wanted = Array.from({length: rows}, (_, row) => {
        let memory = begin();
        for (let step = row * STEPS; step < (row + 1) * STEPS; step++) {
          const sample = features.subarray(step * COLUMNS, (step + 1) * COLUMNS);
          memory = stepOf(network, sample, memory);
        }
        return risksOf(network, memory, calibration);
      });
      return isNear(risks, wanted.flat());
    }),
    {numRuns: 15},
  );
  t.pass();
});

test('a served stream gives what plain arithmetic gives, sample after sample', async t => {
  await fc.assert(
    fc.asyncProperty(seeds, fc.integer({min: 1, max: 3}), async (seed, rows) => {
      const network = drawNetwork('stream', seed);
      const calibration = drawCalibration(seed);
      const head = {outputs: RISK_OUTPUTS, sums: RISK_SUMS, calibration};
      const session = await openNetwork(encodeNetwork(network, head));
      const state = new Float32Array(rows * 2 * HIDDEN);
      const risks = new Float32Array(rows * RISK_OUTPUTS.length);
      let memories = Array.from({length: rows}, begin);
      for (let step = 0; step < 20; step++) {
        const features = drawSamples(rows, seed + step);
        await session.run(rows, features, risks, state);
        memories = memories.map((memory, row) =>
          stepOf(network, features.subarray(row * COLUMNS, (row + 1) * COLUMNS), memory),
        );
        const wanted = memories.flatMap(memory => risksOf(network, memory, calibration));
        if (!isNear(risks, wanted)) return false;
      }
      await session.release();
      return true;
    }),
    {numRuns: 10},
  );
  t.pass();
});

test('whole sequences get what the served graph says to them', async t => {
  const outputs = Array.from({length: RISK_CLASSES}, (_, at) => `class-${at}`);
  const lengths = [3, 17, 1, 40, 9];
  const starts = Uint32Array.from([0, 3, 20, 21, 61, 70]);
  const features = drawSamples(70, 5);
  for (const form of ['window', 'stream'] as const) {
    const network = drawNetwork(form, 6);
    const told = await predictSequences(network, {
      columns: COLUMNS,
      features,
      starts,
      targetColumns: RISK_CLASSES,
      targets: new Float32Array(70 * RISK_CLASSES).fill(1 / RISK_CLASSES),
      weights: new Float32Array(70).fill(1),
    });
    const calibration = drawCalibration(9);
    const wanted = calibratedProbabilities(told, calibration);
    const session = await openNetwork(encodeNetwork(network, {outputs, calibration}));
    const risks = new Float32Array(RISK_CLASSES);
    for (const [sequence, length] of lengths.entries()) {
      const state = new Float32Array(2 * HIDDEN);
      const first = starts[sequence] as number;
      for (let row = first; row < first + length; row++) {
        const window = new Float32Array(STEPS * COLUMNS).fill(Number.NaN);
        const from = Math.max(first, row - STEPS + 1);
        const seen = features.subarray(from * COLUMNS, (row + 1) * COLUMNS);
        window.set(seen, window.length - seen.length);
        const given =
          form === 'window' ? window : features.subarray(row * COLUMNS, (row + 1) * COLUMNS);
        await session.run(1, given, risks, state);
        const ours = wanted.subarray(row * RISK_CLASSES, (row + 1) * RISK_CLASSES);
        t.true(isNear(risks, [...ours]), `${form}, row ${row}`);
      }
    }
    await session.release();
  }
});

test('risks add up to 1 at each horizon, and no cause is less likely within a longer one', async t => {
  const network = drawNetwork('stream', 1);
  const head = {outputs: RISK_OUTPUTS, sums: RISK_SUMS};
  const scaled = {...network, theta: network.theta.map(value => 8 * value)};
  const session = await openNetwork(encodeNetwork(scaled, head));
  const rows = 500;
  const risks = new Float32Array(rows * RISK_OUTPUTS.length);
  await session.run(rows, drawSamples(rows, 2), risks, new Float32Array(rows * 2 * HIDDEN));
  const perHorizon = 1 + CAUSES.length;
  for (let row = 0; row < rows; row++) {
    const told = risks.subarray(row * RISK_OUTPUTS.length, (row + 1) * RISK_OUTPUTS.length);
    for (let horizon = 0; horizon < HORIZONS_MINUTES.length; horizon++) {
      const at = horizon * perHorizon;
      const sum = (told[at] as number) + (told[at + 1] as number) + (told[at + 2] as number);
      t.true(Math.abs(sum - 1) < 1e-6);
      for (const cause of horizon === 0 ? [] : [1, 2]) {
        t.true((told[at + cause] as number) >= (told[at + cause - perHorizon] as number) - 1e-7);
      }
    }
  }
});

test('a sample belongs to the interval in which its host goes down', t => {
  const classes = [0.2, 1, 1.5, 5, 6, 15, 29, 30, 31].map(minutes =>
    riskClass({minutes, cause: 'crash'}),
  );
  t.deepEqual(classes, [1, 1, 3, 3, 5, 5, 7, 7, 8]);
  t.is(riskClass({minutes: 1.5, cause: 'intentional'}), 2);
  t.is(riskClass(undefined), RISK_CLASSES - 1);
  t.deepEqual(RISK_OUTPUTS.slice(0, 4), ['normal-1m', 'intentional-1m', 'crash-1m', 'normal-5m']);
});

test('each class counts once a horizon, as its cause from its interval on', t => {
  const crashWithin5 = RISK_SUMS[riskClass({minutes: 3, cause: 'crash'})];
  t.deepEqual(crashWithin5, [1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1]);
  t.deepEqual(RISK_SUMS[riskClass(undefined)], [1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]);
});

test('quantiles are served as the head gives them', async t => {
  const drawn = drawNetwork('window', 3);
  const lstm = {...drawn.lstm, outputs: 2};
  const theta = initialParameters(lstm, createUniform(4));
  const task = {kind: 'quantiles', quantiles: [0.1, 0.9]} as const;
  const network: Network = {...drawn, lstm, theta, task};
  const session = await openNetwork(encodeNetwork(network, {outputs: ['q10', 'q90']}));
  const features = drawSamples(STEPS, 8);
  const told = new Float32Array(2);
  await session.run(1, features, told);
  const wanted = await predictSequences(network, {
    columns: COLUMNS,
    features,
    starts: Uint32Array.of(0, STEPS),
    targetColumns: 1,
    targets: new Float32Array(STEPS),
    weights: Float32Array.from({length: STEPS}, (_, row) => Number(row === STEPS - 1)),
  });
  t.true(isNear(told, [...wanted.subarray(-2)]));
});

test('equal networks give equal bytes, and say what they are', async t => {
  const head = {outputs: RISK_OUTPUTS, sums: RISK_SUMS};
  const bytes = encodeNetwork(drawNetwork('stream', 1), head, {seed: 1});
  t.deepEqual(encodeNetwork(drawNetwork('stream', 1), head, {seed: 1}), bytes);
  const {signature} = await openNetwork(bytes);
  t.deepEqual(signature, {
    form: 'stream',
    steps: STEPS,
    columns: COLUMNS,
    hidden: HIDDEN,
    outputs: [...RISK_OUTPUTS],
  });
});

test('an operator that the runtime does not know is refused', async t => {
  const bytes = encodeGraph({
    name: 'strange',
    nodes: [{opType: 'Presage', input: ['features'], output: ['risks']}],
    constants: [],
    inputs: [matrixInfo('features', 1)],
    outputs: [matrixInfo('risks', 1)],
    metadata: {form: 'window', steps: 1, columns: 1, hidden: 1, outputs: 'risk'},
  });
  await t.throwsAsync(openNetwork(bytes), {code: 'MODEL_UNREADABLE'});
});

test('another file is no network, and a stream wants a state', async t => {
  await t.throwsAsync(openNetwork(Uint8Array.of(1, 2, 3)), {code: 'MODEL_UNREADABLE'});
  await t.throwsAsync(openNetwork(new Uint8Array(0)), {code: 'MODEL_UNREADABLE'});
  const head = {outputs: RISK_OUTPUTS, sums: RISK_SUMS};
  const session = await openNetwork(encodeNetwork(drawNetwork('stream', 1), head));
  const risks = new Float32Array(RISK_OUTPUTS.length);
  const sample = drawSamples(1, 1);
  await t.throwsAsync(session.run(1, sample, risks), {code: 'INVALID_ARGUMENT'});
  await t.throwsAsync(session.run(1, sample, risks, new Float32Array(3)), {code: 'SCORER_FAILED'});
});
