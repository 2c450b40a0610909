import {fromBinary} from '@bufbuild/protobuf';
import test from 'ava';
import * as ort from 'onnxruntime-node';
import {logLoss} from '../../models/metrics.ts';
import {createUniform} from '../../models/random.ts';
import {binTable} from '../../models/trees/bins.ts';
import {BOOSTING_DEFAULTS, trainForest} from '../../models/trees/boosting.ts';
import {type Forest, leafOf, marginOf, sigmoid} from '../../models/trees/forest.ts';
import {createHistogram, sumHistogram} from '../../models/trees/histogram.ts';
import {trainIsolationForest, unsuccessfulSearch} from '../../models/trees/isolation-forest.ts';
import {RANDOM_FOREST_DEFAULTS, trainRandomForest} from '../../models/trees/random-forest.ts';
import {readTreeModel} from '../../models/trees/tree-ensemble.ts';
import {type Link, scoreTrees, type TreeModel} from '../../models/trees/tree-model.ts';
import {encodeOnnx, INPUT, OUTPUT} from '../../models/trees/tree-onnx.ts';
import {addContributions, expectedMargin} from '../../models/trees/tree-shap.ts';
import {ModelProtoSchema} from '../../proto/gen/onnx/v1/onnx_pb.ts';
import {drawSample, type Sample, trainOn, xorRisk} from './fixtures.ts';

const COLUMNS = 5;

function randomForestOn(sample: Sample, options = {}): Forest {
  const table = binTable(sample.features, sample.columns, sample.rows);
  const input = {table, labels: sample.labels, train: sample.rows};
  return trainRandomForest(input, {...RANDOM_FOREST_DEFAULTS, trees: 30, ...options});
}

const isolationForestOn = ({features, columns, rows}: Sample, seed = 1): Forest =>
  trainIsolationForest(features, columns, rows, {trees: 50, sampleRows: 128, seed});

const KINDS: readonly {
  name: string;
  link: Link | undefined;
  slope: number;
  grow: (sample: Sample) => Forest;
}[] = [
  {name: 'boosted trees', link: undefined, slope: 1.1, grow: sample => trainOn(sample)},
  {name: 'a random forest', link: 'probability', slope: 1, grow: randomForestOn},
  {name: 'an isolation forest', link: 'exponential', slope: Math.LN2, grow: isolationForestOn},
];

function modelOf({link, slope, grow}: (typeof KINDS)[number], sample: Sample): TreeModel {
  const model = {
    featureCount: COLUMNS,
    forests: [grow(sample)],
    slopes: Float32Array.of(slope),
    offsets: Float32Array.of(0),
  };
  return link === undefined ? model : {...model, link};
}

const METADATA = {
  ...{name: 'test', featureHash: 1, components: ['a'], requiredMetrics: [], seed: 1},
  data: 'drawn',
};

for (const kind of KINDS) {
  test(`${kind.name}: the runtime gives what the plain trees give, read back too`, async t => {
    const sample = drawSample(31, 1500, COLUMNS, xorRisk, 0.15);
    const model = modelOf(kind, sample);
    // Rows that sit exactly on thresholds, and a float32 to either side of them.
    const {threshold, feature} = model.forests[0] as Forest;
    const bits = new Int32Array(sample.features.buffer);
    let tied = 0;
    for (const [node, column] of feature.entries()) {
      if (column < 0 || tied >= 900) continue;
      const at = tied * COLUMNS + column;
      sample.features[at] = threshold[node] as number;
      if (threshold[node] !== 0) bits[at] = (bits[at] as number) + (tied % 3) - 1;
      tied++;
    }
    t.true(tied > 100);
    const bytes = encodeOnnx(model, METADATA);
    const session = await ort.InferenceSession.create(bytes);
    const input = new ort.Tensor('float32', sample.features, [1500, COLUMNS]);
    const risks = (await session.run({[INPUT]: input}))[OUTPUT]?.data as Float32Array;
    await session.release();
    const wanted = scoreTrees(model, 1500, sample.features);
    for (const [row, risk] of risks.entries()) {
      t.true(Math.abs(risk - (wanted[row] as number)) <= 1e-6, `row ${row}`);
      t.true(risk >= 0 && risk <= 1);
    }
    t.deepEqual(readTreeModel(fromBinary(ModelProtoSchema, bytes), COLUMNS), model);
  });

  test(`${kind.name}: contributions of a row sum to its margin less the expected margin`, t => {
    const sample = drawSample(32, 400, COLUMNS, xorRisk, 0.1);
    const forest = kind.grow(sample);
    for (let row = 0; row < 20; row++) {
      const into = new Float64Array(COLUMNS);
      addContributions(forest, sample.features, row * COLUMNS, into, 0);
      const sum = into.reduce((total, one) => total + one, expectedMargin(forest));
      t.true(Math.abs(sum - marginOf(forest, sample.features, row * COLUMNS)) < 1e-5);
    }
  });

  test(`${kind.name}: the same rows give the same trees`, t => {
    const sample = drawSample(33, 300, COLUMNS, xorRisk, 0.1);
    t.deepEqual(kind.grow(sample), kind.grow(sample));
  });
}

