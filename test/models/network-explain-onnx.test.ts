import test from 'ava';
import {EXPLANATION} from '../../core/domain/intent-manifest.ts';
import {openExplainer} from '../../models/network/attributions.ts';
import {encodeExplanation} from '../../models/network/explain-onnx.ts';
import {initialParameters} from '../../models/network/lstm.ts';
import type {Network} from '../../models/network/network.ts';
import {plainNormalisation} from '../../models/network/normalisation.ts';
import {emptyFloats, openRunner} from '../../models/network/runtime.ts';
import {createUniform} from '../../models/random.ts';
import fc from '../support/fast-check.ts';

const STEPS = 8;
const COLUMNS = 3;
const CLASSES = 4;
const HEAD = {
  outputs: ['none', 'soon', 'late'],
  sums: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 1, 1],
    [0, 0, 1],
  ],
  calibration: {
    scale: Float32Array.of(0.5, 1, 2, 1),
    offset: Float32Array.of(1, 0, -1, 0),
  },
};

function drawNetwork(seed: number, twins: readonly number[]): Network {
  const normalisation = {
    ...plainNormalisation(COLUMNS),
    centre: Float32Array.of(5, 0, -3),
    scale: Float32Array.of(2, 1, 0.5),
    lowest: Float32Array.of(-3, -10, -10),
    highest: Float32Array.of(1.5, 10, 4),
    twins,
  };
  const lstm = {inputs: COLUMNS + twins.length, hidden: 6, outputs: CLASSES};
  const theta = initialParameters(lstm, createUniform(seed)).map(value => 2 * value);
  const task = {kind: 'classes', classes: CLASSES} as const;
  return {form: 'stream', task, steps: STEPS, lstm, normalisation, theta};
}

function drawSamples(seed: number): Float32Array {
  const uniform = createUniform(seed);
  return Float32Array.from({length: STEPS * COLUMNS}, () =>
    uniform() < 0.2 ? Number.NaN : 30 * uniform() - 15,
  );
}

async function explainByGraph(network: Network, samples: Float32Array, output: number) {
  const runner = await openRunner(encodeExplanation(network, HEAD, {steps: STEPS}), 'explain');
  const found = {
    [EXPLANATION.parts]: emptyFloats([COLUMNS]),
    [EXPLANATION.risk]: emptyFloats([1]),
    [EXPLANATION.usual]: emptyFloats([1]),
    [EXPLANATION.residual]: emptyFloats([1]),
  };
  const picked = Float32Array.from(HEAD.outputs, (_, at) => Number(at === output));
  await runner.run(
    {
      [EXPLANATION.samples]: {values: samples, shape: [STEPS, COLUMNS]},
      [EXPLANATION.picked]: {values: picked, shape: [HEAD.outputs.length, 1]},
    },
    found,
  );
  await runner.release();
  return Object.fromEntries(Object.entries(found).map(([name, {values}]) => [name, values]));
}

for (const twins of [[], [1], [2, 0]]) {
  test(`the file explains as the explainer does, with ${twins.length} missing-twins`, async t => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.nat(2), async (seed, output) => {
        const network = drawNetwork(seed, twins);
        const samples = drawSamples(seed + 1);
        const explainer = await openExplainer(network, HEAD.calibration);
        const expected = await explainer.explain(
          samples,
          HEAD.sums.map(sums => sums[output] as number),
        );
        await explainer.release();
        const {parts, risk, usual, residual} = await explainByGraph(network, samples, output);
        let sum = 0;
        for (let column = 0; column < COLUMNS; column++) {
          let wanted = 0;
          for (let at = column; at < expected.parts.length; at += COLUMNS) {
            wanted += expected.parts[at] as number;
          }
          const part = parts?.[column] as number;
          t.true(Math.abs(part - wanted) < 1e-4, `column ${column}: ${part}, not ${wanted}`);
          sum += part;
        }
        const [told = Number.NaN] = risk ?? [];
        const [least = Number.NaN] = usual ?? [];
        t.true(Math.abs(told - expected.risk) < 1e-5);
        t.true(Math.abs(least - expected.usual) < 1e-5);
        t.true(Math.abs(least + sum + (residual?.[0] as number) - told) < 1e-5, 'complete');
      }),
      {numRuns: 6},
    );
  });
}

test('equal networks give equal bytes', t => {
  const [one, other] = [drawNetwork(1, [1]), drawNetwork(1, [1])].map(network =>
    Buffer.from(encodeExplanation(network, HEAD, {steps: STEPS})).toString('base64'),
  );
  t.is(one, other);
});
