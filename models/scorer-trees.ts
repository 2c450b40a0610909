import assert from 'node:assert/strict';
import {COMPONENTS} from '../core/domain/components.ts';
import {ForestayError} from '../core/domain/errors.ts';
import {FEATURE_COUNT, FEATURE_HASH, FIRST_HOST_CONTRACT} from '../core/domain/features.ts';
import type {ModelSignature, Scorer} from '../core/ports.ts';
import {loadModel} from './load-model.ts';
import {scoreTrees} from './trees/tree-model.ts';
import {explainTrees} from './trees/tree-shap.ts';

/**
 * The scorer of simulations and tests: walks the model's trees in this thread, at once. Its risks
 * are those of the ONNX runtime to 1e-6.
 *
 * @throws {ForestayError} Those of {@link loadModel}; `MODEL_UNREADABLE` if the graph is not one
 *   of ours.
 */
export async function createTreesScorer(modelPath: string): Promise<Scorer> {
  const {signature, trees, usual} = await loadModel(modelPath);
  if (trees === undefined) {
    throw new ForestayError(
      'MODEL_UNREADABLE',
      `cannot walk model ${modelPath}: its graph is not forests with slopes and offsets; ` +
        'score it with the ONNX runtime',
      {details: {path: modelPath}},
    );
  }
  return {
    signature: () => signature,
    async score(modelHash, rows, features) {
      checkRequest(signature, modelHash, rows, features);
      return scoreTrees(trees, rows, features);
    },
    async explain(modelHash, rows, features) {
      checkRequest(signature, modelHash, rows, features);
      return {contributions: explainTrees(trees, rows, features), usual};
    },
    async close() {},
  };
}

/** A scorer that has one risk for every component of every host: what no prediction looks like. */
export function createConstantScorer(risk: number): Scorer {
  const signature: ModelSignature = {
    hash: `constant-${risk}`,
    name: 'constant',
    contract: FIRST_HOST_CONTRACT,
    featureHash: FEATURE_HASH,
    featureCount: FEATURE_COUNT,
    components: COMPONENTS,
    requiredMetrics: [],
  };
  return {
    signature: () => signature,
    async score(modelHash, rows, features) {
      checkRequest(signature, modelHash, rows, features);
      return new Float32Array(rows * COMPONENTS.length).fill(risk);
    },
    async explain(modelHash, rows, features) {
      checkRequest(signature, modelHash, rows, features);
      return {
        contributions: new Float32Array(rows * COMPONENTS.length * FEATURE_COUNT),
        usual: new Float32Array(FEATURE_COUNT).fill(Number.NaN),
      };
    },
    async close() {},
  };
}

function checkRequest(
  signature: ModelSignature,
  modelHash: string,
  rows: number,
  features: Float32Array,
): void {
  assert(features.length === rows * signature.featureCount, 'features must be rows × featureCount');
  if (modelHash !== signature.hash) {
    throw new ForestayError(
      'MODEL_HASH_MISMATCH',
      `cannot score ${rows} rows with model ${modelHash}: this scorer serves ${signature.hash}`,
      {details: {asked: modelHash, served: signature.hash}},
    );
  }
}
