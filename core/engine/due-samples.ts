/**
 * Samples that are due to be scored, every so many of a row, with the features as of each. They are
 * made by the fold and kept in its state until their risks were applied: a restart scores them again
 * instead of leaving them out.
 */
import {hostName} from '../domain/telemetry.ts';
import type {PartitionState} from './partition-state.ts';
import type {SampleRows} from './score-result.ts';
import {hasFeatures, readFeatures, type SetTable} from './set-table.ts';

export type DueSamples = {
  request: number;
  /** Names that `samples.host` points into. */
  hosts: readonly string[];
  samples: SampleRows;
  /** rows × features. */
  features: Float32Array;
};

const ROWS_AT_FIRST = 512;

/** Collects what one tick makes due in one table. */
export class DueCollector {
  readonly #table: SetTable;
  readonly #every: number;
  readonly #hosts: string[] = [];
  /** Index in `hosts` of each row of the table, plus one. */
  #hostOf = new Uint32Array(0);
  #count = 0;
  #host = new Uint32Array(ROWS_AT_FIRST);
  #atMs = new Float64Array(ROWS_AT_FIRST);
  #features: Float32Array;

  constructor(table: SetTable, every: number) {
    this.#table = table;
    this.#every = every;
    this.#features = new Float32Array(ROWS_AT_FIRST * table.featureCount);
  }

  /** After a sample was taken into a row. Rows take turns, so that work is spread evenly. */
  sampled(row: number, atMs: number): void {
    const table = this.#table;
    if (((table.samples[row] as number) + row) % this.#every !== 0) return;
    if (!hasFeatures(table, row)) return;
    if (this.#count === this.#host.length) this.#grow();
    readFeatures(table, row, this.#features, this.#count * table.featureCount);
    this.#host[this.#count] = this.#indexOf(row);
    this.#atMs[this.#count] = atMs;
    this.#count++;
  }

  /** What was collected, or undefined if nothing was. */
  take(request: number): DueSamples | undefined {
    if (this.#count === 0) return undefined;
    const count = this.#count;
    return {
      request,
      hosts: this.#hosts,
      samples: {host: this.#host.subarray(0, count), atMs: this.#atMs.subarray(0, count)},
      features: this.#features.subarray(0, count * this.#table.featureCount),
    };
  }

  #indexOf(row: number): number {
    if (row >= this.#hostOf.length) {
      const wider = new Uint32Array(this.#table.windows.capacity);
      wider.set(this.#hostOf);
      this.#hostOf = wider;
    }
    const known = this.#hostOf[row] as number;
    if (known > 0) return known - 1;
    this.#hosts.push(hostName(this.#table.names[row] as string) ?? '');
    this.#hostOf[row] = this.#hosts.length;
    return this.#hosts.length - 1;
  }

  #grow(): void {
    const host = new Uint32Array(2 * this.#count);
    host.set(this.#host);
    this.#host = host;
    const atMs = new Float64Array(2 * this.#count);
    atMs.set(this.#atMs);
    this.#atMs = atMs;
    const features = new Float32Array(2 * this.#features.length);
    features.set(this.#features);
    this.#features = features;
  }
}

/** Numbers what a tick collected, behind the requests that were taken or still wait. */
export function keepDue(
  state: PartitionState,
  taken: number,
  collectors: Iterable<DueCollector>,
): void {
  let last = state.unscored.at(-1)?.request ?? taken;
  for (const collector of collectors) {
    const due = collector.take(last + 1);
    if (due === undefined) continue;
    state.unscored.push(due);
    last++;
  }
}
