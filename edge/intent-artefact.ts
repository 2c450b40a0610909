import {createHash} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {ForestayError} from '../core/domain/errors.ts';
import {INTENT_INPUTS} from '../core/domain/host-metrics.ts';
import {
  type IntentGolden,
  type IntentManifest,
  intentInputHash,
} from '../core/domain/intent-manifest.ts';
import {INTENT_STEP_MS} from '../core/domain/intent-step.ts';
import {RISK_OUTPUTS} from '../core/domain/reboot-risks.ts';

/** A reboot-intent model as it lies in its folder, checked and not yet in a runtime. */
export type IntentArtefact = {
  readonly folder: string;
  readonly manifest: IntentManifest;
  readonly golden: IntentGolden;
  readonly model: Uint8Array;
  readonly explain: Uint8Array;
};

/**
 * Reads manifest.json, golden.json, model.onnx and explain.onnx of the folder, and checks that they
 * belong together and fit this program.
 *
 * @throws {ForestayError} `MODEL_UNREADABLE`, `MODEL_HASH_MISMATCH`, `MODEL_SIGNATURE_MISMATCH`.
 */
export async function readIntentArtefact(folder: string): Promise<IntentArtefact> {
  const manifest = await readJson<IntentManifest>(folder, 'manifest.json', isManifest);
  requireOwnInputs(folder, manifest);
  return {
    folder,
    manifest,
    golden: await readJson<IntentGolden>(folder, 'golden.json', isGolden),
    model: await readHashed(folder, 'model.onnx', manifest.sha256),
    explain: await readHashed(folder, 'explain.onnx', manifest.explainSha256),
  };
}

/** Of a file only: a pipe may never end, and an agent that waits for it cannot be stopped. */
async function readPart(folder: string, name: string): Promise<Buffer> {
  const kind = await stat(join(folder, name)).catch(() => undefined);
  if (kind !== undefined && !kind.isFile()) throw unreadable(folder, `${name} is no file`);
  return readFile(join(folder, name)).catch((cause: unknown) => {
    throw unreadable(folder, `${name} cannot be read`, cause);
  });
}

async function readJson<Content>(
  folder: string,
  name: string,
  isSound: (content: Partial<Content>) => boolean,
): Promise<Content> {
  const text = (await readPart(folder, name)).toString();
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw unreadable(folder, `${name} is not JSON`, cause);
  }
  if (typeof content === 'object' && content !== null && isSound(content)) {
    return content as Content;
  }
  throw unreadable(folder, `${name} lacks what an agent relies on`);
}

/** Of a state, and of steps that are explained; a number above is a slip. */
const SIZE_MAX = 4096;

/** Checks only what this program relies on: the rest is for people. */
function isManifest(content: Partial<IntentManifest>): boolean {
  const {sha256, explainSha256, inputs, inputHash, outputs, hidden, explainSteps, usual} = content;
  return (
    typeof sha256 === 'string' &&
    typeof explainSha256 === 'string' &&
    typeof inputHash === 'number' &&
    [hidden, explainSteps].every(isSize) &&
    [inputs, outputs].every(isTexts) &&
    isNumbers(usual) &&
    usual?.length === inputs?.length
  );
}

function isGolden({rows, risks}: Partial<IntentGolden>): boolean {
  const sound = Array.isArray(rows) && Array.isArray(risks) && rows.length === risks.length;
  return (
    sound &&
    rows.length > 0 &&
    rows.every(row => isNumbers(row) && row.length === INTENT_INPUTS.length) &&
    risks.every(row => isNumbers(row) && row.length === RISK_OUTPUTS.length)
  );
}

function isSize(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= SIZE_MAX;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every(item => item === null || typeof item === 'number');
}

function requireOwnInputs(folder: string, {inputs, inputHash, outputs}: IntentManifest): void {
  const names = INTENT_INPUTS.map(({name}) => name);
  const own = intentInputHash(names, INTENT_STEP_MS);
  if (inputHash !== own) {
    const other = inputs.find((name, at) => name !== names[at]) ?? names[inputs.length];
    throw mismatch(
      folder,
      `it reads rows of hash ${inputHash}, this version makes rows of hash ${own} ` +
        `(first that differs: ${other ?? 'the time between two rows'})`,
      {expected: own, found: inputHash},
    );
  }
  if (outputs.join() === RISK_OUTPUTS.join()) return;
  throw mismatch(folder, `it tells ${outputs.join(', ')}; known are ${RISK_OUTPUTS.join(', ')}`);
}

async function readHashed(folder: string, name: string, expected: string): Promise<Uint8Array> {
  const bytes = await readPart(folder, name);
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (hash === expected) return bytes;
  throw new ForestayError(
    'MODEL_HASH_MISMATCH',
    `cannot use the reboot-intent model in ${folder}: the SHA-256 of ${name} is ${hash}, its ` +
      `manifest says ${expected}; restore the file, or use --intent-model off`,
    {details: {folder, name, hash, expected}},
  );
}

function mismatch(
  folder: string,
  reason: string,
  details: Record<string, string | number> = {},
): ForestayError {
  return new ForestayError(
    'MODEL_SIGNATURE_MISMATCH',
    `cannot use the reboot-intent model in ${folder}: ${reason}; take the one of this version, ` +
      'train it again, or use --intent-model off',
    {details: {folder, ...details}},
  );
}

function unreadable(folder: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `cannot read the reboot-intent model in ${folder}: ${reason}; check --intent-model`,
    {details: {folder}, cause},
  );
}
