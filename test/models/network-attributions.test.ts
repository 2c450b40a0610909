import test from 'ava';
import {openExplainer} from '../../models/network/attributions.ts';
import {initialParameters} from '../../models/network/lstm.ts';
import type {Network} from '../../models/network/network.ts';
import {encodeNetwork} from '../../models/network/network-onnx.ts';
import {openNetwork} from '../../models/network/network-session.ts';
import {plainNormalisation} from '../../models/network/normalisation.ts';
import {createUniform} from '../../models/random.ts';
import fc from '../support/fast-check.ts';

const STEPS = 8;
const COLUMNS = 3;
const CLASSES = 4;

/** A network that hardly looks at its third feature's value. */
function drawNetwork(seed: number): Network {
  const uniform = createUniform(seed);
  const normalisation = {
    ...plainNormalisation(COLUMNS),
    centre: Float32Array.of(5, 0, -3),
    scale: Float32Array.of(2, 1, 0.5),
    twins: [1],
  };
  const lstm = {inputs: 4, hidden: 6, outputs: CLASSES};
  const theta = initialParameters(lstm, uniform).map(value => 2 * value);
  theta.fill(0, 2 * 4 * lstm.hidden, 3 * 4 * lstm.hidden);
  const task = {kind: 'classes', classes: CLASSES} as const;
  return {form: 'window', task, steps: STEPS, lstm, normalisation, theta};
}

function drawSamples(seed: number): Float32Array {
  const uniform = createUniform(seed);
  return Float32Array.from({length: STEPS * COLUMNS}, (_, at) =>
    at % COLUMNS === 1 && uniform() < 0.3 ? Number.NaN : 8 * uniform() - 2,
  );
}

const picked = [0, 1, 1, 0];

test('the parts add up to what the risk is above that of a usual host', async t => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1e6), async seed => {
      const explainer = await openExplainer(drawNetwork(seed));
      const {parts, risk, usual, residual} = await explainer.explain(drawSamples(seed + 1), picked);
      await explainer.release();
      const sum = parts.reduce((total, part) => total + part, 0);
      const tolerance = 2e-3;
      t.true(Math.abs(residual) < tolerance, `residual ${residual} of ${risk} from ${usual}`);
      return Math.abs(usual + sum + residual - risk) < 1e-5;
    }),
    {numRuns: 8},
  );
});

test('more points miss less', async t => {
  const network = drawNetwork(4);
  const residuals: number[] = [];
  for (const points of [2, 128]) {
    const explainer = await openExplainer(network, undefined, points);
    let missed = 0;
    for (let seed = 0; seed < 5; seed++) {
      missed += Math.abs((await explainer.explain(drawSamples(seed), picked)).residual);
    }
    residuals.push(missed);
  }
  const [few = 0, many = 0] = residuals;
  t.true(many < few / 20, `${residuals}`);
});

test('what the network does not look at, and what is as usual, has no part', async t => {
  const explainer = await openExplainer(drawNetwork(2));
  const samples = drawSamples(3);
  for (let step = 0; step < STEPS; step++) samples[step * COLUMNS] = 5;
  samples[1] = 4;
  const {parts} = await explainer.explain(samples, picked);
  for (const [at, part] of parts.entries()) {
    t.is(part === 0, at % COLUMNS !== 1, `feature ${at % COLUMNS}`);
  }
});

test('what a host has never had is no reason; what goes missing is one', async t => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1e6), fc.nat(STEPS), async (seed, thereFrom) => {
      const explainer = await openExplainer(drawNetwork(seed));
      const samples = drawSamples(seed + 1);
      const partsOf = async (isMissing: (step: number) => boolean) => {
        for (let step = 0; step < STEPS; step++) {
          // Where it is there, it is as usual: only its being there can have a part.
          samples[step * COLUMNS + 1] = isMissing(step) ? Number.NaN : 0;
        }
        const {parts, risk, usual, residual} = await explainer.explain(samples, picked);
        const sum = parts.reduce((total, part) => total + part, 0);
        t.true(Math.abs(usual + sum + residual - risk) < 1e-5, 'complete');
        return parts.filter((_, at) => at % COLUMNS === 1);
      };
      const appeared = await partsOf(step => step < thereFrom);
      t.true(appeared.every(part => part === 0));
      const vanished = await partsOf(step => step >= Math.max(1, thereFrom));
      t.deepEqual(
        [...vanished].map(part => part !== 0),
        Array.from({length: STEPS}, (_, step) => step >= Math.max(1, thereFrom)),
      );
      await explainer.release();
    }),
    {numRuns: 8},
  );
});

test('the risk that is explained is the one that is served, calibrated', async t => {
  const network = drawNetwork(7);
  const calibration = {
    scale: Float32Array.of(0.5, 1, 2, 1),
    offset: Float32Array.of(1, 0, -1, 0),
  };
  const sums = picked.map(weight => [weight]);
  const session = await openNetwork(encodeNetwork(network, {outputs: ['risk'], sums, calibration}));
  const explainer = await openExplainer(network, calibration);
  const [samples, risks] = [drawSamples(9), new Float32Array(1)];
  await session.run(1, samples, risks);
  const {risk, usual} = await explainer.explain(samples, picked);
  t.true(Math.abs(risk - (risks[0] as number)) < 1e-6);
  const plain = Float32Array.from({length: STEPS * COLUMNS}, (_, at) => {
    const isNeverThere = !samples.some(
      (value, other) => other <= at && (at - other) % COLUMNS === 0 && !Number.isNaN(value),
    );
    return isNeverThere ? Number.NaN : (network.normalisation.centre[at % COLUMNS] as number);
  });
  await session.run(1, plain, risks);
  t.true(Math.abs(usual - (risks[0] as number)) < 1e-6);
});
