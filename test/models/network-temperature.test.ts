import test from 'ava';
import {
  calibratedProbabilities,
  fitCalibration,
  identityCalibration,
} from '../../models/network/temperature.ts';
import {createUniform} from '../../models/random.ts';

const CLASSES = 3;

/** Logits, and labels drawn from softmax(scale · logit + offset). */
function draw(rows: number, scale: readonly number[], offset: readonly number[]) {
  const uniform = createUniform(3);
  const logits = Float32Array.from({length: rows * CLASSES}, () => 6 * uniform() - 3);
  const calibration = {scale: Float32Array.from(scale), offset: Float32Array.from(offset)};
  const risks = calibratedProbabilities(logits, calibration);
  const targets = new Float32Array(rows * CLASSES);
  for (let row = 0; row < rows; row++) {
    let left = uniform();
    let index = 0;
    while (index < CLASSES - 1 && left >= (risks[row * CLASSES + index] as number)) {
      left -= risks[row * CLASSES + index++] as number;
    }
    targets[row * CLASSES + index] = 1;
  }
  return {logits, targets, weights: new Float32Array(rows).fill(1)};
}

test('the temperature that made the labels is found again', t => {
  const {logits, targets, weights} = draw(20_000, [0.4, 0.4, 0.4], [0, 0, 0]);
  const {scale, offset} = fitCalibration('temperature', CLASSES, logits, targets, weights);
  for (const value of scale) t.true(Math.abs(value - 0.4) < 0.02, `${scale}`);
  t.deepEqual([...offset], [0, 0, 0]);
});

test('scales and offsets that made the labels are found again, up to a common offset', t => {
  const {logits, targets, weights} = draw(40_000, [0.5, 1, 1.5], [0, 1, -1]);
  const {scale, offset} = fitCalibration('vector', CLASSES, logits, targets, weights);
  for (const [at, wanted] of [0.5, 1, 1.5].entries()) {
    t.true(Math.abs((scale[at] as number) - wanted) < 0.05, `${scale}`);
  }
  const [first = 0, second = 0, third = 0] = offset;
  t.true(Math.abs(second - first - 1) < 0.07, `${offset}`);
  t.true(Math.abs(third - first + 1) < 0.07, `${offset}`);
});

test('rows without logits and rows of weight 0 are left out', t => {
  const {logits, targets, weights} = draw(3000, [0.5, 0.5, 0.5], [0, 0, 0]);
  const clean = fitCalibration('vector', CLASSES, logits, targets, weights);
  const more = draw(3000, [3, 3, 3], [0, 0, 0]);
  const spoiled = fitCalibration(
    'vector',
    CLASSES,
    Float32Array.from([...logits, Number.NaN, 1, 2, ...more.logits]),
    Float32Array.from([...targets, 1, 0, 0, ...more.targets]),
    Float32Array.from([...weights, 1, ...more.weights.fill(0)]),
  );
  t.deepEqual(spoiled, clean);
});

test('few rows hardly move a calibration, and one class alone keeps it finite', t => {
  const few = draw(3, [0.1, 0.1, 0.1], [0, 0, 0]);
  const {scale} = fitCalibration('vector', CLASSES, few.logits, few.targets, few.weights);
  for (const value of scale) t.true(Math.abs(value - 1) < 0.5, `${scale}`);
  const {logits, weights} = draw(500, [1, 1, 1], [0, 0, 0]);
  const one = Float32Array.from({length: 1500}, (_, at) => Number(at % CLASSES === 0));
  const found = fitCalibration('vector', CLASSES, logits, one, weights);
  t.true([...found.scale, ...found.offset].every(Number.isFinite));
});

test('a slice without rows is refused', t => {
  const {logits, targets} = draw(3, [1, 1, 1], [0, 0, 0]);
  t.throws(() => fitCalibration('temperature', CLASSES, logits, targets, new Float32Array(3)), {
    code: 'TRAINING_DATA_INVALID',
  });
});

test('probabilities of far apart logits are finite and add up to 1', t => {
  const risks = calibratedProbabilities(Float32Array.of(500, -500, 0), identityCalibration(3));
  t.deepEqual([...risks], [1, 0, 0]);
});
