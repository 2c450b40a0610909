import type {DriftSnapshot} from '../../core/domain/drift/snapshot.ts';
import {snapshotFault} from '../../core/domain/drift/snapshot-fault.ts';
import {ForestayError} from '../../core/domain/errors.ts';

/** How good a model is at one output, on rows that it has not learned from. */
export type EntryMetric = {
  readonly output: string;
  /** Which rows: `unseen`, or the name of a fold. */
  readonly fold: string;
  /** Which of them: `all`, or the name of a part. */
  readonly segment: string;
  readonly rows: number;
  readonly positives: number;
  /** Null where nothing happened. */
  readonly averagePrecision: number | null;
  readonly rocAuc: number | null;
  readonly logLoss: number;
  /** Log-loss of always saying the base rate. */
  readonly baseLogLoss: number;
  readonly calibrationError: number;
};

/** What a registry knows of a model; signed, and never changed. */
export type Entry = {
  readonly format: 1;
  readonly family: string;
  /** SHA-256 of model.onnx, hexadecimal: the entry's name. */
  readonly hash: string;
  readonly version: string;
  /** Of the contract of what it reads. */
  readonly featureHash: number;
  /** SHA-256 of the rows that it learned from; null: they were simulated, see `data` and `seed`. */
  readonly dataHash: string | null;
  readonly data: string;
  /** Version of the program that added it. */
  readonly codeVersion: string;
  readonly seed: number;
  readonly metrics: readonly EntryMetric[];
  /** What its inputs looked like in training; null: nobody told. */
  readonly drift: DriftSnapshot | null;
  /** The entry that it was trained to replace, or from. */
  readonly parent: string | null;
  readonly addedAtMs: number;
  readonly addedBy: string;
  /** SHA-256 of every file of the entry but this one and its signature. */
  readonly files: Readonly<Record<string, string>>;
};

const HASH = /^[0-9a-f]{64}$/;

export function isHash(text: string): boolean {
  return HASH.test(text);
}

/** The bytes that are signed. */
export function encodeEntry(entry: Entry): Uint8Array {
  return Buffer.from(`${JSON.stringify(entry, undefined, 1)}\n`);
}

/**
 * Reads entry.json. Its signature says that it is whole; this says that it is of this version.
 *
 * @throws {ForestayError} `MODEL_UNREADABLE`.
 */
export function decodeEntry(bytes: Uint8Array, path: string): Entry {
  let entry: Partial<Entry> | null;
  try {
    entry = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<Entry> | null;
  } catch (cause) {
    throw unreadable(path, 'it is not JSON', cause);
  }
  const {format, family, hash, files, metrics} = entry ?? {};
  if (format !== 1) throw unreadable(path, `its format is ${format}, this version reads 1`);
  const sound =
    typeof family === 'string' &&
    typeof hash === 'string' &&
    isHash(hash) &&
    typeof files === 'object' &&
    files !== null &&
    Array.isArray(metrics);
  if (!sound) throw unreadable(path, 'it lacks family, hash, files or metrics');
  // Entries of older versions kept it otherwise.
  const drift = snapshotFault(entry?.drift) === '' ? entry?.drift : null;
  return {...entry, drift} as Entry;
}

function unreadable(path: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `cannot read ${path}: ${reason}; add the model again`,
    {details: {path}, cause},
  );
}
