import type {RowWriter} from '../sensor.ts';

type Reduced = {value: number; extreme: number; device: string | undefined};

/**
 * Reduces the devices of a host to one value a column, with the name of the device that was worst.
 * NaN is no value; a column without any value is not written. Nothing is named for an idle zero.
 */
export class Reduction {
  readonly #columns = new Map<string, Reduced>();

  /** All devices together; the largest share is named. */
  sum(column: string, value: number, device: string): void {
    this.#merge(column, value, nameUnlessIdle(value, device), (a, b) => a + b, value);
  }

  /** The largest. */
  most(column: string, value: number, device: string): void {
    this.#merge(column, value, nameUnlessIdle(value, device), Math.max, value);
  }

  /** The smallest. */
  least(column: string, value: number, device: string): void {
    this.#merge(column, value, device, Math.min, -value);
  }

  writeTo(row: RowWriter): void {
    for (const [column, {value, device}] of this.#columns) row.set(column, value, device);
  }

  #merge(
    column: string,
    value: number,
    device: string | undefined,
    combine: (a: number, b: number) => number,
    badness: number,
  ): void {
    if (Number.isNaN(value)) return;
    const known = this.#columns.get(column);
    if (known === undefined) {
      this.#columns.set(column, {value, extreme: badness, device});
      return;
    }
    known.value = combine(known.value, value);
    if (badness <= known.extreme) return;
    known.extreme = badness;
    known.device = device;
  }
}

const nameUnlessIdle = (value: number, device: string): string | undefined =>
  value === 0 ? undefined : device;
