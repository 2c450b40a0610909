/** `drift.json` beside a model: what its inputs looked like when it was trained. */
import {stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {DriftSnapshot} from '../core/domain/drift/snapshot.ts';
import {snapshotFault} from '../core/domain/drift/snapshot-fault.ts';
import {ForestayError} from '../core/domain/errors.ts';
import {readPlainFile} from './artefact-files.ts';

const DRIFT_FILE = 'drift.json';
/** A few times what the largest contract needs. */
const BYTES_MAX = 1_000_000;

type DriftFile = {
  /** SHA-256 of the model that learned from the rows. */
  readonly model: string;
  readonly snapshot: DriftSnapshot;
};

/** Writes the snapshot of a model's training rows beside it, a line each feature. */
export function writeDriftFile(
  folder: string,
  model: string,
  snapshot: DriftSnapshot,
): Promise<void> {
  const text = JSON.stringify({model, snapshot} satisfies DriftFile);
  return writeFile(join(folder, DRIFT_FILE), `${text.replaceAll('{"name":', '\n{"name":')}\n`);
}

/**
 * The snapshot beside a model; null where there is none.
 *
 * @param model SHA-256 of the model; a snapshot of another one is refused.
 * @throws {ForestayError} `MODEL_UNREADABLE`, `MODEL_HASH_MISMATCH`.
 */
export async function readDriftFile(folder: string, model: string): Promise<DriftSnapshot | null> {
  const path = join(folder, DRIFT_FILE);
  const kind = await stat(path).catch(() => undefined);
  if (kind === undefined) return null;
  if (kind.size > BYTES_MAX) {
    throw unreadable(path, `it has ${kind.size} bytes, at most ${BYTES_MAX} are read`);
  }
  const text = await readPlainFile(path).catch((cause: unknown) => {
    throw unreadable(path, 'it is no file that can be read', cause);
  });
  const content = parse(text.toString('utf8'), path);
  const fault = snapshotFault(content?.snapshot);
  if (content === null || fault !== '') throw unreadable(path, fault || 'it holds nothing');
  if (content.model !== model) throw ofAnother(path, String(content.model), model);
  return content.snapshot as DriftSnapshot;
}

function parse(text: string, path: string): Partial<DriftFile> | null {
  try {
    return JSON.parse(text) as Partial<DriftFile> | null;
  } catch (cause) {
    throw unreadable(path, 'it is not JSON', cause);
  }
}

function unreadable(path: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `cannot read ${path}: ${reason}; restore it, or remove it: inputs are not watched then`,
    {details: {path}, cause},
  );
}

function ofAnother(path: string, found: string, model: string): ForestayError {
  return new ForestayError(
    'MODEL_HASH_MISMATCH',
    `cannot use ${path}: it is of model ${found}, beside it lies ${model}; restore it, or remove ` +
      'it: inputs are not watched then',
    {details: {path, found, model}},
  );
}
