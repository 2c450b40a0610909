import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

/** One record of utmp or wtmp, as glibc lays it out (man 5 utmp). */
export function loginRecord(
  type: number,
  user: string,
  processId: number,
  atMs: number,
  architecture: string = process.arch,
): Buffer {
  const isWide = architecture === 'arm64';
  const bytes = Buffer.alloc(isWide ? 400 : 384);
  bytes.writeInt16LE(type, 0);
  bytes.writeInt32LE(processId, 4);
  bytes.write('~', 8);
  bytes.write(user, 44);
  bytes.writeUInt32LE(Math.floor(atMs / 1000), isWide ? 344 : 340);
  return bytes;
}

export function writeBytes(root: string, path: string, parts: readonly Buffer[]): void {
  mkdirSync(dirname(join(root, path)), {recursive: true});
  writeFileSync(join(root, path), Buffer.concat(parts));
}
