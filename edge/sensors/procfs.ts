import {closeSync, existsSync, openSync, readdirSync, readSync} from 'node:fs';
import {ForestayError} from '../../core/domain/errors.ts';

/** One buffer for every sensor: reads are synchronous, so no two are under way. */
let scratch = Buffer.allocUnsafe(64 * 1024);

/** What the kernel answers for a device that is gone, or that has no reading just now. */
const absentCodes = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'ENXIO', 'ENODATA', 'EAGAIN']);

/**
 * The text of a small kernel file, or undefined where there is none (no such file, device gone, no
 * reading now). Errors: `SENSOR_FAILED` when it is there but cannot be read. About 5 µs.
 */
export function readText(path: string): string | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      let length = 0;
      for (;;) {
        const count = readSync(file, scratch, length, scratch.length - length, null);
        length += count;
        if (count === 0) return scratch.toString('latin1', 0, length);
        if (length === scratch.length) scratch = Buffer.concat([scratch], length * 2);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (absentCodes.has(code)) return undefined;
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): ForestayError {
  return new ForestayError('SENSOR_FAILED', `cannot read ${path}; the edge needs to read it`, {
    retryable: true,
    details: {path},
    cause,
  });
}

/** The number that a file holds (decimal, or hexadecimal after 0x); NaN where there is none. */
export function readNumber(path: string): number {
  const text = readText(path);
  return text === undefined ? Number.NaN : parseNumber(text, path);
}

/** A number, or `SENSOR_FAILED` naming where it stood. */
export function parseNumber(text: string | undefined, where: string): number {
  const trimmed = text?.trim() ?? '';
  const value = trimmed === '' ? Number.NaN : Number(trimmed);
  if (Number.isFinite(value)) return value;
  throw garbled(where, trimmed);
}

/** The error of a file that does not say what it should. */
export function garbled(where: string, found: string): ForestayError {
  const shown = JSON.stringify(found.slice(0, 40));
  return new ForestayError('SENSOR_FAILED', `cannot understand ${where}: found ${shown}`, {
    retryable: true,
    details: {where},
  });
}

/** Names in a folder that match, sorted; none if there is no such folder. */
export function listNames(path: string, pattern = /(?:)/): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter(name => pattern.test(name))
    .sort();
}

/** Lets one dead device not hide the others: every attempt is made, then the first failure thrown. */
export type Attempts = {attempt(read: () => void): void; rethrow(): void};

export function createAttempts(): Attempts {
  const failures: unknown[] = [];
  return {
    attempt(read) {
      try {
        read();
      } catch (error) {
        failures.push(error);
      }
    },
    rethrow() {
      if (failures.length > 0) throw failures[0];
    },
  };
}

const rescanMs = 60_000;

/**
 * Remembers what a search of the device tree found, for a minute (`everyMs`) or until `forget`:
 * devices come and go rarely, and looking for them costs more than reading them.
 */
export function createDiscovery<Found>(
  search: (nowMs: number) => Found,
  everyMs = rescanMs,
): {
  get(nowMs: number): Found;
  forget(): void;
} {
  let found: {value: Found; atMs: number} | undefined;
  return {
    get(nowMs) {
      if (found === undefined || Math.abs(nowMs - found.atMs) >= everyMs)
        found = {value: search(nowMs), atMs: nowMs};
      return found.value;
    },
    forget() {
      found = undefined;
    },
  };
}
