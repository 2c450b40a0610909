import {join} from 'node:path';
import {ForestayError} from '../../core/domain/errors.ts';
import {INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {
  INTENT_GOLDEN_TOLERANCE,
  intentMisfit,
  parseIntentGolden,
  parseIntentManifest,
  type RefuseIntent,
} from '../../core/domain/intent-fit.ts';
import type {IntentGolden, IntentManifest} from '../../core/domain/intent-manifest.ts';
import {hashOf, readPlainFile} from '../artefact-files.ts';
import type {IntentMetrics} from '../intent/evaluation.ts';
import {openNetwork} from '../network/network-session.ts';
import {openRunner} from '../network/runtime.ts';
import type {Described} from './families.ts';

/**
 * What an agent checks before it runs the model, without an agent.
 *
 * @throws {ForestayError} `MODEL_UNREADABLE`, `MODEL_HASH_MISMATCH`, `MODEL_SIGNATURE_MISMATCH`,
 *   `SCORER_FAILED`.
 */
export async function checkIntentModel(folder: string): Promise<Described> {
  const refuse: RefuseIntent = (reason, cause) => unreadable(folder, reason, cause);
  const manifest = parseIntentManifest(await readText(folder, 'manifest.json'), refuse);
  const reason = intentMisfit(manifest);
  if (reason !== '') throw mismatch(folder, reason);
  const {inputHash, sha256, explainSha256, version, seed, data} = manifest;
  const model = await readHashed(folder, 'model.onnx', sha256);
  const explain = await readHashed(folder, 'explain.onnx', explainSha256);
  const golden = parseIntentGolden(await readText(folder, 'golden.json'), refuse);
  await verifyGolden(folder, model, manifest, golden);
  await (await openRunner(explain, `explain.onnx of ${folder}`)).release();
  return {
    version: String(version),
    featureHash: inputHash,
    seed,
    data,
    metrics: metricsOf(manifest),
  };
}

async function verifyGolden(
  folder: string,
  bytes: Uint8Array,
  manifest: IntentManifest,
  {rows, risks}: IntentGolden,
): Promise<void> {
  const session = await openNetwork(bytes);
  try {
    const {hidden, columns, outputs, form} = session.signature;
    if (form !== 'stream' || columns !== INTENT_INPUTS.length) {
      throw mismatch(folder, `its graph is a ${form} of ${columns} columns`);
    }
    if (hidden !== manifest.hidden) {
      throw mismatch(folder, `its graph has ${hidden} cells, its manifest says ${manifest.hidden}`);
    }
    const state = new Float32Array(2 * hidden);
    const told = new Float32Array(outputs.length);
    for (const [at, row] of rows.entries()) {
      const values = Float32Array.from(row, value => value ?? Number.NaN);
      await session.run(1, values, told, state);
      for (const [output, risk] of told.entries()) {
        const wanted = risks[at]?.[output] ?? Number.NaN;
        if (!(Math.abs(risk - wanted) <= INTENT_GOLDEN_TOLERANCE))
          throw untrue(folder, at, risk, wanted);
      }
    }
  } finally {
    await session.release();
  }
}

function metricsOf({metrics}: IntentManifest): Described['metrics'] {
  const byHorizon = (metrics as readonly Partial<IntentMetrics>[]).filter(
    (each): each is IntentMetrics => each.horizonMinutes !== undefined,
  );
  return byHorizon.map(({cause, horizonMinutes, ...figures}) => ({
    output: `${cause}-${horizonMinutes}min`,
    fold: 'unseen',
    segment: 'all',
    ...figures,
  }));
}

async function readText(folder: string, name: string): Promise<string> {
  return (await readPart(folder, name)).toString();
}

async function readPart(folder: string, name: string): Promise<Buffer> {
  return readPlainFile(join(folder, name)).catch((cause: unknown) => {
    throw unreadable(folder, `${name} cannot be read`, cause);
  });
}

async function readHashed(folder: string, name: string, expected: string): Promise<Uint8Array> {
  const bytes = await readPart(folder, name);
  const hash = hashOf(bytes);
  if (hash === expected) return bytes;
  throw new ForestayError(
    'MODEL_HASH_MISMATCH',
    `cannot use ${join(folder, name)}: its SHA-256 is ${hash}, its manifest says ${expected}; ` +
      'restore the file, or train the model again',
    {details: {folder, name, hash}},
  );
}

function mismatch(folder: string, reason: string): ForestayError {
  return new ForestayError(
    'MODEL_SIGNATURE_MISMATCH',
    `cannot take ${folder} as a reboot-intent model: ${reason}; train it for this version`,
    {details: {folder}},
  );
}

function unreadable(folder: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `cannot read the reboot-intent model in ${folder}: ${reason}; train it again`,
    {details: {folder}, cause},
  );
}

function untrue(folder: string, row: number, risk: number, wanted: number): ForestayError {
  return new ForestayError(
    'SCORER_FAILED',
    `cannot trust the reboot-intent model in ${folder}: golden row ${row} gives ${risk}, not ` +
      `${wanted} (tolerance ${INTENT_GOLDEN_TOLERANCE}); its folder or the ONNX runtime is damaged`,
    {details: {folder, row, risk, wanted}},
  );
}
