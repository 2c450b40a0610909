/**
 * What was said of rows, to be judged when it is known what came: the latest rows, the oldest go.
 *
 * R1. Memory is bounded by `rowsMax` rows of `width` numbers.
 * R2. A row is kept as it was told; what became of it is looked up when somebody asks, so that what
 *     is told late still counts.
 */

/** One host at one time. */
export type BookRow = {readonly host: string; readonly atMs: number; readonly hardware: string};

export class RowBook {
  readonly width: number;
  readonly #rowsMax: number;
  /** A ring. */
  readonly #rows: BookRow[] = [];
  #values: Float32Array;
  #next = 0;
  /** Rows that went because there were too many. */
  dropped = 0;

  /** @param width Numbers a row. */
  constructor(width: number, rowsMax: number) {
    this.width = width;
    this.#rowsMax = rowsMax;
    this.#values = new Float32Array(width * Math.min(rowsMax, 1024));
  }

  get size(): number {
    return this.#rows.length;
  }

  /** @param values The first `width` from `offset` on are copied. */
  add(row: BookRow, values: Float32Array, offset = 0): void {
    if (this.#rows.length === this.#rowsMax) this.dropped++;
    const at = this.#next;
    this.#rows[at] = row;
    if (this.#values.length < (at + 1) * this.width) this.#grow();
    for (let index = 0; index < this.width; index++) {
      this.#values[at * this.width + index] = values[offset + index] as number;
    }
    this.#next = (at + 1) % this.#rowsMax;
  }

  #grow(): void {
    const rows = Math.min(this.#rowsMax, (2 * this.#values.length) / this.width);
    const wider = new Float32Array(rows * this.width);
    wider.set(this.#values);
    this.#values = wider;
  }

  /** Rows of `fromMs` up to but not including `untilMs`, and rows × width numbers; both copied. */
  between(fromMs: number, untilMs: number): {rows: BookRow[]; values: Float32Array} {
    const places = [...this.#rows.keys()].filter(at => {
      const {atMs} = this.#rows[at] as BookRow;
      return atMs >= fromMs && atMs < untilMs;
    });
    const values = new Float32Array(places.length * this.width);
    for (const [row, at] of places.entries()) {
      values.set(this.#values.subarray(at * this.width, (at + 1) * this.width), row * this.width);
    }
    return {rows: places.map(at => this.#rows[at] as BookRow), values};
  }

  /** When the oldest row was told; +∞ without rows. */
  oldestMs(): number {
    return this.#rows.reduce((least, {atMs}) => Math.min(least, atMs), Number.POSITIVE_INFINITY);
  }
}
