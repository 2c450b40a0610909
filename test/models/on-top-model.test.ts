import {join} from 'node:path';
import test from 'ava';
import {isForestayError} from '../../core/domain/errors.ts';
import {COMPONENT_CONTRACT} from '../../core/domain/features.ts';
import {UNKNOWN} from '../../models/failure/data.ts';
import {COMPONENT_FAILURE} from '../../models/failure/family.ts';
import {createOnTopTrainer, FOLDS} from '../../models/failure/on-top.ts';
import {assembleOnTop, heldRisks, nodesOf, roomFor} from '../../models/failure/on-top-model.ts';
import {repeatRows, toFailureData, toOnTopRows} from '../../models/failure/on-top-rows.ts';
import {loadModel} from '../../models/load-model.ts';
import {marginOf, sigmoid} from '../../models/trees/forest.ts';
import {scoreTrees, type TreeModel} from '../../models/trees/tree-model.ts';
import {makeExamples} from './on-top-fixtures.ts';

const CHAMPION = join(import.meta.dirname, '../../models/artefacts/component-failure');
const DISK = 2;

test('the whole says what the model below says, and what was added, with one calibration an output', async t => {
  const under = (await loadModel(CHAMPION)).trees as TreeModel;
  const set = makeExamples();
  const rows = toOnTopRows(set, under);
  const fit = createOnTopTrainer(rows, 1).fit(DISK, 30);
  const fits = set.outputs.map((_, output) => (output === DISK ? fit : undefined));
  const model = assembleOnTop(under, fits);
  const risks = scoreTrees(model, set.rows, set.features);
  for (const [at, risk] of risks.entries()) {
    const row = Math.floor(at / 5);
    const added = at % 5 === DISK ? marginOf(fit.forest, set.features, row * set.featureCount) : 0;
    t.true(Math.abs(risk - sigmoid((rows.start[at] as number) + added)) < 1e-6);
  }
  t.is(model.forests[0], under.forests[0]);
  t.is(model.slopes[0], under.slopes[0]);
  t.not(under.slopes[DISK], 1, 'there was something to fold in');
  t.deepEqual([model.slopes[DISK], model.offsets[DISK]], [1, 0]);
  const held = heldRisks(rows, fits);
  t.true(Math.abs((held[0] as number) - sigmoid(rows.start[0] as number)) < 1e-6);
  t.true(Math.abs((held[DISK] as number) - sigmoid(fit.held[0] as number)) < 1e-6);
});

test('every fold has hosts of every class, and all rows of a host', async t => {
  const under = (await loadModel(CHAMPION)).trees as TreeModel;
  const set = makeExamples();
  const {fold} = toOnTopRows(set, under);
  for (let each = 0; each < FOLDS; each++) {
    const hosts = new Set([...set.host].filter((_, row) => fold[row] === each));
    t.deepEqual([...hosts].map(host => set.hosts[host]?.hardware).sort(), ['gen-1', 'gen-2']);
  }
  t.is(new Set([...set.host].map((host, row) => `${host}/${fold[row]}`)).size, 10);
});

test('rows count as often as they stand for; what is uncertain teaches, and judges nobody', t => {
  const made = makeExamples({hosts: 5, rowsEach: 12, failures: 1});
  const targets = made.targets.with(DISK, 0.4);
  const weights = made.weights.map((_, row) => (row === 1 ? 4 : 1));
  const {outputs} = COMPONENT_FAILURE;
  const data = toFailureData({...made, targets}, {contract: COMPONENT_CONTRACT, outputs});
  t.is(data.labels[DISK], UNKNOWN);
  t.is(data.labels[11 * 5 + DISK], 1);
  const risks = Float32Array.from({length: 5 * made.rows}, (_, at) => Math.fround(at / 1000));
  const repeated = repeatRows(data, weights, risks);
  t.is(repeated.data.rows, made.rows + 3);
  t.deepEqual([...repeated.data.second.slice(0, 6)], [0, 300, 300, 300, 300, 600]);
  t.deepEqual(repeated.risks.slice(10, 15), risks.slice(5, 10));
  t.is(repeated.data.labels.length, 5 * repeated.data.rows);
});

test('what may be added is bounded by the model below and by the first of its line', async t => {
  const under = (await loadModel(CHAMPION)).trees as TreeModel;
  const trees = under.forests.reduce((sum, {roots}) => sum + roots.length, 0);
  const nodes = nodesOf(under);
  t.is(roomFor(under, nodes, 5), Math.floor((0.8 * trees) / 5));
  const little = Math.ceil((nodes + 5 * 20 * 7) / 3);
  t.is(roomFor(under, little, 5), 20);
  const error = t.throws(() => roomFor(under, nodes / 3, 5));
  t.true(isForestayError(error, 'INVALID_ARGUMENT'));
  t.regex(error?.message ?? '', /train one anew/);
});
