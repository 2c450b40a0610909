import test from 'ava';
import {COMPONENTS} from '../../core/domain/components.ts';
import {FEATURE_COUNT, FEATURES, FIRST_HOST_CONTRACT} from '../../core/domain/features.ts';
import {
  type FailureData,
  maskSensors,
  medianFeatures,
  sliceData,
} from '../../models/failure/data.ts';
import {evaluateFailures} from '../../models/failure/evaluation.ts';
import {COMPONENT_FAILURE} from '../../models/failure/family.ts';
import {scoreOutputs} from '../../models/failure/scoring.ts';
import {FAILURE_SETTINGS} from '../../models/failure/settings.ts';
import {assembleModel, createFailureTrainer} from '../../models/failure/training.ts';
import {createUniform} from '../../models/random.ts';

const SYMPTOM = FEATURES.findIndex(feature => feature.name === 'disk_errors_per_second.level');
const DISK = COMPONENTS.indexOf('disk');

/** Hosts over an hour, a row a minute; a third lose their disk at the end, after 20 loud minutes. */
function drawHosts(seed: number, hosts: number): FailureData {
  const random = createUniform(seed);
  const rows = hosts * 60;
  const data = {
    rows,
    contract: FIRST_HOST_CONTRACT,
    outputs: COMPONENT_FAILURE.outputs,
    features: Float32Array.from({length: rows * FEATURE_COUNT}, random),
    labels: new Uint8Array(rows * COMPONENTS.length),
    secondsToFailure: new Float32Array(rows).fill(Number.POSITIVE_INFINITY),
    group: Int32Array.from({length: rows}, (_, row) => Math.floor(row / 60)),
    second: Int32Array.from({length: rows}, (_, row) => (row % 60) * 60),
  };
  for (let row = 0; row < rows; row++) {
    if ((data.group[row] as number) % 3 !== 0) continue;
    const secondsLeft = 3540 - (data.second[row] as number);
    data.secondsToFailure[row] = secondsLeft;
    if (secondsLeft <= 1800) data.labels[row * COMPONENTS.length + DISK] = 1;
    if (secondsLeft <= 1200) data.features[row * FEATURE_COUNT + SYMPTOM] = 2 + random();
  }
  return data;
}

test('a symptom that precedes failures is learned, calibrated and seen in time', t => {
  const trainer = createFailureTrainer(drawHosts(1, 200), 1);
  const fitted = COMPONENTS.map((_, output) => trainer.fit(output, FAILURE_SETTINGS));
  const model = assembleModel(FEATURE_COUNT, fitted);
  const unseen = drawHosts(2, 100);
  const metrics = evaluateFailures(unseen, scoreOutputs(model, unseen), {alertsPerHostDay: 8});
  const disk = metrics[DISK];
  t.true((disk?.averagePrecision ?? 0) > 0.7);
  t.true((disk?.calibrationError ?? 1) < 0.03);
  t.is(disk?.episodes.failures, 34);
  t.true((disk?.episodes.foreseen ?? 0) > 25);
  const lead = disk?.episodes.leadSecondsP50 ?? 0;
  t.true(lead >= 60 && lead <= 1800);
  // Whoever loses a disk is told of once, in time; nobody else is.
  t.like(disk?.alerts, {failures: 34, perHostDay: 8});
  t.true((disk?.alerts?.precision ?? 0) > 0.9, JSON.stringify(disk?.alerts));
  t.true((disk?.alerts?.recall ?? 0) > 0.8, JSON.stringify(disk?.alerts));
  t.like(metrics[0], {component: 'cpu', positives: 0, rocAuc: null, averagePrecision: null});
});

test('no host is on two sides of a slice, and later hosts calibrate', t => {
  const data = drawHosts(3, 40);
  const slices = sliceData(data);
  const groups = Object.values(slices).map(
    rows => new Set(Array.from(rows, row => data.group[row])),
  );
  t.is(
    groups.reduce((sum, set) => sum + set.size, 0),
    40,
  );
  t.is(Math.min(...(groups[2] as Set<number>)), 34);
});

test('rows of the wrong shape, or of too few hosts, are refused', t => {
  const data = drawHosts(4, 40);
  const refused = {code: 'TRAINING_DATA_INVALID'};
  t.throws(() => sliceData({...data, rows: 10}), {...refused, message: /10 rows need/});
  t.throws(() => sliceData(drawHosts(5, 2)), {...refused, message: /2 hosts are too few/});
});

test('a masked sensor takes all features of its metrics along, and only in some rows', t => {
  const data = drawHosts(6, 30);
  maskSensors(data, 1, 0.5, 0.3);
  const kinds = FEATURES.flatMap(({metric}, at) =>
    metric === 'disk_errors_per_second' ? [at] : [],
  );
  let masked = 0;
  for (let row = 0; row < data.rows; row++) {
    const missing = kinds.map(at => Number.isNaN(data.features[row * FEATURE_COUNT + at]));
    t.is(new Set(missing).size, 1);
    if (missing[0]) masked++;
    t.false(Number.isNaN(data.features[row * FEATURE_COUNT]));
  }
  t.true(Math.abs(masked / data.rows - 0.15) < 0.05);
});

test('the usual value of a feature is its median; of one that never was, missing', t => {
  const data = drawHosts(7, 30);
  for (let row = 0; row < data.rows; row++) {
    data.features[row * FEATURE_COUNT] = Number.NaN;
    data.features[row * FEATURE_COUNT + 1] = row % 2 === 0 ? Number.NaN : row;
  }
  const medians = medianFeatures(data, Int32Array.of(0, 1, 2, 3, 4, 5));
  t.true(Number.isNaN(medians[0]));
  t.is(medians[1], 3);
});
