import type {Retention} from '../domain/retention.ts';
import type {Store} from '../ports.ts';
import {openStoreInWorker} from './store-in-worker.ts';
import type {SqliteFile} from './store-sqlite-worker.ts';

export type SqliteStoreOptions = {
  /** File of the database; its folder must be there. */
  path: string;
  /** Calls that may be under way; one more is refused. */
  queueLengthMax?: number;
  /** How long one call may take; a locked file is waited for half as long. */
  callMsMax?: number;
  /**
   * What is older, or more than so many bytes of the file, is deleted after writes; all is kept
   * unless given. How: store-sqlite-trim.ts, T1 to T4.
   */
  retention?: Retention;
};

const keepAll: Retention = {ageMs: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY};

/**
 * A store in one file, in a thread of its own: rows and offsets in one transaction. About 4 µs of
 * CPU a row of 32 columns.
 *
 * Throws `DEPENDENCY_UNREACHABLE` when the file cannot be opened.
 */
export function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const {path, queueLengthMax = 64, callMsMax = 30_000, retention = keepAll} = options;
  return openStoreInWorker<SqliteFile>(
    new URL('./store-sqlite-worker.ts', import.meta.url),
    {path, busyMsMax: callMsMax / 2, retention},
    {queueLengthMax, callMsMax},
  );
}
