import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {type FeatureContract, FIRST_HOST_CONTRACT, featuresOf} from '../core/domain/features.ts';
import {hashOf, presentOrNull, writeJson} from './artefact-files.ts';
import type {Golden, Manifest} from './manifest.ts';
import {scoreTrees, type TreeModel} from './trees/tree-model.ts';
import {encodeOnnx, type ModelMetadata} from './trees/tree-onnx.ts';

/** What a manifest says beyond the file's own metadata. */
export type Provenance = Pick<Manifest, 'version' | 'gives' | 'metrics' | 'limits' | 'onTop'> & {
  /** Left out: {@link FIRST_HOST_CONTRACT}, which a manifest need not declare. */
  readonly contract?: FeatureContract;
  /** Median of each feature; NaN: never present. */
  readonly usual: Float32Array;
};

/**
 * Writes model.onnx, manifest.json and golden.json to `folder`, creating it. Equal models give
 * equal bytes.
 *
 * @param golden Rows × featureCount, to verify runtimes with.
 */
export async function writeArtefact(
  folder: string,
  model: TreeModel,
  metadata: ModelMetadata,
  provenance: Provenance,
  golden: Float32Array,
): Promise<Manifest> {
  const bytes = encodeOnnx(model, metadata);
  const {usual, ...rest} = provenance;
  const manifest: Manifest = {
    ...metadata,
    ...rest,
    sha256: hashOf(bytes),
    features: featuresOf(provenance.contract ?? FIRST_HOST_CONTRACT).map(({name}) => name),
    usual: Array.from(usual, presentOrNull),
    rounds: model.forests.map(forest => forest.roots.length),
  };
  await mkdir(folder, {recursive: true});
  await writeFile(join(folder, 'model.onnx'), bytes);
  await writeJson(join(folder, 'manifest.json'), manifest);
  await writeJson(join(folder, 'golden.json'), goldenOf(model, golden));
  return manifest;
}

function goldenOf(model: TreeModel, features: Float32Array): Golden {
  const rows = features.length / model.featureCount;
  const risks = scoreTrees(model, rows, features);
  return {
    features: rowsOf(features, model.featureCount).map(row => Array.from(row, presentOrNull)),
    risks: rowsOf(risks, model.forests.length).map(row => [...row]),
  };
}

function rowsOf(values: Float32Array, columns: number): Float32Array[] {
  return Array.from({length: values.length / columns}, (_, row) =>
    values.subarray(row * columns, (row + 1) * columns),
  );
}
