import {readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import {
  FEATURE_COUNT,
  FEATURE_HASH,
  FEATURES,
  FIRST_HOST_CONTRACT,
} from '../../core/domain/features.ts';
import {simulateDataset} from '../../core/simulation/dataset.ts';
import {renderCard} from '../../models/card.ts';
import {evaluateFailureModel} from '../../models/failure/evaluation.ts';
import {loadModel} from '../../models/load-model.ts';
import {parseManifest} from '../../models/manifest.ts';
import {openSession} from '../../models/session.ts';
import {scoreTrees, type TreeModel} from '../../models/trees/tree-model.ts';

const FOLDER = join(import.meta.dirname, '../../models/artefacts/component-failure');

test('the committed model is whole, small, of this feature contract, and runs as it was trained', async t => {
  const session = await openSession(FOLDER);
  t.teardown(() => session.release());
  const {signature, usual, trees, golden} = session.model;
  t.like(signature, {
    name: 'component-failure',
    featureHash: FEATURE_HASH,
    components: [...COMPONENTS],
  });
  t.is(usual.length, FEATURE_COUNT);
  t.is(usual.filter(Number.isNaN).length, 0);
  t.is(golden?.features.length, 16);
  t.true((await stat(join(FOLDER, 'model.onnx'))).size < 1_000_000);
  for (const forest of (trees as TreeModel).forests) t.true(forest.roots.length <= 120);
});

test('its card says what its manifest says', async t => {
  const path = join(FOLDER, 'manifest.json');
  const card = renderCard(parseManifest(await readFile(path, 'utf8'), path));
  t.is(await readFile(join(FOLDER, 'README.md'), 'utf8'), card);
});

test('on fleets that it has not seen it ranks hosts that will fail above others', async t => {
  const {trees} = await loadModel(FOLDER);
  const random = seededRandom(4000);
  const simulated = simulateDataset({random, fleets: 12, minutesEach: 60, rowEverySeconds: 60});
  const data = {...simulated, contract: FIRST_HOST_CONTRACT, outputs: COMPONENTS};
  for (const metrics of evaluateFailureModel(trees as TreeModel, data)) {
    const base = metrics.positives / metrics.rows;
    t.true((metrics.averagePrecision ?? 0) > 3 * base, JSON.stringify(metrics));
    t.true(metrics.logLoss < metrics.baseLogLoss, JSON.stringify(metrics));
  }
});

test('a usual host has a low risk, also when only the required metrics are there', async t => {
  const {trees, usual, signature} = await loadModel(FOLDER);
  const bare = usual.map((value, at) =>
    signature.requiredMetrics.includes(FEATURES[at]?.metric ?? '') ? value : Number.NaN,
  );
  for (const row of [usual, bare]) {
    t.true(scoreTrees(trees as TreeModel, 1, row).every(risk => risk < 0.1));
  }
});
