import test from 'ava';
import {
  climbPosterior,
  diagonal,
  type LabelledRows,
  logPosterior,
  slopeAndCurvature,
  solveSymmetric,
} from '../../core/domain/logistic-posterior.ts';
import {
  createOnlineLogistic,
  explainRow,
  type Learning,
  learn,
  type OnlineLogistic,
  risksOf,
} from '../../core/domain/online-logistic.ts';
import {createUniform} from '../../models/random.ts';
import fc from '../support/fast-check.ts';

const WEEK_MS = 7 * 86_400_000;
const NO_FADING: Learning = {share: 1, halfLifeMs: Number.POSITIVE_INFINITY, steps: 25};

/** Rows of two inputs and a constant whose labels are drawn with these weights. */
function draw(seed: number, rows: number, weights: readonly number[]): LabelledRows {
  const random = createUniform(seed);
  const inputs = new Float64Array(rows * 3);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const line = [2 * random() - 1, 4 * random() - 2, 1];
    inputs.set(line, row * 3);
    const z = line.reduce((sum, input, i) => sum + input * (weights[i] as number), 0);
    labels[row] = random() < 1 / (1 + Math.exp(-z)) ? 1 : 0;
  }
  return {rows, inputs, labels};
}

function slice({inputs, labels}: LabelledRows, from: number, to: number): LabelledRows {
  return {
    rows: to - from,
    inputs: inputs.slice(from * 3, to * 3),
    labels: labels.slice(from, to),
  };
}

const close = (a: number, b: number, tolerance: number) =>
  Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));

test('slope and curvature are the finite differences of the log posterior', t => {
  const value = fc.double({min: -2, max: 2, noNaN: true});
  fc.assert(
    fc.property(
      fc.array(value, {minLength: 3, maxLength: 3}),
      fc.array(value, {minLength: 3, maxLength: 3}),
      fc.integer({min: 0, max: 1000}),
      (at, mean, seed) => {
        const weights = Float64Array.from(at);
        const batches = [{...draw(seed, 7, [1, -1, 0]), weight: 0.4}, draw(seed + 1, 5, [0, 0, 0])];
        const precision = Float64Array.of(2, 0.5, 0, 0.5, 1, 0.2, 0, 0.2, 3);
        const prior = {mean: Float64Array.from(mean), precision};
        const shifted = (i: number, by: number) =>
          weights.map((weight, j) => (i === j ? weight + by : weight));
        const {slope, curvature} = slopeAndCurvature(weights, batches, prior, 0.7);
        const step = 1e-5;
        for (let i = 0; i < 3; i++) {
          const rise =
            logPosterior(shifted(i, step), batches, prior, 0.7) -
            logPosterior(shifted(i, -step), batches, prior, 0.7);
          if (!close(rise / (2 * step), slope[i] as number, 1e-6)) return false;
          const above = slopeAndCurvature(shifted(i, step), batches, prior, 0.7).slope;
          const below = slopeAndCurvature(shifted(i, -step), batches, prior, 0.7).slope;
          for (let j = 0; j < 3; j++) {
            const bend = -((above[j] as number) - (below[j] as number)) / (2 * step);
            if (!close(bend, curvature[i * 3 + j] as number, 1e-6)) return false;
          }
        }
        return true;
      },
    ),
    {numRuns: 50},
  );
  t.pass();
});

