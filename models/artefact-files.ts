import {createHash} from 'node:crypto';
import {readFile, stat, writeFile} from 'node:fs/promises';

/** SHA-256, hexadecimal: what names a model's file. */
export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** JSON has no NaN: a value that is not there is null. */
export function presentOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

export function writeJson(path: string, value: unknown): Promise<void> {
  return writeFile(path, `${JSON.stringify(value, undefined, 1)}\n`);
}

/** Reads a file, and nothing else: a pipe or a device may never end. Throws as Node does. */
export async function readPlainFile(path: string): Promise<Buffer> {
  const kind = await stat(path);
  if (!kind.isFile()) throw new Error(`${path} is no file`);
  return readFile(path);
}
