import {readFile} from 'node:fs/promises';
import test from 'ava';
import {drawFailures} from '../../bench/support/drawn-failures.ts';
import {logLoss, rocAuc} from '../../models/metrics.ts';
import {binTable} from '../../models/trees/bins.ts';
import {BOOSTING_DEFAULTS, trainForest} from '../../models/trees/boosting.ts';
import {type Forest, marginOf, sigmoid} from '../../models/trees/forest.ts';
import {
  ISOLATION_FOREST_DEFAULTS,
  trainIsolationForest,
} from '../../models/trees/isolation-forest.ts';
import {RANDOM_FOREST_DEFAULTS, trainRandomForest} from '../../models/trees/random-forest.ts';
import {DRAW} from './data/tree-parity.ts';

/** Of LightGBM and scikit-learn on these very rows; scripts/make-tree-fixtures.mjs made it. */
const reference = JSON.parse(
  await readFile(new URL('data/reference-trees.json', import.meta.url), 'utf8'),
) as {models: {auc: number; logLoss: number | null}[]};

const {trainRows, testRows, columns} = DRAW;
const drawn = drawFailures(DRAW.seed, trainRows + testRows, columns);
const {features, labels} = drawn;
const train = Int32Array.from({length: trainRows}, (_, row) => row);
const table = binTable(features.subarray(0, trainRows * columns), columns, train);
const trainLabels = labels.subarray(0, trainRows);
const testLabels = labels.subarray(trainRows);

function marginsOf(forest: Forest): Float64Array {
  return Float64Array.from({length: testRows}, (_, row) =>
    marginOf(forest, features, (trainRows + row) * columns),
  );
}

/**
 * About three times the standard deviation over seeds of rows or draws: what one may differ from
 * another without being worse.
 */
const BAND = {auc: 0.01, logLoss: 0.0015, isolationAuc: 0.03};

test('boosting is as good as LightGBM on rows that neither has seen', t => {
  const options = {
    ...BOOSTING_DEFAULTS,
    ...{rounds: 60, leavesMax: 15, depthMax: 99, minChildHessian: 5, rowShare: 1, columnShare: 1},
  };
  const input = {table, labels: trainLabels, train, validation: new Int32Array()};
  const risks = marginsOf(trainForest(input, options).forest).map(sigmoid);
  const auc = rocAuc(risks, testLabels);
  const loss = logLoss(risks, testLabels);
  t.log({auc, loss, reference: reference.models[0]});
  t.true(auc > (reference.models[0]?.auc as number) - BAND.auc);
  t.true(loss < (reference.models[0]?.logLoss as number) + BAND.logLoss);
});

test('a random forest is as good as that of scikit-learn', t => {
  // scikit-learn counts rows, we their weight: 40 rows of a bootstrap sample weigh 63.
  const options = {...RANDOM_FOREST_DEFAULTS, trees: 60, minLeafWeight: 63, columnsPerSplit: 3};
  const risks = marginsOf(trainRandomForest({table, labels: trainLabels, train}, options));
  const auc = rocAuc(risks, testLabels);
  const loss = logLoss(risks, testLabels);
  t.log({auc, loss, reference: reference.models[1]});
  t.true(auc > (reference.models[1]?.auc as number) - BAND.auc);
  t.true(loss < (reference.models[1]?.logLoss as number) + BAND.logLoss);
});

test('an isolation forest finds what that of scikit-learn finds', t => {
  const options = {...ISOLATION_FOREST_DEFAULTS, trees: 100};
  const forest = trainIsolationForest(features, columns, train, options);
  const auc = rocAuc(marginsOf(forest), testLabels);
  t.log({auc, reference: reference.models[2]});
  t.true(Math.abs(auc - (reference.models[2]?.auc as number)) < BAND.isolationAuc);
});
