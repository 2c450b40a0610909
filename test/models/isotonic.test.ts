import test from 'ava';
import * as ort from 'onnxruntime-node';
import {fitIsotonic, isotonicForest, isotonicRisk} from '../../models/isotonic.ts';
import {calibrationError, logLoss} from '../../models/metrics.ts';
import {createUniform} from '../../models/random.ts';
import {marginOf} from '../../models/trees/forest.ts';
import {encodeOnnx, INPUT, OUTPUT} from '../../models/trees/tree-onnx.ts';
import fc from '../support/fast-check.ts';

/** Least squares among rising functions, from its definition: the greatest of means over intervals. */
function minimax(margins: number[], labels: number[], margin: number): number {
  const places = [...new Set(margins)].sort((a, b) => a - b);
  const meanOf = (from: number, to: number) => {
    const inside = labels.filter(
      (_, row) => (margins[row] as number) >= from && (margins[row] as number) <= to,
    );
    return inside.reduce((sum, label) => sum + label, 0) / inside.length;
  };
  const starts = places.filter(place => place <= margin);
  const ends = places.filter(place => place >= margin);
  return Math.max(...starts.map(from => Math.min(...ends.map(to => meanOf(from, to)))));
}

test('the steps are those of least squares among all rising functions', t => {
  const row = fc.tuple(fc.integer({min: -6, max: 6}), fc.integer({min: 0, max: 1}));
  fc.assert(
    fc.property(fc.array(row, {minLength: 1, maxLength: 25}), rows => {
      const margins = rows.map(([margin]) => margin / 2);
      const labels = rows.map(([, label]) => label);
      const steps = fitIsotonic(Float64Array.from(margins), Uint8Array.from(labels));
      const positives = labels.reduce((sum, label) => sum + label, 0);
      const least = 1 / (labels.length - positives + 2);
      const most = (positives + 1) / (positives + 2);
      return margins.every(margin => {
        const wanted = Math.min(Math.max(minimax(margins, labels, margin), least), most);
        return Math.abs(isotonicRisk(steps, margin) - wanted) < 1e-6;
      });
    }),
    {numRuns: 300},
  );
  t.pass();
});

test('a crooked risk becomes calibrated, and never falls while the margin rises', t => {
  const random = createUniform(3);
  const draw = (rows: number) => {
    const margins = Float64Array.from({length: rows}, () => 6 * random() - 3);
    const labels = Uint8Array.from(margins, margin =>
      random() < (margin > 1 ? 0.8 : margin > -1 ? 0.3 : 0.02) ? 1 : 0,
    );
    return {margins, labels};
  };
  const past = draw(20_000);
  const steps = fitIsotonic(past.margins, past.labels);
  const {margins, labels} = draw(20_000);
  const risks = Float64Array.from(margins, margin => isotonicRisk(steps, margin));
  const plain = Float64Array.from(margins, margin => 1 / (1 + Math.exp(-margin)));
  t.true(calibrationError(risks, labels) < 0.015);
  t.true(logLoss(risks, labels) < logLoss(plain, labels) - 0.02);
  for (const [step, risk] of steps.risks.entries()) {
    if (step > 0) t.true(risk > (steps.risks[step - 1] as number));
  }
});

test('rows of one class, or none, give one risk that is neither 0 nor 1', t => {
  const none = fitIsotonic(new Float64Array(), new Uint8Array());
  t.is(isotonicRisk(none, 3), 0.5);
  for (const label of [0, 1]) {
    const steps = fitIsotonic(Float64Array.of(1, 2, 3), Uint8Array.of(label, label, label));
    t.is(steps.risks.length, 1);
    t.true(Math.abs(isotonicRisk(steps, 9) - (label === 1 ? 0.8 : 0.2)) < 1e-6);
  }
});

test('as one tree of a graph the steps are the same, on thresholds too', async t => {
  const random = createUniform(4);
  const margins = Float64Array.from({length: 3000}, () => 6 * random() - 3);
  const labels = Uint8Array.from(margins, margin => (random() < (margin + 3) / 6 ? 1 : 0));
  const steps = fitIsotonic(margins, labels);
  const forest = isotonicForest(steps);
  t.true(steps.thresholds.length > 10);
  const asked = Float32Array.from([...steps.thresholds, ...margins.slice(0, 500), -99, 99]);
  const wanted = Array.from(asked, margin => isotonicRisk(steps, margin));
  t.deepEqual(
    Array.from(asked.keys(), row => marginOf(forest, asked, row)),
    wanted,
  );
  const model = {
    ...{featureCount: 1, forests: [forest], link: 'probability' as const},
    ...{slopes: Float32Array.of(1), offsets: Float32Array.of(0)},
  };
  const metadata = {
    ...{name: 'steps', featureHash: 1, components: ['a'], requiredMetrics: [], seed: 1},
    data: 'drawn',
  };
  const session = await ort.InferenceSession.create(encodeOnnx(model, metadata));
  const input = new ort.Tensor('float32', asked, [asked.length, 1]);
  const risks = (await session.run({[INPUT]: input}))[OUTPUT]?.data as Float32Array;
  await session.release();
  t.deepEqual([...risks], wanted);
});
