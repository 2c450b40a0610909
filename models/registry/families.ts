import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {ForestayError} from '../../core/domain/errors.ts';
import {contractHash, FIRST_HOST_CONTRACT} from '../../core/domain/features.ts';
import {
  COMPONENT_FAILURE,
  COMPONENT_OUTLOOK,
  type FailureFamily,
  outputNames,
} from '../failure/family.ts';
import {type Manifest, parseManifest} from '../manifest.ts';
import {openSession} from '../session.ts';
import type {EntryMetric} from './entry.ts';
import {checkIntentModel} from './intent-check.ts';

/** What an artefact says of itself, once it has shown that it runs. */
export type Described = {
  readonly version: string;
  readonly featureHash: number;
  readonly seed: number;
  readonly data: string;
  readonly metrics: readonly EntryMetric[];
};

/** Models that may take each other's place. */
export type ModelFamily = {
  readonly name: string;
  /** Files that an entry must have; it may have no others. */
  readonly files: readonly string[];
  /**
   * Opens the model in the ONNX runtime, on this thread: it must be of the family's contract, of
   * operators that the runtime knows, and give its golden risks.
   *
   * @throws {ForestayError} `MODEL_UNREADABLE`, `MODEL_HASH_MISMATCH`, `MODEL_SIGNATURE_MISMATCH`,
   *   `SCORER_FAILED`.
   */
  check(folder: string): Promise<Described>;
};

const TREE_FILES = ['model.onnx', 'manifest.json', 'golden.json', 'README.md'];
const HEX = 16;

/** All families that a registry takes. */
export const MODEL_FAMILIES: readonly ModelFamily[] = [
  ofTrees(COMPONENT_FAILURE, [
    contractHash(COMPONENT_FAILURE.contract),
    contractHash(FIRST_HOST_CONTRACT),
  ]),
  ofTrees(COMPONENT_OUTLOOK, [contractHash(COMPONENT_OUTLOOK.contract)]),
  {name: 'reboot-intent', files: [...TREE_FILES, 'explain.onnx'], check: checkIntentModel},
];

/** @throws {ForestayError} `NOT_FOUND`. */
export function familyNamed(name: string): ModelFamily {
  const found = MODEL_FAMILIES.find(family => family.name === name);
  if (found !== undefined) return found;
  throw new ForestayError(
    'NOT_FOUND',
    `no family of models is called ${name}; there are ${MODEL_FAMILIES.map(each => each.name).join(', ')}`,
    {details: {family: name}},
  );
}

/** @param contracts Hashes of the contracts that the engine makes rows of for this family. */
function ofTrees(family: FailureFamily, contracts: readonly number[]): ModelFamily {
  return {
    name: family.name,
    files: TREE_FILES,
    async check(folder) {
      const session = await openSession(folder);
      await session.release();
      const {signature, golden} = session.model;
      if (!contracts.includes(signature.featureHash)) {
        throw mismatch(
          folder,
          family.name,
          `its feature contract is ${hex(signature.featureHash)}, known are ` +
            contracts.map(hex).join(' and '),
        );
      }
      const outputs = outputNames(family);
      if (signature.components.join() !== outputs.join()) {
        throw mismatch(
          folder,
          family.name,
          `its outputs are ${signature.components.join(', ')}, not ${outputs.join(', ')}`,
        );
      }
      if (golden === undefined || golden.features.length === 0) throw withoutGolden(folder);
      const path = join(folder, 'manifest.json');
      const manifest = parseManifest(await readFile(path, 'utf8'), path);
      return {...describe(manifest), featureHash: signature.featureHash};
    },
  };
}

function describe({version, seed, data, metrics}: Manifest): Omit<Described, 'featureHash'> {
  return {
    version: String(version),
    seed,
    data,
    metrics: metrics.map(each => ({
      output: each.component,
      fold: 'unseen',
      segment: 'all',
      rows: each.rows,
      positives: each.positives,
      averagePrecision: each.averagePrecision,
      rocAuc: each.rocAuc,
      logLoss: each.logLoss,
      baseLogLoss: each.baseLogLoss,
      calibrationError: each.calibrationError,
    })),
  };
}

function hex(hash: number): string {
  return hash.toString(HEX).padStart(8, '0');
}

function mismatch(folder: string, family: string, reason: string): ForestayError {
  return new ForestayError(
    'MODEL_SIGNATURE_MISMATCH',
    `cannot take ${folder} as a model of ${family}: ${reason}; train it for this version`,
    {details: {folder, family}},
  );
}

function withoutGolden(folder: string): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `cannot verify ${folder}: it has no golden rows to run; forestay train writes them`,
    {details: {folder}},
  );
}
