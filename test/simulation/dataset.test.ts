import test from 'ava';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import {FEATURE_COUNT, FEATURES} from '../../core/domain/features.ts';
import {HORIZON_SECONDS, simulateDataset} from '../../core/simulation/dataset.ts';

const options = {fleets: 4, minutesEach: 60, rowEverySeconds: 60};
const dataset = simulateDataset({...options, random: seededRandom('dataset')});

test('equal seeds give equal data sets, byte for byte', t => {
  const again = simulateDataset({...options, random: seededRandom('dataset')});
  t.is(again.rows, dataset.rows);
  t.deepEqual(Buffer.from(again.features.buffer), Buffer.from(dataset.features.buffer));
  t.deepEqual(again.labels, dataset.labels);
});

test('every row has its features, its labels and its group', t => {
  t.is(dataset.features.length, dataset.rows * FEATURE_COUNT);
  t.is(dataset.labels.length, dataset.rows * COMPONENTS.length);
  t.is(dataset.group.length, dataset.rows);
  t.true(dataset.rows > 0.9 * 4 * 24 * 60);
  t.is(new Set(dataset.group).size, 4 * 24);
});

test('a row is positive in exactly one component if the next failure is within the horizon', t => {
  let positives = 0;
  for (let row = 0; row < dataset.rows; row++) {
    const labels = dataset.labels.subarray(row * COMPONENTS.length, (row + 1) * COMPONENTS.length);
    const sum = labels.reduce((total, label) => total + label, 0);
    const near = (dataset.secondsToFailure[row] as number) <= HORIZON_SECONDS;
    if (sum !== (near ? 1 : 0)) t.fail(`row ${row} has ${sum} labels`);
    positives += sum;
  }
  t.true(positives > 0.03 * dataset.rows && positives < 0.3 * dataset.rows);
});

test('failures happen when the rows before them said so', t => {
  t.true(dataset.failures > 5);
  for (let row = 0; row < dataset.rows; row++) {
    const next = row + 1;
    if (dataset.group[row] !== dataset.group[next]) continue;
    const left = dataset.secondsToFailure[row] as number;
    const elapsed = (dataset.second[next] as number) - (dataset.second[row] as number);
    if (elapsed < left) continue;
    t.fail('a host lived on after its failure');
  }
});

test('rows carry the symptoms: corrected errors are higher before memory fails', t => {
  const column = FEATURES.findIndex(
    feature => feature.name === 'memory_corrected_errors_per_second.level',
  );
  const memory = COMPONENTS.indexOf('memory');
  const sums = {near: 0, nearRows: 0, far: 0, farRows: 0};
  for (let row = 0; row < dataset.rows; row++) {
    const value = dataset.features[row * FEATURE_COUNT + column] as number;
    if (Number.isNaN(value)) continue;
    const near =
      dataset.labels[row * COMPONENTS.length + memory] === 1 &&
      (dataset.secondsToFailure[row] as number) < 300;
    if (near) {
      sums.near += value;
      sums.nearRows++;
    } else if (dataset.secondsToFailure[row] === Number.POSITIVE_INFINITY) {
      sums.far += value;
      sums.farRows++;
    }
  }
  t.true(sums.near / sums.nearRows > 10 * (sums.far / sums.farRows));
});

test('some hosts lack sensors, and the rest have all of them', t => {
  const missing = (row: number) => {
    const features = dataset.features.subarray(row * FEATURE_COUNT, (row + 1) * FEATURE_COUNT);
    return features.some(Number.isNaN);
  };
  const rows = Array.from({length: dataset.rows}, (_, row) => row).filter(
    row => (dataset.second[row] as number) > 1800,
  );
  const share = rows.filter(missing).length / rows.length;
  t.true(share > 0.05 && share < 0.5, `${share} of the rows lack something`);
});
