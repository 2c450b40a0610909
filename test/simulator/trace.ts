import {createHash} from 'node:crypto';

/** What happened, as lines; their hash tells two runs apart. */
export class Trace {
  readonly #sinceStartMs: () => number;
  readonly #hash = createHash('sha256');
  readonly counts = new Map<string, number>();
  /** Faults that really struck. */
  faults = 0;
  onLine: (line: string) => void = () => {};

  constructor(sinceStartMs: () => number) {
    this.#sinceStartMs = sinceStartMs;
  }

  add(what: string): void {
    const line = `${(this.#sinceStartMs() / 1000).toFixed(3).padStart(9)} ${what}`;
    this.#hash.update(line);
    this.onLine(line);
  }

  fault(what: string): void {
    this.faults++;
    this.add(`! ${what}`);
  }

  hash(): string {
    return this.#hash.copy().digest('hex');
  }
}
