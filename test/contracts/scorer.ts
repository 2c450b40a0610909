import test, {type ExecutionContext} from 'ava';
import {FEATURE_COUNT} from '../../core/domain/features.ts';
import type {Scorer} from '../../core/ports.ts';
import {loadModel} from '../../models/load-model.ts';
import {scoreTrees, type TreeModel} from '../../models/trees/tree-model.ts';
import {explainTrees} from '../../models/trees/tree-shap.ts';
import {drawContractSample, writeModel} from '../models/fixtures.ts';

type Create = (modelPath: string) => Promise<Scorer>;

async function start(t: ExecutionContext, create: Create) {
  const path = await writeModel(t);
  const scorer = await create(path);
  t.teardown(() => scorer.close());
  const model = await loadModel(path);
  return {scorer, model, trees: model.trees as TreeModel, hash: model.signature.hash};
}

const apart = (one: Float32Array, other: Float32Array) =>
  one.reduce((most, value, at) => Math.max(most, Math.abs(value - (other[at] as number))), 0);

/** What every scorer of a model promises. */
export function scorerContract(name: string, create: Create): void {
  test(`${name}: serves the signature of its model file`, async t => {
    const {scorer, model} = await start(t, create);
    t.deepEqual(scorer.signature(), model.signature);
  });

  test(`${name}: risks are those of the trees to 1e-6, for any number of rows`, async t => {
    const {scorer, trees, hash} = await start(t, create);
    for (const rows of [0, 1, 2, 255, 256, 257, 1000]) {
      const {features} = drawContractSample(rows, rows);
      const risks = await scorer.score(hash, rows, features);
      t.is(risks.length, rows * 5);
      t.true(apart(risks, scoreTrees(trees, rows, features)) <= 1e-6);
    }
  });

  test(`${name}: reasons are the trees’ contributions, with the usual values`, async t => {
    const {scorer, trees, model, hash} = await start(t, create);
    const {features} = drawContractSample(41, 40);
    const {contributions, usual} = await scorer.explain(hash, 40, features);
    t.is(contributions.length, 40 * 5 * FEATURE_COUNT);
    t.deepEqual(contributions, explainTrees(trees, 40, features));
    t.deepEqual(usual, model.usual);
  });

  test(`${name}: another model’s hash is refused`, async t => {
    const {scorer} = await start(t, create);
    const rows = new Float32Array(FEATURE_COUNT);
    await t.throwsAsync(scorer.score('other', 1, rows), {code: 'MODEL_HASH_MISMATCH'});
    await t.throwsAsync(scorer.explain('other', 1, rows), {code: 'MODEL_HASH_MISMATCH'});
  });

  test(`${name}: a host of which nothing is known has a finite risk`, async t => {
    const {scorer, hash} = await start(t, create);
    const risks = await scorer.score(hash, 1, new Float32Array(FEATURE_COUNT).fill(Number.NaN));
    t.true(risks.every(risk => risk >= 0 && risk <= 1));
  });
}
