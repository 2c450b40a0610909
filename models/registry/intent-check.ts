import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {ForestayError} from '../../core/domain/errors.ts';
import {INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {
  type IntentGolden,
  type IntentManifest,
  intentInputHash,
} from '../../core/domain/intent-manifest.ts';
import {INTENT_STEP_MS} from '../../core/domain/intent-step.ts';
import {RISK_OUTPUTS} from '../../core/domain/reboot-risks.ts';
import type {IntentMetrics} from '../intent/evaluation.ts';
import {openNetwork} from '../network/network-session.ts';
import {openRunner} from '../network/runtime.ts';
import type {Described} from './families.ts';

/** A golden risk may differ by this much from one machine to another. */
const GOLDEN_TOLERANCE = 1e-5;

/**
 * What an agent would check before it runs the model (`edge/intent-model.ts`), without an agent.
 *
 * @throws {ForestayError} `MODEL_UNREADABLE`, `MODEL_HASH_MISMATCH`, `MODEL_SIGNATURE_MISMATCH`,
 *   `SCORER_FAILED`.
 */
export async function checkIntentModel(folder: string): Promise<Described> {
  const manifest = await readJson<IntentManifest>(folder, 'manifest.json');
  const {inputHash, outputs, sha256, explainSha256, version, seed, data} = manifest;
  const own = intentInputHash(
    INTENT_INPUTS.map(({name}) => name),
    INTENT_STEP_MS,
  );
  if (inputHash !== own) {
    throw mismatch(folder, `it reads rows of hash ${inputHash}, agents make rows of hash ${own}`);
  }
  if (!Array.isArray(outputs) || outputs.join() !== RISK_OUTPUTS.join()) {
    throw mismatch(folder, `it tells ${outputs}; agents know ${RISK_OUTPUTS.join(', ')}`);
  }
  const model = await readHashed(folder, 'model.onnx', sha256);
  const explain = await readHashed(folder, 'explain.onnx', explainSha256);
  await verifyGolden(folder, model, await readJson<IntentGolden>(folder, 'golden.json'));
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
  {rows, risks}: IntentGolden,
): Promise<void> {
  if (
    !Array.isArray(rows) ||
    !Array.isArray(risks) ||
    rows.length !== risks.length ||
    !rows.length
  ) {
    throw unreadable(folder, 'golden.json has no rows with their risks');
  }
  const session = await openNetwork(bytes);
  try {
    const {hidden, columns, outputs, form} = session.signature;
    if (form !== 'stream' || columns !== INTENT_INPUTS.length) {
      throw mismatch(folder, `its graph is a ${form} of ${columns} columns`);
    }
    const state = new Float32Array(2 * hidden);
    const told = new Float32Array(outputs.length);
    for (const [at, row] of rows.entries()) {
      const values = Float32Array.from(row as (number | null)[], value => value ?? Number.NaN);
      await session.run(1, values, told, state);
      for (const [output, risk] of told.entries()) {
        const wanted = risks[at]?.[output] ?? Number.NaN;
        if (!(Math.abs(risk - wanted) <= GOLDEN_TOLERANCE)) throw untrue(folder, at, risk, wanted);
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

async function readPart(folder: string, name: string): Promise<Buffer> {
  return readFile(join(folder, name)).catch((cause: unknown) => {
    throw unreadable(folder, `${name} cannot be read`, cause);
  });
}

async function readJson<Content>(folder: string, name: string): Promise<Content> {
  const text = (await readPart(folder, name)).toString();
  try {
    const content = JSON.parse(text) as Content | null;
    if (typeof content === 'object' && content !== null) return content;
  } catch (cause) {
    throw unreadable(folder, `${name} is not JSON`, cause);
  }
  throw unreadable(folder, `${name} holds no object`);
}

async function readHashed(folder: string, name: string, expected: string): Promise<Uint8Array> {
  const bytes = await readPart(folder, name);
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (hash === expected) return bytes;
  throw new ForestayError(
    'MODEL_HASH_MISMATCH',
    `cannot use ${join(folder, name)}: its SHA-256 is ${hash}, its manifest says ${expected}`,
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
      `${wanted} (tolerance ${GOLDEN_TOLERANCE}); its folder or the ONNX runtime is damaged`,
    {details: {folder, row, risk, wanted}},
  );
}
