import {createHash} from 'node:crypto';
import {writeFile} from 'node:fs/promises';

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
