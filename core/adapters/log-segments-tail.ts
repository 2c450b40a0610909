import {runFrom} from '../domain/log-run.ts';
import type {LogRecord} from '../ports.ts';

/** The newest records of every partition, as appended, up to a number of bytes over all of them. */
export class TailCache<Key> {
  readonly #bytesMax: number;
  readonly #tails = new Map<Key, LogRecord[]>();
  /** What was added, oldest first: what goes first when the bound is met. */
  #added: {key: Key; records: number; bytes: number}[] = [];
  /** Where the oldest one stands; those before it are cut off now and then, for that moves them all. */
  #first = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Adds records that follow those of the same key. */
  add(key: Key, records: readonly LogRecord[], bytes: number): void {
    const tail = this.#tails.get(key);
    if (tail === undefined) this.#tails.set(key, [...records]);
    else for (const record of records) tail.push(record);
    this.#added.push({key, records: records.length, bytes});
    this.#bytes += bytes;
    while (this.#bytes > this.#bytesMax) this.#evict();
  }

  /** Records from `from` on, or nothing if `from` is older than what is kept. */
  read(key: Key, from: number, bytesMax: number): readonly LogRecord[] | undefined {
    const tail = this.#tails.get(key);
    const first = tail?.[0];
    if (tail === undefined || first === undefined || from < first.offset) return undefined;
    return runFrom(tail, from, bytesMax);
  }

  #evict(): void {
    const oldest = this.#added[this.#first++];
    if (oldest === undefined) return;
    if (2 * this.#first > this.#added.length) {
      this.#added = this.#added.slice(this.#first);
      this.#first = 0;
    }
    this.#bytes -= oldest.bytes;
    this.#tails.get(oldest.key)?.splice(0, oldest.records);
  }
}
