import {ForestayError} from '../domain/errors.ts';
import {isIdentifier} from '../domain/table-rules.ts';
import type {Store} from '../ports.ts';
import {openStoreInWorker} from './store-in-worker.ts';
import type {QuestDbServer} from './store-questdb-worker.ts';

export type QuestDbStoreOptions = {
  /** `HOST:PORT` of QuestDB's HTTP server. */
  address: string;
  /** Before the name of every table, for several programs on one server. */
  tablePrefix?: string;
  /**
   * Tables that are created delete days that lie further back than this, up to the next whole day;
   * all is kept unless given. Tables that exist keep what they have: somebody may have set it.
   */
  ageMsMax?: number;
  /** How long to wait for a server that is not there. */
  connectMsMax?: number;
  /** How long one flush may take … */
  flushMsMax?: number;
  /** … and how often it is tried. */
  flushAttemptsMax?: number;
  /** Calls that may be under way; one more is refused. */
  queueLengthMax?: number;
};

/**
 * A store in QuestDB 9, over HTTP, in a thread of its own. What was written can be read a moment
 * later: QuestDB applies its log behind the write. Timestamps are kept to the microsecond and read
 * to the millisecond.
 *
 * Throws `DEPENDENCY_UNREACHABLE` when no server answers in time, `CONFIG_INVALID` for an address
 * or prefix that cannot be one.
 */
export async function openQuestDbStore(options: QuestDbStoreOptions): Promise<Store> {
  const {
    address,
    tablePrefix = '',
    ageMsMax = Number.POSITIVE_INFINITY,
    connectMsMax = 15_000,
    flushMsMax = 10_000,
    flushAttemptsMax = 3,
    queueLengthMax = 64,
  } = options;
  if (tablePrefix !== '' && !isIdentifier(tablePrefix)) {
    throw new ForestayError(
      'CONFIG_INVALID',
      `cannot use ${JSON.stringify(tablePrefix)} as the prefix of tables: want lower case letters, ` +
        'digits and underscores',
    );
  }
  return openStoreInWorker<QuestDbServer>(
    new URL('./store-questdb-worker.ts', import.meta.url),
    {address, tablePrefix, ageMsMax, connectMsMax, flushMsMax, flushAttemptsMax},
    // Every deadline inside must pass before this one.
    {queueLengthMax, callMsMax: connectMsMax + 2 * flushMsMax * flushAttemptsMax + 60_000},
  );
}
