/**
 * Samples that are due to be scored, every so many of a row, with the features as of each. They are
 * made by the fold and kept in its state until their risks were applied: a restart scores them again
 * instead of leaving them out.
 */
import {hostName} from '../domain/telemetry.ts';
import type {ModelSignature} from '../ports.ts';
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

/** Collects what one tick makes due in one table. */
export class DueCollector {
  readonly #table: SetTable;
  readonly #model: ModelSignature;
  readonly #every: number;
  readonly #hosts: string[] = [];
  /** Index in `hosts` of each row of the table, plus one. */
  #hostOf = new Uint32Array(0);
  #count = 0;
  /** How many of them have their features. */
  #kept = 0;
  #host: Uint32Array;
  #atMs: Float64Array;
  #features: Float32Array;

  /** @param rows How many samples may be due, at most. */
  constructor(table: SetTable, model: ModelSignature, every: number, rows: number) {
    this.#table = table;
    this.#model = model;
    this.#every = every;
    this.#host = new Uint32Array(rows);
    this.#atMs = new Float64Array(rows);
    // Nobody reads more of it than was written: zeros would be written for nothing.
    this.#features = new Float32Array(Buffer.allocUnsafeSlow(4 * rows * model.featureCount).buffer);
  }

  /** After a sample was taken into a row: notes it with the row's features, if it is due. */
  sampled(row: number, atMs: number): void {
    const table = this.#table;
    if (!this.isDue(row) || !hasFeatures(table, row)) return;
    const model = this.#model;
    readFeatures(table, row, model, this.#features, this.#count * model.featureCount);
    this.add(row, atMs);
    this.#kept = this.#count;
  }

  /** Whether a row's newest sample is to be scored. Rows take turns, so that work is spread evenly. */
  isDue(row: number): boolean {
    return ((this.#table.samples[row] as number) + row) % this.#every === 0;
  }

  /** Notes a sample whose features {@link DueCollector.keep} brings. */
  add(row: number, atMs: number): void {
    this.#host[this.#count] = this.#indexOf(row);
    this.#atMs[this.#count] = atMs;
    this.#count++;
  }

  /** Copies the features of all samples that were added since the last time, in their order. */
  keep(features: Float32Array): void {
    this.#features.set(features, this.#kept * this.#model.featureCount);
    this.#kept = this.#count;
  }

  /** What was collected, or undefined if nothing was. */
  take(request: number): DueSamples | undefined {
    if (this.#count === 0) return undefined;
    const count = this.#count;
    return {
      request,
      hosts: this.#hosts,
      samples: {host: this.#host.subarray(0, count), atMs: this.#atMs.subarray(0, count)},
      features: this.#features.subarray(0, count * this.#model.featureCount),
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