test('the O-rings of the space shuttle give the estimates that were published for them', t => {
  // S. R. Dalal, E. B. Fowlkes, B. Hoadley, "Risk analysis of the space shuttle", JASA 84, 1989:
  // any distress by joint temperature in °F; maximum likelihood 15.043 and −0.2322, standard
  // errors 7.379 and 0.1082.
  const temperatures = [
    66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58,
  ];
  const labels = Uint8Array.of(
    ...[0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1],
  );
  const inputs = Float64Array.from(temperatures.flatMap(fahrenheit => [fahrenheit, 1]));
  const batches = [{rows: 23, inputs, labels}];
  const prior = {
    mean: new Float64Array(2),
    precision: diagonal(Float64Array.of(1e-12, 1e-12)),
  };
  const weights = climbPosterior(new Float64Array(2), batches, prior);
  t.true(close(weights[1] as number, 15.043, 1e-4), `${weights}`);
  t.true(close(weights[0] as number, -0.2322, 1e-4), `${weights}`);
  const {curvature} = slopeAndCurvature(weights, batches, prior);
  const errors = [0, 1].map(i => {
    const unit = Float64Array.from([0, 1], j => (i === j ? 1 : 0));
    return Math.sqrt(solveSymmetric(curvature, unit)[i] as number);
  });
  t.true(close(errors[0] as number, 0.1082, 1e-3) && close(errors[1] as number, 7.379, 1e-3));
});

test('a first step that leads too far is halved until it leads up', t => {
  // From far outside, a full Newton step on saturated rows diverges.
  const batch = draw(3, 200, [2, -1, 0.5]);
  const prior = {mean: new Float64Array(3), precision: diagonal(new Float64Array(3).fill(0.01))};
  const near = climbPosterior(new Float64Array(3), [batch], prior);
  const far = climbPosterior(Float64Array.of(15, 15, -15), [batch], prior, {steps: 100});
  t.true(
    near.every((weight, i) => close(far[i] as number, weight, 1e-3)),
    `${near} ${far}`,
  );
});

test('outcomes week by week teach what they teach taken together', t => {
  const truth = [0.8, -0.5, -1];
  const all = draw(7, 4000, truth);
  const precision = new Float64Array(3).fill(4);
  const prior = new Float64Array(3);
  const together = climbPosterior(prior, [all], {mean: prior, precision: diagonal(precision)});
  const layer = createOnlineLogistic(prior, precision);
  for (let week = 0; week < 100; week++) {
    learn(layer, week * WEEK_MS, slice(all, week * 40, week * 40 + 40), NO_FADING);
  }
  const {curvature} = slopeAndCurvature(together, [all], {
    mean: prior,
    precision: diagonal(precision),
  });
  for (let i = 0; i < 3; i++) {
    const deviation = 1 / Math.sqrt(curvature[i * 4] as number);
    const difference = Math.abs((layer.weights[i] as number) - (together[i] as number));
    t.true(difference < deviation / 2, `weight ${i}: ${difference} with deviation ${deviation}`);
    t.true(Math.abs((layer.weights[i] as number) - (truth[i] as number)) < 4 * deviation);
  }
});

test('a share of the likelihood is as many fewer rows', t => {
  const batch = draw(11, 300, [1, 0, -1]);
  const twice = {
    rows: 600,
    inputs: Float64Array.of(...batch.inputs, ...batch.inputs),
    labels: Uint8Array.of(...batch.labels, ...batch.labels),
  };
  const fresh = () => createOnlineLogistic(new Float64Array(3), new Float64Array(3).fill(5));
  const [one, half] = [fresh(), fresh()];
  learn(one, 0, batch, NO_FADING);
  learn(half, 0, twice, {...NO_FADING, share: 0.5});
  t.true(one.weights.every((weight, i) => close(weight, half.weights[i] as number, 1e-9)));
});

test('what was learned fades: in time the layer is the prior again', t => {
  const prior = Float64Array.of(0.5, 0.2, -2);
  const layer = createOnlineLogistic(prior, new Float64Array(3).fill(30));
  t.deepEqual(layer.weights, prior);
  const learning = {share: 0.5, halfLifeMs: 10 * WEEK_MS, steps: 3};
  const none = {rows: 0, inputs: new Float64Array(0), labels: new Uint8Array(0)};
  learn(layer, 0, draw(5, 500, [3, -2, 1]), learning);
  const distance = () =>
    Math.max(...layer.weights.map((weight, i) => Math.abs(weight - (prior[i] as number))));
  const learned = distance();
  t.true(learned > 0.5, `${learned}`);
  learn(layer, 10 * WEEK_MS, none, learning);
  const faded = distance();
  t.true(faded < learned && faded > learned / 4, `${learned} ${faded}`);
  learn(layer, 400 * WEEK_MS, none, learning);
  t.true(distance() < 1e-6, `${distance()}`);
});