test('what is missing goes to the side where it belongs, whichever that is', t => {
  for (const missingRisk of [0.05, 0.9]) {
    const riskOf = ([value]: Float32Array) =>
      Number.isNaN(value) ? missingRisk : (value as number) > 0.5 ? 0.9 : 0.05;
    const sample = drawSample(34, 3000, 1, riskOf, 0.2);
    const forests = {
      boosted: trainOn(sample, {rounds: 1, leavesMax: 2}),
      random: randomForestOn(sample, {trees: 1, depthMax: 1}),
    };
    for (const forest of Object.values(forests)) {
      const leafFor = (value: number) => leafOf(forest, 0, Float32Array.of(value), 0);
      t.is(leafFor(Number.NaN), leafFor(missingRisk > 0.5 ? 0.9 : 0.1));
      t.not(leafFor(0.9), leafFor(0.1));
    }
  }
});

test('what was never missing in training goes with most rows when it is', t => {
  for (const share of [0.3, 0.7]) {
    const riskOf = ([value]: Float32Array) => ((value as number) > share ? 0.9 : 0.05);
    const sample = drawSample(35, 3000, 1, riskOf, 0);
    const forest = randomForestOn(sample, {trees: 1, depthMax: 1});
    const leafFor = (value: number) => leafOf(forest, 0, Float32Array.of(value), 0);
    t.is(leafFor(Number.NaN), leafFor(share > 0.5 ? 0.1 : 0.9));
  }
});

test('columns that are constant or wholly missing are never asked', t => {
  const sample = drawSample(36, 1000, 4, row => ((row[3] as number) > 0.5 ? 0.8 : 0.1), 0);
  for (const row of sample.rows) {
    sample.features[row * 4] = Number.NaN;
    sample.features[row * 4 + 1] = 7;
  }
  for (const kind of KINDS) {
    const {feature} = kind.grow(sample);
    t.true(feature.includes(3));
    t.false(feature.includes(0) || feature.includes(1), kind.name);
  }
});

test('rows of weight two teach what the same rows twice do', t => {
  const sample = drawSample(37, 500, 3, xorRisk);
  const {features, labels, rows} = sample;
  const twice = rows.filter(row => row % 3 === 0);
  const weights = Float32Array.from(rows, row => (row % 3 === 0 ? 2 : 1));
  const table = binTable(features, 3, rows);
  const options = {...BOOSTING_DEFAULTS, rounds: 8, rowShare: 1, columnShare: 1};
  const none = new Int32Array();
  const weighted = trainForest({table, labels, weights, train: rows, validation: none}, options);
  const all = Int32Array.from([...rows, ...twice]);
  const repeats = Float32Array.from(
    [...all].flatMap(row => [...features.slice(3 * row, 3 * row + 3)]),
  );
  const train = Int32Array.from(all.keys());
  const repeated = trainForest(
    {
      table: binTable(repeats, 3, rows),
      labels: Uint8Array.from(all, row => labels[row] as number),
      ...{train, validation: none},
    },
    options,
  );
  t.is(weighted.forest.cover[0], repeated.forest.cover[0]);
  // Not node by node: sums in another order may choose the other of two equal cuts.
  for (const row of rows) {
    const margin = marginOf(weighted.forest, features, 3 * row);
    t.true(Math.abs(margin - marginOf(repeated.forest, features, 3 * row)) < 1e-5);
  }
  for (const [round, loss] of weighted.trainLoss.entries()) {
    t.true(Math.abs(loss - (repeated.trainLoss[round] as number)) < 1e-9);
  }
});

test('leaves of a random forest hold the share of positives; one class gives its probability', t => {
  const sample = drawSample(38, 2000, COLUMNS, xorRisk, 0);
  const forest = randomForestOn(sample, {trees: 60, minLeafWeight: 20, columnsPerSplit: 3});
  const unseen = drawSample(39, 500, COLUMNS, xorRisk, 0);
  let error = 0;
  for (const row of unseen.rows) {
    const values = unseen.features.subarray(row * COLUMNS, (row + 1) * COLUMNS);
    error += Math.abs(marginOf(forest, values, 0) - xorRisk(values)) / 500;
  }
  t.true(error < 0.1, `mean error ${error}`);
  for (const risk of [0, 1]) {
    const single = drawSample(40, 200, 2, () => risk);
    const margin = marginOf(randomForestOn(single), single.features, 0);
    t.true(Math.abs(margin - risk) < 1e-6);
    t.is(trainOn(single).feature.length > 0, true);
    t.true(Math.abs(sigmoid(marginOf(trainOn(single), single.features, 0)) - risk) < 0.01);
  }
});

