import {runFrom} from '../domain/log-run.ts';
import type {LogRecord} from '../ports.ts';

type Run = {records: LogRecord[]; bytes: number};

/**
 * The newest records of partitions that this process appended itself: what all replicas have
 * acknowledged at an offset stays there, so its owner need not fetch it again. Where somebody else
 * appended in between, the run begins anew behind that.
 */
export class KafkaTail {
  readonly #bytesMax: number;
  readonly #runs = new Map<number, Run>();

  /** @param bytesMax Kept of each partition. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(partition: number, firstOffset: number, values: readonly Uint8Array[]): void {
    const known = this.#runs.get(partition);
    const isNext = known !== undefined && endOf(known) === firstOffset;
    const run = isNext ? known : {records: [], bytes: 0};
    // Answers come in the order of the appends; an older one would hide what is newer.
    if (known !== undefined && firstOffset < endOf(known)) return;
    this.#runs.set(partition, run);
    for (const [index, value] of values.entries()) {
      run.records.push({offset: firstOffset + index, value});
      run.bytes += value.length;
    }
    this.#trim(run);
  }

  /** Records from `from` on, at most about `bytesMax`; nothing if the first one is not here. */
  read(partition: number, from: number, bytesMax: number): readonly LogRecord[] | undefined {
    const run = this.#runs.get(partition);
    const first = run?.records[0];
    if (run === undefined || first === undefined) return undefined;
    if (from < first.offset || from >= endOf(run)) return undefined;
    return runFrom(run.records, from, bytesMax);
  }

  /** A quarter more than wanted is kept before it is cut: each cut moves what stays. */
  #trim(run: Run): void {
    if (run.bytes <= 1.25 * this.#bytesMax) return;
    let cut = 0;
    while (cut < run.records.length - 1 && run.bytes > this.#bytesMax) {
      run.bytes -= (run.records[cut++] as LogRecord).value.length;
    }
    run.records.splice(0, cut);
  }
}

function endOf({records}: Run): number {
  const last = records.at(-1);
  return last === undefined ? -1 : last.offset + 1;
}
