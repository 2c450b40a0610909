import test from 'ava';
import {fitPlatt} from '../../models/platt.ts';
import {createUniform} from '../../models/random.ts';
import {sigmoid} from '../../models/trees/forest.ts';

test('the calibration that made the labels is found again', t => {
  const random = createUniform(5);
  const margins = Float64Array.from({length: 50_000}, () => 6 * random() - 4);
  const labels = Uint8Array.from(margins, margin => (random() < sigmoid(0.6 * margin - 1) ? 1 : 0));
  const {slope, offset} = fitPlatt(margins, labels);
  t.true(Math.abs(slope - 0.6) < 0.03, `slope ${slope}`);
  t.true(Math.abs(offset + 1) < 0.05, `offset ${offset}`);
});

test('a slice of one class leaves the margins as they are', t => {
  t.deepEqual(fitPlatt(Float64Array.of(1, 2), Uint8Array.of(0, 0)), {slope: 1, offset: 0});
});

test('classes that margins separate get a finite calibration', t => {
  const {slope, offset} = fitPlatt(Float64Array.of(-2, -1, 1, 2), Uint8Array.of(0, 0, 1, 1));
  t.true(slope > 0 && Number.isFinite(slope) && Math.abs(offset) < 1e-6);
});

test('margins that are all alike give the base rate', t => {
  const {slope, offset} = fitPlatt(
    new Float64Array(100).fill(-3),
    Uint8Array.from({length: 100}, (_, row) => (row < 10 ? 1 : 0)),
  );
  t.true(Math.abs(sigmoid(-3 * slope + offset) - 0.1) < 0.02);
});
