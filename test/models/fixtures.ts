import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {COMPONENTS} from '../../core/domain/components.ts';
import {FEATURE_COUNT, FEATURE_HASH} from '../../core/domain/features.ts';
import {writeArtefact} from '../../models/artefact.ts';
import {createUniform} from '../../models/random.ts';
import {binTable} from '../../models/trees/bins.ts';
import {BOOSTING_DEFAULTS, type BoostingOptions, trainForest} from '../../models/trees/boosting.ts';
import type {Forest} from '../../models/trees/forest.ts';
import type {TreeModel} from '../../models/trees/tree-model.ts';

export type Sample = {
  columns: number;
  features: Float32Array;
  labels: Uint8Array;
  rows: Int32Array;
};

/** Rows of uniform features, some missing, and labels drawn from a known risk. */
export function drawSample(
  seed: number,
  rows: number,
  columns: number,
  riskOf: (row: Float32Array) => number,
  missingShare = 0.05,
): Sample {
  const random = createUniform(seed);
  const features = new Float32Array(rows * columns);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const values = features.subarray(row * columns, (row + 1) * columns);
    for (let column = 0; column < columns; column++) {
      values[column] = random() < missingShare ? Number.NaN : random();
    }
    labels[row] = random() < riskOf(values) ? 1 : 0;
  }
  return {columns, features, labels, rows: Int32Array.from({length: rows}, (_, row) => row)};
}

/** High when the first two columns disagree about one half; a missing first column is safe. */
export function xorRisk(row: Float32Array): number {
  const [first, second] = row as unknown as [number, number];
  if (first !== first) return 0.02;
  return first > 0.5 !== second > 0.5 ? 0.9 : 0.05;
}

export function trainOn(sample: Sample, options: Partial<BoostingOptions> = {}): Forest {
  const table = binTable(sample.features, sample.columns, sample.rows);
  const input = {table, ...sample, train: sample.rows, validation: new Int32Array()};
  return trainForest(input, {...BOOSTING_DEFAULTS, rounds: 20, ...options}).forest;
}

/** A model of `components` small forests over the columns of `sample`. */
export function modelOn(sample: Sample, components: number): TreeModel {
  const forests = Array.from({length: components}, (_, index) =>
    trainOn(sample, {rounds: 8 + index, seed: index}),
  );
  return {
    featureCount: sample.columns,
    forests,
    slopes: Float32Array.from({length: components}, (_, index) => 1 + index / 10),
    offsets: Float32Array.from({length: components}, (_, index) => index / 20 - 0.1),
  };
}

/** Rows with as many columns as the feature contract has; the first two decide. */
export function drawContractSample(seed: number, rows: number): Sample {
  return drawSample(seed, rows, FEATURE_COUNT, xorRisk);
}

const models = new Map<number, TreeModel>();

/** Trained once a process: most tests only need some model. */
function modelOf(seed: number): TreeModel {
  const model = models.get(seed) ?? modelOn(drawContractSample(seed, 400), COMPONENTS.length);
  models.set(seed, model);
  return model;
}

/** A folder below the system's temporary one with a small model of all components; removed after. */
export async function writeModel(t: ExecutionContext, seed = 31): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forestay-model-'));
  t.teardown(() => rm(folder, {recursive: true}));
  const sample = drawContractSample(seed, 400);
  const model = modelOf(seed);
  const metadata = {
    name: 'test-model',
    featureHash: FEATURE_HASH,
    components: COMPONENTS,
    requiredMetrics: ['cpu_utilisation_ratio'],
    seed,
    data: 'drawn',
  };
  const usual = new Float32Array(FEATURE_COUNT).fill(0.5);
  usual[3] = Number.NaN;
  const golden = sample.features.slice(0, 4 * FEATURE_COUNT);
  const provenance = {version: '1', metrics: [], limits: [], usual};
  await writeArtefact(folder, model, metadata, provenance, golden);
  return folder;
}
