import type {DatabaseSync, StatementSync} from 'node:sqlite';
import {type Extent, nextCut, type Retention} from '../domain/retention.ts';
import {quoted} from './store-sql-words.ts';

const PASS_MS_MIN = 20;
/** About a millisecond; the clock is looked at in between. */
const ROWS_A_STEP = 256;

type Trimmed = {extent: StatementSync; first: StatementSync; rest: StatementSync};

/**
 * Deletes rows that are kept no longer: after every write, for a bounded time, in steps.
 *
 * T1 Only tables of rows are trimmed; what the recorder knows of itself (offsets, versions) stays.
 * T2 A pass takes no longer than the write before it, or 20 ms if that was shorter, and one step
 *    more. Deleting a row costs less than writing it, so passes keep up with writes.
 * T3 What counts is the pages in use: those of deleted rows are free, and later rows take them
 *    before the file grows. The file is never made smaller.
 * T4 Rows that are written again after they were deleted are the oldest again, and go again.
 */
export class Trimmer {
  readonly #db: DatabaseSync;
  readonly #retention: Retention;
  readonly #tables = new Map<string, Trimmed>();
  readonly #pages: StatementSync;

  constructor(db: DatabaseSync, retention: Retention) {
    this.#db = db;
    this.#retention = retention;
    this.#pages = db.prepare(
      `SELECT (page_count - freelist_count) * page_size AS bytes
       FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
    );
  }

  /** Trims also this table, whose first key is its time. */
  add(table: string, keys: readonly string[]): void {
    const time = `"${keys[0]}"`;
    const names = quoted(keys);
    this.#tables.set(table, {
      extent: this.#db.prepare(
        `SELECT (SELECT min(${time}) FROM "${table}") AS oldest,
                (SELECT max(${time}) FROM "${table}") AS newest`,
      ),
      // Deletes nothing where no more than a step's rows are left: there is no bound then.
      first: this.#db.prepare(
        `DELETE FROM "${table}" WHERE (${names}) < (
           SELECT ${names} FROM "${table}" WHERE ${time} < ?
           ORDER BY ${names} LIMIT 1 OFFSET ${ROWS_A_STEP})`,
      ),
      rest: this.#db.prepare(`DELETE FROM "${table}" WHERE ${time} < ?`),
    });
  }

  /** One pass, in the transaction of a write that took `writeMs`. */
  trim(writeMs: number): void {
    const {ageMs, bytes} = this.#retention;
    if (ageMs === Number.POSITIVE_INFINITY && bytes === Number.POSITIVE_INFINITY) return;
    const nowMs = Date.now();
    const untilMs = performance.now() + Math.max(PASS_MS_MIN, writeMs);
    const extents = new Map<string, Extent>();
    for (const table of this.#tables.keys()) this.#measure(table, extents);
    while (performance.now() < untilMs) {
      const cut = nextCut([...extents.values()], this.#usedBytes(), this.#retention, nowMs);
      if (cut === undefined) return;
      const {first, rest} = this.#tables.get(cut.table) as Trimmed;
      if (Number(first.run(cut.beforeMs).changes) === 0) rest.run(cut.beforeMs);
      this.#measure(cut.table, extents);
    }
  }

  #measure(table: string, extents: Map<string, Extent>): void {
    const {oldest, newest} = (this.#tables.get(table) as Trimmed).extent.get() ?? {};
    if (oldest === null) extents.delete(table);
    else extents.set(table, {table, oldestMs: Number(oldest), newestMs: Number(newest)});
  }

  #usedBytes(): number {
    return Number(this.#pages.get()?.bytes);
  }
}
