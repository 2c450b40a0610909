/**
 * Rows of many hosts to learn from what is usual: bounded, spread over hosts and times of day, and
 * still in stretches, as what follows what is a part of it.
 *
 * U1. The unit that is kept or left out is an hour of a host. Its name alone decides, so that equal
 *     rows leave equal ones whatever their order; when there are too many, half of the hours go.
 * U2. At most {@link ROWS_MAX} rows are kept, 4 bytes a metric each.
 */
import {fnv1a32} from '../hash.ts';

const HOUR_MS = 3_600_000;
/** Rows that are closer are one stretch: a minute or two may be missing. */
export const BREAK_MS = 180_000;
const ROWS_MAX = 4096;
const HOUR_ROWS = 60;
/** An hour has room for so many rows at first, and then for twice as many. */
const FIRST_ROWS = 8;

export type UsualRows = {
  /** Rows × metrics: host by host, each in the order of time. */
  readonly values: Float64Array;
  readonly atMs: Float64Array;
  /** Rows at which another host begins, or the same one after a break. */
  readonly starts: readonly number[];
};

type Hour = {host: string; number: number; count: number; atMs: Float64Array; values: Float32Array};

export class UsualPool {
  readonly #width: number;
  #hours = new Map<string, Hour>();
  #every = 1;
  #kept = 0;
  #taken = 0;
  #firstMs = Number.NaN;
  #lastMs = Number.NaN;

  /** @param width Metrics of a row. */
  constructor(width: number) {
    this.#width = width;
  }

  /** Rows that are kept. */
  get kept(): number {
    return this.#kept;
  }

  /** Rows that came. */
  get taken(): number {
    return this.#taken;
  }

  /** From the first row that came to the newest. */
  get spanMs(): number {
    return this.#taken === 0 ? 0 : this.#lastMs - this.#firstMs;
  }

  /** Takes a row of a host, with at least one value; rows of a host come in the order of time. */
  add(host: string, atMs: number, row: ArrayLike<number>): void {
    if (this.#taken++ === 0) this.#firstMs = atMs;
    this.#lastMs = Math.max(atMs, Number.isNaN(this.#lastMs) ? atMs : this.#lastMs);
    const number = Math.floor(atMs / HOUR_MS);
    const name = `${host}\n${number}`;
    let hour = this.#hours.get(name);
    if (hour === undefined) {
      if (!isKept(name, this.#every)) return;
      hour = {
        host,
        number,
        count: 0,
        atMs: new Float64Array(FIRST_ROWS),
        values: new Float32Array(FIRST_ROWS * this.#width),
      };
      this.#hours.set(name, hour);
    }
    if (hour.count === HOUR_ROWS) return;
    if (hour.count === hour.atMs.length) grow(hour);
    hour.atMs[hour.count] = atMs;
    hour.values.set(row, hour.count * this.#width);
    hour.count++;
    this.#kept++;
    while (this.#kept > ROWS_MAX) this.#leaveHalf();
  }

  list(): UsualRows {
    const hours = [...this.#hours.values()].sort(
      (a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0) || a.number - b.number,
    );
    const values = new Float64Array(this.#kept * this.#width);
    const atMs = new Float64Array(this.#kept);
    const starts: number[] = [];
    let row = 0;
    let before: {host: string; atMs: number} | undefined;
    for (const hour of hours) {
      values.set(hour.values.subarray(0, hour.count * this.#width), row * this.#width);
      for (let index = 0; index < hour.count; index++, row++) {
        const at = hour.atMs[index] as number;
        atMs[row] = at;
        if (before?.host !== hour.host || at - before.atMs > BREAK_MS) starts.push(row);
        before = {host: hour.host, atMs: at};
      }
    }
    return {values, atMs, starts};
  }

  clear(): void {
    this.#hours.clear();
    this.#every = 1;
    this.#kept = 0;
    this.#taken = 0;
    this.#lastMs = Number.NaN;
  }

  #leaveHalf(): void {
    this.#every *= 2;
    for (const [name, hour] of this.#hours) {
      if (isKept(name, this.#every)) continue;
      this.#hours.delete(name);
      this.#kept -= hour.count;
    }
  }
}

function grow(hour: Hour): void {
  const {atMs, values} = hour;
  hour.atMs = new Float64Array(2 * atMs.length);
  hour.atMs.set(atMs);
  hour.values = new Float32Array(2 * values.length);
  hour.values.set(values);
}

/** Of each `every` names about one, and of each 2 × `every` one of those. */
function isKept(name: string, every: number): boolean {
  const hash = fnv1a32(name);
  // The low bits of FNV are little more than a parity of the name's.
  return (Math.imul(hash ^ (hash >>> 16), 0x45d9f3b) >>> 12) % every === 0;
}