test('the row that stands apart has the highest score, near one; a crowd has about a half', t => {
  const random = createUniform(41);
  const features = Float32Array.from({length: 600 * 2}, () => random() + random() + random());
  features.set([9, 9], 0);
  features.set([Number.NaN, 8], 2);
  const rows = Int32Array.from({length: 600}, (_, row) => row);
  const forest = isolationForestOn({features, columns: 2, rows, labels: new Uint8Array(600)});
  const scores = Array.from(rows, row => 2 ** marginOf(forest, features, 2 * row));
  const ranked = [...rows].sort((a, b) => (scores[b] as number) - (scores[a] as number));
  t.is(ranked[0], 0);
  t.true(ranked.indexOf(1) < 30);
  t.true((scores[0] as number) > 0.7);
  const median = scores.toSorted((a, b) => a - b)[300] as number;
  t.true(median > 0.35 && median < 0.5, `median ${median}`);
});

test('the mean depth of random search trees is that of the paper', t => {
  // By its recursion: the first cut leaves k and n − k rows, all k equally likely.
  const depths = [0, 0];
  for (let rows = 2; rows <= 40; rows++) {
    let sum = 0;
    for (let below = 1; below < rows; below++) {
      sum += below * (depths[below] as number) + (rows - below) * (depths[rows - below] as number);
    }
    depths.push(1 + sum / (rows * (rows - 1)));
    t.true(unsuccessfulSearch(rows) > 0);
  }
  t.is(unsuccessfulSearch(1), 0);
  t.is(unsuccessfulSearch(2), 1);
  // c(256) as scikit-learn and the paper have it, by logarithms: 2 (ln 255 + γ) − 2 · 255 / 256.
  t.true(Math.abs(unsuccessfulSearch(256) - 10.244_770_92) < 0.005);
});

test('a histogram holds the sums of every bin, of few columns and of many', t => {
  for (const columns of [1, 4, 7, 8]) {
    const {features, rows} = drawSample(42, 300, columns, () => 0.5, 0.2);
    const table = binTable(features, columns, rows, 31);
    const derivatives = Float64Array.from({length: 600}, (_, at) => ((at * 7) % 13) / 8);
    const some = rows.filter(row => row % 3 !== 1);
    const all = Int32Array.from({length: columns}, (_, column) => column);
    for (const asked of [all, all.slice(-1)]) {
      const histogram = createHistogram(table).fill(99);
      sumHistogram(histogram, table, asked, some, 5, 150, derivatives);
      for (const column of asked) {
        const wanted = new Float64Array(2 << table.binBits);
        for (const row of some.subarray(5, 150)) {
          const code = table.codes[row * table.width + column] as number;
          wanted[2 * code] = (wanted[2 * code] as number) + (derivatives[2 * row] as number);
          wanted[2 * code + 1] =
            (wanted[2 * code + 1] as number) + (derivatives[2 * row + 1] as number);
        }
        const start = (2 * column) << table.binBits;
        t.deepEqual(histogram.slice(start, start + wanted.length), wanted);
      }
    }
  }
});

test('the losses that boosting tells are those of its trees', t => {
  const sample = drawSample(43, 900, 3, xorRisk);
  const table = binTable(sample.features, 3, sample.rows);
  const train = sample.rows.filter(row => row % 3 !== 0);
  const validation = sample.rows.filter(row => row % 3 === 0);
  for (const rowShare of [1, 0.6]) {
    const options = {...BOOSTING_DEFAULTS, rounds: 6, rowShare, minChildHessian: 20};
    const result = trainForest({table, labels: sample.labels, train, validation}, options);
    t.is(result.forest.roots.length, 6);
    const lossOf = (rows: Int32Array) =>
      logLoss(
        Array.from(rows, row => sigmoid(marginOf(result.forest, sample.features, 3 * row))),
        Uint8Array.from(rows, row => sample.labels[row] as number),
      );
    t.true(Math.abs((result.trainLoss[5] as number) - lossOf(train)) < 1e-9);
    t.true(Math.abs((result.validationLoss[5] as number) - lossOf(validation)) < 1e-9);
  }
});
