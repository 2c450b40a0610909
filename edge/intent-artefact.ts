import {createHash} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {ForestayError} from '../core/domain/errors.ts';
import {
  intentMisfit,
  parseIntentGolden,
  parseIntentManifest,
  type RefuseIntent,
} from '../core/domain/intent-fit.ts';
import type {IntentGolden, IntentManifest} from '../core/domain/intent-manifest.ts';

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
  const refuse: RefuseIntent = (reason, cause) => unreadable(folder, reason, cause);
  const manifest = parseIntentManifest(await readText(folder, 'manifest.json'), refuse);
  requireFit(folder, manifest);
  return {
    folder,
    manifest,
    golden: parseIntentGolden(await readText(folder, 'golden.json'), refuse),
    model: await readHashed(folder, 'model.onnx', manifest.sha256),
    explain: await readHashed(folder, 'explain.onnx', manifest.explainSha256),
  };
}

async function readText(folder: string, name: string): Promise<string> {
  return (await readPart(folder, name)).toString();
}

/** Of a file only: a pipe may never end, and an agent that waits for it cannot be stopped. */
async function readPart(folder: string, name: string): Promise<Buffer> {
  const kind = await stat(join(folder, name)).catch(() => undefined);
  if (kind !== undefined && !kind.isFile()) throw unreadable(folder, `${name} is no file`);
  return readFile(join(folder, name)).catch((cause: unknown) => {
    throw unreadable(folder, `${name} cannot be read`, cause);
  });
}

function requireFit(folder: string, manifest: IntentManifest): void {
  const reason = intentMisfit(manifest);
  if (reason === '') return;
  throw new ForestayError(
    'MODEL_SIGNATURE_MISMATCH',
    `cannot use the reboot-intent model in ${folder}: ${reason}; take the one of this version, ` +
      'train it again, or use --intent-model off',
    {details: {folder, inputHash: manifest.inputHash}},
  );
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

function unreadable(folder: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `cannot read the reboot-intent model in ${folder}: ${reason}; check --intent-model`,
    {details: {folder}, cause},
  );
}
