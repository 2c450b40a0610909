import {runFrom} from '../domain/log-run.ts';
import type {LogRecord} from '../ports.ts';

/** The newest records of every partition, as appended, up to a number of bytes over all of them. */
export class TailCache<Key> {
  readonly #bytesMax: number;
  readonly #tails = new Map<Key, LogRecord[]>();
  /** What was added, oldest first: what goes first when the bound is met. */
  readonly #added: {key: Key; records: number; bytes: number}[] = [];
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
    const oldest = this.#added.shift();
    if (oldest === undefined) return;
    this.#bytes -= oldest.bytes;
    this.#tails.get(oldest.key)?.splice(0, oldest.records);
  }
}