test('it finds the rate of a cell that fails ten times as often as others', t => {
  const prior = Float64Array.of(0, 0, Math.log(0.01 / 0.99));
  const layer = createOnlineLogistic(prior, Float64Array.of(30, 30, 3));
  for (let week = 0; week < 60; week++) {
    const batch = draw(100 + week, 50, [0, 0, Math.log(0.1 / 0.9)]);
    learn(layer, week * WEEK_MS, batch, {share: 0.5, halfLifeMs: 34 * WEEK_MS, steps: 3});
  }
  const [risk] = risksOf(layer, Float64Array.of(0, 0, 1));
  t.true((risk as number) > 0.06 && (risk as number) < 0.14, `${risk}`);
});

test('a layer that was stored goes on as one that was not, to the byte', t => {
  const learning = {share: 0.5, halfLifeMs: 5 * WEEK_MS, steps: 3};
  const weekly = (layer: OnlineLogistic, week: number) =>
    learn(layer, week * WEEK_MS, draw(week, 20, [1, 1, -1]), learning);
  const straight = createOnlineLogistic(new Float64Array(3), new Float64Array(3).fill(10));
  let stored = createOnlineLogistic(new Float64Array(3), new Float64Array(3).fill(10));
  for (let week = 0; week < 20; week++) {
    weekly(straight, week);
    weekly(stored, week);
    stored = structuredClone(stored);
  }
  t.deepEqual(stored, straight);
});

test('contributions sum up to the log-odds; only what was learned here is told as such', t => {
  const layer = createOnlineLogistic(Float64Array.of(1, -1, -2), new Float64Array(3).fill(10));
  const inputs = Float64Array.of(9, 9, 9, 0.5, -0.25, 1);
  t.true(explainRow(layer, inputs, 1).every(({learnedHere}) => learnedHere === 0));
  learn(layer, 0, draw(1, 200, [2, 0, -1]), NO_FADING);
  const parts = explainRow(layer, inputs, 1);
  const sum = parts.reduce((total, part) => total + part.total, 0);
  const risk = risksOf(layer, inputs)[1] as number;
  t.true(close(sum, Math.log(risk / (1 - risk)), 1e-9));
  for (const [i, {total, learnedHere}] of parts.entries()) {
    const before = ([1, -1, -2][i] as number) * (inputs[3 + i] as number);
    t.true(close(total - learnedHere, before, 1e-12));
    t.not(learnedHere, 0);
  }
});

test('outcomes of inputs that are no numbers are refused and change nothing', t => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const layer = createOnlineLogistic(new Float64Array(3), new Float64Array(3).fill(10));
    learn(layer, 0, draw(1, 50, [1, 0, 0]), NO_FADING);
    const before = structuredClone(layer);
    const batch = draw(2, 50, [1, 0, 0]);
    batch.inputs[4] = bad;
    t.false(learn(layer, WEEK_MS, batch, NO_FADING));
    t.deepEqual(layer, before);
  }
});

test('weeks of one class only keep every weight finite', t => {
  for (const label of [0, 1]) {
    const layer = createOnlineLogistic(new Float64Array(3), Float64Array.of(30, 30, 3));
    for (let week = 0; week < 200; week++) {
      const {rows, inputs} = draw(week, 30, [0, 0, 0]);
      const labels = new Uint8Array(rows).fill(label);
      const learning = {share: 0.5, halfLifeMs: 34 * WEEK_MS, steps: 3};
      t.true(learn(layer, week * WEEK_MS, {rows, inputs, labels}, learning));
    }
    const [risk] = risksOf(layer, Float64Array.of(0, 0, 1));
    t.true(Math.abs((risk as number) - label) < 0.02, `${risk} of ${label}`);
  }
});
