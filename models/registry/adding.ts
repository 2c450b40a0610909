import {join} from 'node:path';
import type {DriftSnapshot} from '../../core/domain/drift/snapshot.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import type {Files} from '../../core/ports.ts';
import {hashOf, readPlainFile} from '../artefact-files.ts';
import {readDriftFile} from '../drift-file.ts';
import type {Author} from './aliases.ts';
import type {Entry, EntryMetric} from './entry.ts';
import type {EntryStore} from './entry-store.ts';
import {type Described, familyNamed} from './families.ts';

export type AddOptions = {
  readonly author: Author;
  /** Version of this program. */
  readonly codeVersion: string;
  /** Absent: what the manifest says. */
  readonly family?: string;
  readonly parent?: string | null;
  readonly dataHash?: string | null;
  /** Absent: what lies beside the model. */
  readonly drift?: DriftSnapshot;
  /** Beyond those of the manifest: by fold, by segment. */
  readonly metrics?: readonly EntryMetric[];
};

/**
 * Copies an artefact into the store, and opens the copy before it gets a name.
 *
 * @throws {ForestayError} Those of the family's check; `NOT_FOUND` for a family that is none;
 *   `MODEL_UNREADABLE`, `MODEL_HASH_MISMATCH` for a drift.json that is not of the model.
 */
export async function addArtefact(
  files: Files,
  store: EntryStore,
  artefact: string,
  options: AddOptions,
): Promise<{entry: Entry; isNew: boolean}> {
  store.sweep();
  const family = familyNamed(options.family ?? (await familyOf(artefact)));
  let isNew = true;
  const entry = await store.make(async folder => {
    const hashes: Record<string, string> = {};
    for (const name of family.files) {
      const bytes = await readPart(artefact, name);
      files.replace(join(folder, name), bytes);
      hashes[name] = hashOf(bytes);
    }
    const drift = options.drift ?? (await readDriftFile(artefact, hashes['model.onnx'] as string));
    const made = toEntry(family.name, hashes, await family.check(folder), drift, options);
    isNew = !store.hashes().includes(made.hash);
    return made;
  });
  return {entry, isNew};
}

function toEntry(
  family: string,
  files: Readonly<Record<string, string>>,
  described: Described,
  drift: DriftSnapshot | null,
  {author, codeVersion, parent = null, dataHash = null, metrics = []}: AddOptions,
): Entry {
  return {
    format: 1,
    family,
    hash: files['model.onnx'] as string,
    version: described.version,
    featureHash: described.featureHash,
    dataHash,
    data: described.data,
    codeVersion,
    seed: described.seed,
    metrics: [...described.metrics, ...metrics],
    drift,
    parent,
    addedAtMs: author.atMs,
    addedBy: author.who,
    files,
  };
}

/** What the manifest says; only its name is read, the family's check looks at the rest. */
async function familyOf(artefact: string): Promise<string> {
  const text = (await readPart(artefact, 'manifest.json')).toString('utf8');
  try {
    return String((JSON.parse(text) as {name?: unknown}).name);
  } catch (cause) {
    throw unreadable(artefact, 'manifest.json is not JSON', cause);
  }
}

async function readPart(artefact: string, name: string): Promise<Buffer> {
  return readPlainFile(join(artefact, name)).catch((cause: unknown) => {
    throw unreadable(artefact, `${name} cannot be read`, cause);
  });
}

function unreadable(artefact: string, reason: string, cause: unknown): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `cannot add ${artefact}: ${reason}; give a folder that forestay train wrote`,
    {details: {path: artefact}, cause},
  );
}
