import {type ForestayError, isForestayError} from '../domain/errors.ts';
import {publish} from '../events.ts';
import type {Clock, Random, SinkOffset, Store, StoreRow} from '../ports.ts';
import {REJECTED_ROWS} from './tables.ts';

const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 10_000;

export type TableRows = {table: string; rows: readonly StoreRow[]};

/** Writes to a store that may be away for any time. */
export type Writer = {
  /** Tries until it is done; false: given up because the signal aborted. */
  write(batches: readonly TableRows[], offsets: readonly SinkOffset[]): Promise<boolean>;
  /** The same for any other call to the store. What can never succeed is thrown. */
  attempt(act: () => Promise<void>): Promise<boolean>;
};

export function createWriter(
  {store, clock, random}: {store: Store; clock: Clock; random: Random},
  signal: AbortSignal,
): Writer {
  const attempt = async (act: () => Promise<void>): Promise<boolean> => {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await act();
        return true;
      } catch (error) {
        if (!isForestayError(error)) throw error;
        publish('store.write-failed', {code: error.code});
        if (!error.retryable) throw error;
      }
      const ceiling = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** failures);
      await clock.sleep(random.next() * ceiling, signal);
    }
    return false;
  };

  /** Halves what contains a poison row until it stands alone, and sets that one aside. */
  const writeRows = async (table: string, rows: readonly StoreRow[]): Promise<boolean> => {
    try {
      return await attempt(() => store.write([{table, rows}], []));
    } catch (error) {
      if (!isPoison(error)) throw error;
      if (rows.length === 1) return setAside(table, rows[0] as StoreRow, error.message);
    }
    const middle = rows.length >> 1;
    const first = await writeRows(table, rows.slice(0, middle));
    return first && (await writeRows(table, rows.slice(middle)));
  };

  const setAside = (table: string, row: StoreRow, reason: string): Promise<boolean> => {
    publish('rows.rejected', {table, count: 1});
    const ts = typeof row[0] === 'number' && Number.isFinite(row[0]) ? row[0] : 0;
    const rejected = [ts, table, JSON.stringify(row), reason];
    return attempt(() => store.write([{table: REJECTED_ROWS.name, rows: [rejected]}], []));
  };

  return {
    attempt,
    async write(batches, offsets) {
      try {
        return await attempt(() => store.write(batches, offsets));
      } catch (error) {
        if (!isPoison(error)) throw error;
      }
      for (const {table, rows} of batches) {
        if (rows.length > 0 && !(await writeRows(table, rows))) return false;
      }
      return attempt(() => store.write([], offsets));
    },
  };
}

const isPoison = (error: unknown): error is ForestayError =>
  isForestayError(error, 'STORE_WRITE_FAILED') && error.details.poison === true;
