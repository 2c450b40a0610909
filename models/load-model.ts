import {createHash} from 'node:crypto';
import type {Stats} from 'node:fs';
import {readFile, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fromBinary} from '@bufbuild/protobuf';
import {COMPONENTS} from '../core/domain/components.ts';
import {ForestayError} from '../core/domain/errors.ts';
import {contractHash, FIRST_HOST_CONTRACT, featuresOf} from '../core/domain/features.ts';
import type {ModelSignature} from '../core/ports.ts';
import {
  type ModelProto,
  ModelProtoSchema,
  type ValueInfoProto,
} from '../proto/gen/onnx/v1/onnx_pb.ts';
import {type Golden, type Manifest, parseGolden, parseManifest} from './manifest.ts';
import {FLOAT} from './onnx-graph.ts';
import {readTreeModel} from './trees/tree-ensemble.ts';
import type {TreeModel} from './trees/tree-model.ts';
import {INPUT, OUTPUT} from './trees/tree-onnx.ts';

export type LoadedModel = {
  readonly signature: ModelSignature;
  readonly bytes: Uint8Array;
  readonly graph: ModelGraph;
  /** What a usual host has for every feature; NaN where nobody says. */
  readonly usual: Float32Array;
  /** The forests, if the graph is one that can be walked. */
  readonly trees: TreeModel | undefined;
  /** Rows to verify a runtime with. */
  readonly golden: Golden | undefined;
};

/** What the graph calls its ends, and which columns of its output are the components. */
export type ModelGraph = {
  readonly input: string;
  readonly output: string;
  /** Columns of the output. */
  readonly width: number;
  readonly columns: readonly number[];
};

/**
 * Reads a model and checks that it is what it says and fits this program.
 *
 * `manifest.json` and `golden.json` are read from beside the file. A model that was trained
 * elsewhere needs neither: it is taken if its graph has an input `features` of rows ×
 * FEATURE_COUNT floats, an output `risks` of rows × components floats and the metadata property
 * `featureHash` of the first contract, {@link FIRST_HOST_CONTRACT}; `components` and
 * `requiredMetrics` (comma separated) are optional. A manifest may declare another contract, what
 * the graph calls its input and output, and which of its columns are the components. Whatever is
 * declared, the hash that the file itself carries must be that of the contract.
 *
 * @param path The .onnx file, or the folder with `model.onnx` in it.
 * @throws {ForestayError} `MODEL_UNREADABLE`, `MODEL_HASH_MISMATCH`, `MODEL_SIGNATURE_MISMATCH`.
 */
export async function loadModel(path: string): Promise<LoadedModel> {
  const file = (await kindOf(path))?.isDirectory() ? join(path, 'model.onnx') : path;
  const bytes = await readWhole(file);
  const hash = createHash('sha256').update(bytes).digest('hex');
  const manifestPath = join(dirname(file), 'manifest.json');
  const manifestText = await readIfThere(manifestPath);
  const manifest =
    manifestText === undefined ? undefined : parseManifest(manifestText, manifestPath);
  if (manifest !== undefined && manifest.sha256 !== hash) {
    throw new ForestayError(
      'MODEL_HASH_MISMATCH',
      `cannot use model ${file}: its SHA-256 is ${hash}, its manifest says ${manifest.sha256}; ` +
        'restore the file, or remove manifest.json to use it as a model of your own',
      {details: {path: file, hash, expected: manifest.sha256}},
    );
  }
  const model = decode(bytes, file);
  const {graph, ...read} = readSignature(model, file, manifest);
  const signature = {hash, ...read};
  const goldenPath = join(dirname(file), 'golden.json');
  const goldenText = manifest === undefined ? undefined : await readIfThere(goldenPath);
  return {
    signature,
    bytes,
    graph,
    usual: Float32Array.from(
      {length: signature.featureCount},
      (_, index) => manifest?.usual[index] ?? Number.NaN,
    ),
    trees: readTreeModel(model, signature.featureCount),
    golden:
      goldenText === undefined
        ? undefined
        : parseGolden(goldenText, goldenPath, signature.featureCount, signature.components.length),
  };
}

function decode(bytes: Uint8Array, file: string): ModelProto {
  try {
    const model = fromBinary(ModelProtoSchema, bytes);
    if (model.graph !== undefined && model.graph.node.length > 0) return model;
  } catch (cause) {
    throw unreadable(file, 'it is not an ONNX file', cause);
  }
  throw unreadable(file, 'it holds no graph');
}

