import {readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {contractHash, FIRST_HOST_CONTRACT, featuresOf} from '../../core/domain/features.ts';
import {simulateComponentDataset} from '../../core/simulation/component-dataset.ts';
import {renderCard} from '../../models/card.ts';
import {readDriftFile} from '../../models/drift-file.ts';
import {evaluateFailures} from '../../models/failure/evaluation.ts';
import {COMPONENT_FAILURE, COMPONENT_OUTLOOK, outputNames} from '../../models/failure/family.ts';
import {scoreBaseline, scoreOutputs} from '../../models/failure/scoring.ts';
import {loadModel} from '../../models/load-model.ts';
import {parseManifest} from '../../models/manifest.ts';
import {openSession} from '../../models/session.ts';
import {scoreTrees, type TreeModel} from '../../models/trees/tree-model.ts';

const folderOf = (name: string) => join(import.meta.dirname, '../../models/artefacts', name);
const FIRST = folderOf('component-failure-1');

test('component-failure, as committed, tells how the rows of its own contract were spread', async t => {
  const folder = folderOf('component-failure');
  const {signature} = await loadModel(folder);
  const snapshot = await readDriftFile(folder, signature.hash);
  t.deepEqual(
    snapshot?.features.map(({name}) => name),
    featuresOf(COMPONENT_FAILURE.contract).map(({name}) => name),
  );
  t.true((await stat(join(folder, 'drift.json'))).size < 100_000);
});

for (const family of [COMPONENT_FAILURE, COMPONENT_OUTLOOK]) {
  const {name} = family;
  const folder = folderOf(name);

  test(`${name}, as committed, is whole, small, of its contract, and runs as it was trained`, async t => {
    const session = await openSession(folder);
    t.teardown(() => session.release());
    const {signature, usual, trees, golden} = session.model;
    t.like(signature, {
      name,
      featureHash: contractHash(family.contract),
      components: outputNames(family),
    });
    t.is(usual.length, featuresOf(family.contract).length);
    t.is(golden?.features.length, 16);
    t.true((await stat(join(folder, 'model.onnx'))).size < 1_500_000);
    t.is(trees?.forests.length, family.outputs.length);
  });

  test(`the card of ${name} says what its manifest says`, async t => {
    const path = join(folder, 'manifest.json');
    const manifest = parseManifest(await readFile(path, 'utf8'), path);
    const card = renderCard(manifest, await readDriftFile(folder, manifest.sha256));
    t.is(await readFile(join(folder, 'README.md'), 'utf8'), card);
  });

  test(`${name} is calibrated on hosts that it has not seen, and ranks above the usual rules`, async t => {
    const path = join(folder, 'manifest.json');
    const {metrics} = parseManifest(await readFile(path, 'utf8'), path);
    const mean = (values: readonly (number | null | undefined)[]) =>
      values.reduce<number>((sum, each) => sum + (each ?? 0), 0) / values.length;
    for (const each of metrics) {
      t.true(each.calibrationError <= 0.03, `${each.component} ${each.calibrationError}`);
      t.true(each.logLoss < each.baseLogLoss, each.component);
    }
    t.true(
      mean(metrics.map(each => each.averagePrecision)) >
        mean(metrics.map(each => each.rivals?.[0]?.averagePrecision)),
    );
  });

  test(`a usual host has a low risk of ${name}, also when only the required metrics are there`, async t => {
    const {trees, usual, signature} = await loadModel(folder);
    const features = featuresOf(signature.contract);
    const bare = usual.map((value, at) =>
      signature.requiredMetrics.includes(features[at]?.metric ?? '') ? value : Number.NaN,
    );
    for (const row of [usual, bare]) {
      t.true(scoreTrees(trees as TreeModel, 1, row).every(risk => risk < 0.1));
    }
  });
}

test('on fleets that it has not seen, today’s model ranks hosts that will fail above others, and not worse than the first', async t => {
  const {trees} = await loadModel(folderOf('component-failure'));
  const parts = await Array.fromAsync(
    simulateComponentDataset({
      random: seededRandom(4000),
      fleets: 16,
      minutesEach: 60,
      rowEverySeconds: 60,
    }),
  );
  const data = {
    rows: parts.reduce((sum, {rows}) => sum + rows, 0),
    contract: COMPONENT_FAILURE.contract,
    outputs: COMPONENT_FAILURE.outputs,
    features: Float32Array.from(parts.flatMap(({features}) => [...features])),
    labels: Uint8Array.from(parts.flatMap(({labels}) => [...labels])),
    secondsToFailure: Float32Array.from(parts.flatMap(({secondsToDown}) => [...secondsToDown])),
    group: Int32Array.from(parts.flatMap(({group}) => [...group])),
    second: Int32Array.from(parts.flatMap(({second}) => [...second])),
  };
  const rivals = [await scoreBaseline(FIRST, data)];
  const risks = scoreOutputs(trees as TreeModel, data);
  const metrics = evaluateFailures(data, risks, {alertsPerHostDay: 1, rivals});
  let [own, first] = [0, 0];
  for (const each of metrics) {
    own += each.averagePrecision ?? 0;
    first += each.rivals?.[1]?.averagePrecision ?? 0;
    t.true((each.averagePrecision ?? 0) > (3 * each.positives) / each.rows, JSON.stringify(each));
    t.true(each.logLoss < each.baseLogLoss, JSON.stringify(each));
  }
  t.true(own > first, `mean AP ${own / 5} against ${first / 5}`);
});

test('the first model is still there, byte for byte, and needs no contract in its manifest', async t => {
  const {signature} = await loadModel(FIRST);
  t.is(signature.hash, 'f16445a59e43bcb135dd98cb96450ff89eb81d9dd8e0fdcd0f82612172e69114');
  t.is(signature.featureHash, 1_038_701_892);
  t.deepEqual(signature.contract, FIRST_HOST_CONTRACT);
});
