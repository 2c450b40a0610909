import {randomUUID} from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import {hostname} from 'node:os';
import {dirname, join} from 'node:path';
import {ForestayError, isForestayError} from '../../core/domain/errors.ts';
import type {Files} from '../../core/ports.ts';
import {hashOf} from '../artefact-files.ts';
import {decodeEntry, type Entry, encodeEntry, isHash} from './entry.ts';
import {familyNamed} from './families.ts';
import type {Keys, Signature} from './keys.ts';

/**
 * Entries on the disk, `entries/HASH/`. Each comes into being by a rename of a folder that is whole,
 * and goes by one: half an entry never has its name.
 */
export type EntryStore = {
  /** Hashes of all that lie there, sound or not. */
  hashes(): string[];
  folderOf(hash: string): string;
  /**
   * Reads an entry and checks its signature and every file's hash; the ONNX runtime is not asked.
   *
   * @throws {ForestayError} `NOT_FOUND`, `MODEL_UNREADABLE`, `MODEL_UNTRUSTED`,
   *   `MODEL_HASH_MISMATCH`.
   */
  read(hash: string): Entry;
  /**
   * Makes an entry of what `fill` writes to a folder of its own, signs it and gives it its name. One
   * of that name stays as it is, unless it is damaged: then this takes its place. If `fill` fails
   * nothing is left.
   */
  make(fill: (folder: string) => Promise<Entry>): Promise<Entry>;
  /** Takes an entry away, unless `isNeeded` says afterwards that it is: then it is back. */
  remove(hash: string, isNeeded: () => boolean): boolean;
  /** Removes what processes of this machine that are gone left half, and what is a day old. */
  sweep(): void;
};

const ENTRY = 'entry.json';
const SIGNATURE = 'signature.json';
const OWN = [ENTRY, SIGNATURE];
/** No adding takes so long: whoever did it, on whatever machine, is gone. */
const ABANDONED_MS = 24 * 3_600_000;

export function openEntryStore(files: Files, directory: string, keys: Keys): EntryStore {
  const entries = join(directory, 'entries');
  const incoming = join(directory, 'incoming');
  const folderOf = (hash: string) => join(entries, hash);
  const discard = (folder: string) => rmSync(folder, {recursive: true, force: true});
  const place = () => join(incoming, `${hostname()}.${process.pid}.${randomUUID()}`);
  return {
    hashes: () => (files.exists(entries) ? files.list(entries).filter(isHash) : []),
    folderOf,
    read: hash => readEntry(folderOf(hash), hash, keys),
    async make(fill) {
      const folder = place();
      mkdirSync(folder, {recursive: true});
      try {
        const entry = await fill(folder);
        const bytes = encodeEntry(entry);
        files.replace(join(folder, ENTRY), bytes);
        files.replace(
          join(folder, SIGNATURE),
          Buffer.from(`${JSON.stringify(keys.sign(bytes))}\n`),
        );
        mkdirSync(entries, {recursive: true});
        const named = folderOf(entry.hash);
        if (!renameWhole(folder, named) && isDamaged(named, entry.hash, keys)) {
          const aside = place();
          renameSync(named, aside);
          renameWhole(folder, named);
          discard(aside);
        }
        return readEntry(folderOf(entry.hash), entry.hash, keys);
      } finally {
        discard(folder);
      }
    },
    remove(hash, isNeeded) {
      mkdirSync(incoming, {recursive: true});
      const aside = place();
      renameSync(folderOf(hash), aside);
      syncDirectory(entries);
      const needed = isNeeded();
      if (!needed || !renameWhole(aside, folderOf(hash))) discard(aside);
      return !needed;
    },
    sweep() {
      if (!files.exists(incoming)) return;
      for (const name of files.list(incoming)) {
        const path = join(incoming, name);
        const old = Date.now() - statSync(path).mtimeMs > ABANDONED_MS;
        if (old || isAbandoned(name)) discard(path);
      }
    },
  };
}

function readEntry(folder: string, hash: string, keys: Keys): Entry {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    throw notFound(hash, cause);
  }
  const bytes = readPart(folder, ENTRY);
  const signature = parseSignature(readPart(folder, SIGNATURE), folder);
  keys.require(`the entry in ${folder}`, bytes, signature);
  const entry = decodeEntry(bytes, join(folder, ENTRY));
  if (entry.hash !== hash) {
    throw damaged(folder, `it is the entry of ${entry.hash}, under another name`);
  }
  for (const name of familyNamed(entry.family).files) {
    if (entry.files[name] === undefined) throw damaged(folder, `its entry lists no ${name}`);
  }
  const foreign = names.find(name => !OWN.includes(name) && entry.files[name] === undefined);
  if (foreign !== undefined) throw damaged(folder, `${foreign} is not of it`);
  for (const [name, expected] of Object.entries(entry.files)) {
    const found = hashOf(readPart(folder, name));
    if (found !== expected) {
      throw damaged(folder, `the SHA-256 of ${name} is ${found}, its entry says ${expected}`);
    }
  }
  if (entry.files['model.onnx'] !== hash)
    throw damaged(folder, 'its model is not that of its name');
  return entry;
}

function isDamaged(folder: string, hash: string, keys: Keys): boolean {
  try {
    readEntry(folder, hash, keys);
    return false;
  } catch (error) {
    if (isForestayError(error)) return true;
    throw error;
  }
}

function readPart(folder: string, name: string): Buffer {
  try {
    return readFileSync(join(folder, name));
  } catch (cause) {
    throw incomplete(folder, name, cause);
  }
}

function parseSignature(bytes: Buffer, folder: string): Signature {
  try {
    const {keyId, signature} = JSON.parse(bytes.toString('utf8')) as Signature;
    return {keyId: String(keyId), signature: String(signature)};
  } catch (cause) {
    throw damaged(folder, `${SIGNATURE} is not JSON`, cause);
  }
}

/** False if there is one of that name. The new name is durable when this returns. */
function renameWhole(from: string, to: string): boolean {
  syncDirectory(from);
  try {
    renameSync(from, to);
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
  syncDirectory(dirname(to));
  return true;
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Named by host, process and a number of its own. A process of another host may be alive. */
function isAbandoned(name: string): boolean {
  const [, host, pid] = /^(.+)\.(\d+)\.[0-9a-f-]{36}$/.exec(name) ?? [];
  if (host !== hostname() || Number(pid) === process.pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function incomplete(folder: string, name: string, cause: unknown): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `cannot read ${name} of the entry in ${folder}; restore it, or add the model again`,
    {details: {folder, name}, cause},
  );
}

function damaged(folder: string, reason: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'MODEL_HASH_MISMATCH',
    `cannot use the entry in ${folder}: ${reason}; restore it, or add the model again`,
    {details: {folder}, cause},
  );
}

function notFound(hash: string, cause: unknown): ForestayError {
  return new ForestayError(
    'NOT_FOUND',
    `no entry ${hash} is in the registry; see forestay models list`,
    {details: {hash}, cause},
  );
}
