import {closeSync, constants, openSync, readSync} from 'node:fs';
import type {LogLine} from './log-classes.ts';

/** The kernel says EAGAIN when there is no more, EPIPE when some were overwritten meanwhile. */
const recordMax = 8 * 1024;
const recordsPerReadMax = 2_000;

/** Follows /dev/kmsg: one record a read. */
export type KernelMessages = {
  /**
   * Gives the records since the last call, at most 2,000; false if there is no such device. What
   * the kernel kept from before the first call is skipped. Errors: of the system.
   */
  read(onLine: (line: LogLine) => void): boolean;
  close(): void;
};

export function createKernelMessages(path: string): KernelMessages {
  const buffer = Buffer.allocUnsafe(recordMax);
  let file: number | undefined;
  let isCaughtUp = false;
  return {
    read(onLine) {
      try {
        file ??= openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
        throw error;
      }
      for (let records = 0; records < recordsPerReadMax; records++) {
        const text = readRecord(file, buffer);
        if (text === undefined) {
          isCaughtUp = true;
          break;
        }
        const line = isCaughtUp ? parseKernelRecord(text) : undefined;
        if (line !== undefined) onLine(line);
      }
      return true;
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

function readRecord(file: number, buffer: Buffer): string | undefined {
  try {
    const count = readSync(file, buffer);
    return count === 0 ? undefined : buffer.toString('utf8', 0, count);
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN') return undefined;
    if (code === 'EPIPE') return '';
    throw error;
  }
}

/**
 * `4,1234,5678,-;text` with continuation lines, whose number is priority + 8 × facility; undefined
 * for what was not said by the kernel (facility 0).
 */
export function parseKernelRecord(text: string): LogLine | undefined {
  const [, code, message] = /^(\d+),\d+,\d+,[^;]*;(.*)/.exec(text) ?? [];
  if (code === undefined || message === undefined || Number(code) >= 8) return undefined;
  return {tag: 'kernel', message, priority: Number(code)};
}
