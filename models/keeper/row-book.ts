/**
 * What was said of rows, to be judged when it is known what came.
 *
 * R1. Memory is bounded by `rowsMax` rows of `width` numbers and about 60 bytes more each.
 * R2. A row is kept as it was told; what became of it is looked up when somebody asks, so that what
 *     is told late still counts.
 * R3. Failures are rare, and what comes before one is worth keeping for weeks: a full book is thinned
 *     by half of the rows after which nothing came. Each of the others then stands for twice as many.
 *     Which ones stay depends on host and time alone. What nobody will ever know goes.
 */
import {fnv1a32} from '../../core/domain/hash.ts';
import {ANY_AT, JUDGED_OUTPUTS, labelBookRows, type Pause} from './judging.ts';
import type {OutcomeBook} from './outcome-book.ts';

/** One host at one time. */
export type BookRow = {
  readonly host: string;
  readonly atMs: number;
  readonly hardware: string;
  /** Who said it, where that is not always the same. */
  readonly modelHash?: string;
};

/** Rows with `width` numbers each, and how many rows each stands for. */
export type KeptRows = {
  readonly rows: readonly BookRow[];
  readonly values: Float32Array;
  readonly weights: Float32Array;
};

const FIRST_ROWS = 1024;
/** Thinning that frees less is not worth what it costs: the oldest go as well. */
const FREE_SHARE = 0.2;

export class RowBook {
  readonly #width: number;
  readonly #rowsMax: number;
  #rows: BookRow[] = [];
  #values: Float32Array;
  #weights: Float32Array;
  #thinned = 0;
  /** Rows that went and that nothing stands for. */
  dropped = 0;

  /** @param width Numbers a row. */
  constructor(width: number, rowsMax: number) {
    this.#width = width;
    this.#rowsMax = rowsMax;
    const first = Math.min(rowsMax, FIRST_ROWS);
    this.#values = new Float32Array(width * first);
    this.#weights = new Float32Array(first);
  }

  get size(): number {
    return this.#rows.length;
  }

  /** Full up to so many more rows. */
  isFull(more: number): boolean {
    return this.#rows.length > 0 && this.#rows.length + more > this.#rowsMax;
  }

  /** @param values The first `width` from `offset` on are copied. */
  add(row: BookRow, values: Float32Array, offset = 0): void {
    if (this.#rows.length === this.#rowsMax) this.#dropOldest();
    const at = this.#rows.push(row) - 1;
    if (this.#weights.length <= at) this.#grow();
    this.#weights[at] = 1;
    for (let index = 0; index < this.#width; index++) {
      this.#values[at * this.#width + index] = values[offset + index] as number;
    }
  }

  /** Rows of `fromMs` up to but not including `untilMs`; copied. */
  between(fromMs: number, untilMs: number): KeptRows {
    const places = [...this.#rows.keys()].filter(at => {
      const {atMs} = this.#rows[at] as BookRow;
      return atMs >= fromMs && atMs < untilMs;
    });
    const values = new Float32Array(places.length * this.#width);
    for (const [row, at] of places.entries()) {
      values.set(
        this.#values.subarray(at * this.#width, (at + 1) * this.#width),
        row * this.#width,
      );
    }
    return {
      rows: places.map(at => this.#rows[at] as BookRow),
      values,
      weights: Float32Array.from(places, at => this.#weights[at] as number),
    };
  }

  /** When the oldest row was told; +∞ without rows. */
  oldestMs(): number {
    return this.#rows.reduce((least, {atMs}) => Math.min(least, atMs), Number.POSITIVE_INFINITY);
  }

  /** Makes room, see R3. */
  async thin(outcomes: OutcomeBook, horizonMs: number, pause: Pause): Promise<void> {
    const rows = [...this.#rows];
    const settledMs = outcomes.settledMs(horizonMs);
    const {labels} = await labelBookRows(outcomes.ledger(), rows, horizonMs, pause);
    this.#thinned++;
    this.#keep(at => {
      const row = rows[at];
      // Told while the others were labelled.
      if (row === undefined || row.atMs >= settledMs) return 1;
      if (row.atMs < outcomes.knownSinceMs) return 0;
      const label = labels[at * JUDGED_OUTPUTS.length + ANY_AT];
      if (label === 1) return 1;
      // Of a middle bit: the last one tells but whether the text has an odd sum.
      const stays = (fnv1a32(`${this.#thinned} ${row.host} ${row.atMs}`) >>> 16) % 2 === 0;
      return label === 0 && stays ? 2 : 0;
    });
    if (this.#rows.length > (1 - FREE_SHARE) * this.#rowsMax) this.#dropOldest();
  }

  #dropOldest(): void {
    const fewer = Math.ceil(FREE_SHARE * this.#rowsMax);
    this.dropped += Math.min(fewer, this.#rows.length);
    this.#keep(at => Number(at >= fewer));
  }

  /** @param times How many times what a row stood for it stands for now; 0: it goes. */
  #keep(times: (at: number) => number): void {
    const width = this.#width;
    let next = 0;
    const kept: BookRow[] = [];
    for (const [at, row] of this.#rows.entries()) {
      const factor = times(at);
      if (factor === 0) continue;
      kept.push(row);
      this.#weights[next] = factor * (this.#weights[at] as number);
      this.#values.copyWithin(next * width, at * width, (at + 1) * width);
      next++;
    }
    this.#rows = kept;
  }

  #grow(): void {
    const rows = Math.min(this.#rowsMax, 2 * this.#weights.length);
    const values = new Float32Array(rows * this.#width);
    values.set(this.#values);
    this.#values = values;
    const weights = new Float32Array(rows);
    weights.set(this.#weights);
    this.#weights = weights;
  }
}
