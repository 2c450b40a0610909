import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import {COMPONENTS} from '../../../core/domain/components.ts';
import {FEATURE_COUNT, FEATURE_HASH} from '../../../core/domain/features.ts';
import {writeArtefact} from '../../../models/artefact.ts';
import {openRegistry} from '../../../models/registry/registry.ts';
import {drawContractSample, modelOn} from '../fixtures.ts';

export const ARTEFACTS = join(import.meta.dirname, '../../../models/artefacts');

export async function makeFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forestay-registry-'));
  t.teardown(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

export async function makeRegistry(t: ExecutionContext) {
  const directory = await makeFolder(t);
  return {directory, registry: openRegistry(directory, nodeFiles)};
}

/** A small component-failure model as training writes it; every seed gives another one. */
export async function writeComponentModel(
  t: ExecutionContext,
  seed: number,
  change: {name?: string; components?: readonly string[]} = {},
): Promise<string> {
  const folder = await makeFolder(t);
  const sample = drawContractSample(seed, 120);
  const metadata = {
    name: change.name ?? 'component-failure',
    featureHash: FEATURE_HASH,
    components: change.components ?? COMPONENTS,
    requiredMetrics: [],
    seed,
    data: 'drawn',
  };
  const usual = new Float32Array(FEATURE_COUNT).fill(0.5);
  const golden = sample.features.slice(0, 4 * FEATURE_COUNT);
  const model = modelOn(sample, metadata.components.length);
  const metrics = COMPONENTS.map(component => ({
    component,
    rows: 120,
    positives: 12,
    averagePrecision: 0.5,
    rocAuc: 0.8,
    logLoss: 0.2,
    baseLogLoss: 0.3,
    brier: 0.05,
    calibrationError: 0.01,
    atBudget: {budgetRatio: 0.01, threshold: 0.5, precision: 1, recall: 0.1},
    episodes: {
      failures: 3,
      foreseen: 1,
      leadSecondsP10: 60,
      leadSecondsP50: 60,
      leadSecondsP90: 60,
    },
  }));
  await writeArtefact(folder, model, metadata, {version: '1', metrics, limits: [], usual}, golden);
  await writeFile(join(folder, 'README.md'), `# ${metadata.name}\n`);
  return folder;
}

export function addedBy(who: string, atMs = 1_000_000, why = 'a test') {
  return {author: {who, why, atMs}, codeVersion: '0.0.0'};
}
