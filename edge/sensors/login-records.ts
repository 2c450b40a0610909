import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {garbled} from './procfs.ts';

/** A record of utmp or wtmp. */
export type LoginRecord = {
  kind: 'run-level' | 'boot' | 'session' | 'ended' | 'other';
  /** `reboot` of a boot, `shutdown` of a shutdown, else who. */
  user: string;
  processId: number;
  atMs: number;
};

const kinds: Readonly<Record<number, LoginRecord['kind']>> = {
  1: 'run-level',
  2: 'boot',
  7: 'session',
  8: 'ended',
};

/** Where things are in `struct utmp` of glibc: with 64-bit times where the platform began with them. */
type Layout = {bytes: number; secondsAt: number};
const layouts: Readonly<Record<string, Layout>> = {arm64: {bytes: 400, secondsAt: 344}};
const usualLayout: Layout = {bytes: 384, secondsAt: 340};

const newestBytes = 1024 * 1024;

/**
 * The newest records of a file, 1 MiB of them, oldest first; undefined if there is no such file.
 * Errors: `SENSOR_FAILED` if it holds anything else, and of the system.
 *
 * @see man 5 utmp
 */
export function readLoginRecords(
  path: string,
  architecture: string = process.arch,
): LoginRecord[] | undefined {
  const layout = layouts[architecture] ?? usualLayout;
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const {size} = fstatSync(file);
    const records = Math.floor(Math.min(size, newestBytes) / layout.bytes);
    const whole = size - (size % layout.bytes);
    const buffer = Buffer.alloc(records * layout.bytes);
    readSync(file, buffer, 0, buffer.length, whole - buffer.length);
    return parseLoginRecords(buffer, layout, path);
  } finally {
    closeSync(file);
  }
}

function parseLoginRecords(bytes: Buffer, layout: Layout, path: string): LoginRecord[] {
  const records: LoginRecord[] = [];
  for (let at = 0; at + layout.bytes <= bytes.length; at += layout.bytes) {
    const type = bytes.readInt16LE(at);
    const user = bytes.toString('latin1', at + 44, at + 76);
    const seconds = bytes.readUInt32LE(at + layout.secondsAt);
    if (type < 0 || type > 9) throw garbled(path, `a record of type ${type}`);
    records.push({
      kind: kinds[type] ?? 'other',
      user: user.split('\0')[0] ?? '',
      processId: bytes.readInt32LE(at + 4),
      atMs: seconds * 1000,
    });
  }
  return records;
}