function readSignature(
  model: ModelProto,
  file: string,
  manifest: Manifest | undefined,
): Omit<ModelSignature, 'hash'> & {graph: ModelGraph} {
  const metadata = new Map(model.metadataProps.map(({key, value}) => [key, value]));
  const {input = INPUT, output = OUTPUT} = manifest?.graph ?? {};
  const inputWidth = widthOf(model.graph?.input.find(value => value.name === input));
  const width = widthOf(model.graph?.output.find(value => value.name === output));
  if (inputWidth === undefined || width === undefined) {
    throw mismatch(file, `its graph must have "${input}" and "${output}": float, rows × columns`);
  }
  const contract = manifest?.contract ?? FIRST_HOST_CONTRACT;
  const featureCount = featuresOf(contract).length;
  const featureHash = contractHash(contract);
  const ofManifest = manifest?.contract === undefined ? undefined : manifest.featureHash;
  const ofFile = metadata.get('featureHash');
  if (inputWidth !== featureCount) {
    throw mismatch(
      file,
      `it reads ${inputWidth} features (featureHash ${ofManifest ?? ofFile ?? 'not there'}), the ` +
        `feature contract ${featureHash} has ${featureCount}`,
    );
  }
  const wrong = [ofManifest, ofManifest === undefined ? (ofFile ?? 'not there') : ofFile].find(
    declared => declared !== undefined && String(declared) !== String(featureHash),
  );
  if (wrong !== undefined) {
    throw mismatch(
      file,
      `${wrong === ofManifest ? 'its manifest’s' : 'its property'} featureHash is ${wrong}, the feature ` +
        `contract is ${featureHash}`,
    );
  }
  const columns = manifest?.graph?.columns ?? Array.from({length: width}, (_, column) => column);
  const components = componentsOf(metadata, manifest);
  // Of the usual contract the engine knows outputs by their place: all of them, in their order.
  const known = manifest?.contract !== undefined || components.join() === COMPONENTS.join();
  const there = columns.every(column => column >= 0 && column < width);
  if (components.length !== columns.length || !known || !there) {
    throw mismatch(
      file,
      `it has ${width} outputs for ${components.join(', ')}; known are ${COMPONENTS.join(', ')}`,
    );
  }
  return {
    name: metadata.get('name') ?? manifest?.name ?? model.graph?.name ?? '',
    contract,
    featureHash,
    featureCount,
    components,
    requiredMetrics: manifest?.contract
      ? manifest.requiredMetrics
      : (listOf(metadata.get('requiredMetrics')) ?? []),
    graph: {input, output, width, columns},
  };
}

function componentsOf(
  metadata: ReadonlyMap<string, string>,
  manifest: Manifest | undefined,
): readonly string[] {
  if (manifest?.contract !== undefined) return manifest.components;
  return listOf(metadata.get('components')) ?? COMPONENTS;
}

/** Columns of a float matrix; undefined for anything else. */
function widthOf(value: ValueInfoProto | undefined): number | undefined {
  const tensor = value?.type?.value;
  if (tensor?.case !== 'tensorType' || tensor.value.elemType !== FLOAT) return undefined;
  const dimensions = tensor.value.shape?.dim ?? [];
  const columns = dimensions[1]?.value;
  return dimensions.length === 2 && columns?.case === 'dimValue'
    ? Number(columns.value)
    : undefined;
}

function listOf(text: string | undefined): string[] | undefined {
  return text?.split(',').filter(item => item !== '');
}

function kindOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined);
}

/** Of a file only: a pipe or a device may never end. */
async function readWhole(file: string): Promise<Buffer> {
  const kind = await kindOf(file);
  if (kind !== undefined && !kind.isFile()) throw unreadable(file, 'it is no file');
  return readFile(file).catch((cause: unknown) => {
    throw unreadable(file, 'the file cannot be read', cause);
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, 'the file cannot be read', cause);
  }
}

function mismatch(path: string, reason: string): ForestayError {
  return new ForestayError(
    'MODEL_SIGNATURE_MISMATCH',
    `cannot use model ${path}: ${reason}; export it for this contract (models/README.md)`,
    {details: {path}},
  );
}

function unreadable(path: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `cannot read model ${path}: ${reason}; name an ONNX file, or a folder with model.onnx`,
    {details: {path}, cause},
  );
}
