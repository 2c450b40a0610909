import {join} from 'node:path';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {openSegmentLog} from '../../core/adapters/log-segments.ts';
import {PARTITION_COUNT} from '../../core/domain/hash.ts';
import type {Stored, StoredMove} from './audit.ts';
import type {Dump, LoggedRecord} from './kept.ts';
import {readSqlite} from './process-fleet.ts';
import {batchKey} from './told.ts';

/** The whole log of a core that has stopped. */
export async function dumpSegments(data: string): Promise<Dump> {
  const log = await openSegmentLog({
    directory: join(data, 'log'),
    files: nodeFiles,
    clock: systemClock,
  });
  try {
    const read = async (topic: 'telemetry' | 'inbox' | 'journal'): Promise<LoggedRecord[]> => {
      const found: LoggedRecord[] = [];
      for (let partition = 0; partition < PARTITION_COUNT; partition++) {
        for (let from = 0; ; ) {
          const records = await log.read(topic, partition, from);
          if (records.length === 0) break;
          for (const record of records) found.push({partition, ...record});
          from = (found.at(-1)?.offset ?? 0) + 1;
        }
      }
      return found;
    };
    return {
      telemetry: await read('telemetry'),
      inbox: await read('inbox'),
      journal: await read('journal'),
    };
  } finally {
    await log.close();
  }
}

type BatchRow = {edge: string; incarnation: number; seq: number; rows: number};

/** The tables of a core that has stopped, as sqlite has them. */
export function readStored(data: string): Stored {
  const batches = new Map<string, {rows: number; hostValue: number | null}>();
  const vms = readSqlite<BatchRow>(
    data,
    'SELECT edge, incarnation, seq, count(*) AS rows FROM samples_vm_v1 GROUP BY edge, incarnation, seq',
  );
  for (const row of vms) batches.set(batchKey(row), {rows: row.rows, hostValue: null});
  const hosts = readSqlite<BatchRow & {value: number | null}>(
    data,
    'SELECT edge, incarnation, seq, count(*) AS rows, max(cpu_utilisation_ratio) AS value ' +
      'FROM samples_host_v2 GROUP BY edge, incarnation, seq',
  );
  for (const row of hosts) {
    const rows = row.rows + (batches.get(batchKey(row))?.rows ?? 0);
    batches.set(batchKey(row), {rows, hostValue: row.value});
  }
  const transitions = readSqlite<StoredMove>(
    data,
    'SELECT actor, seq, from_state AS "from", to_state AS "to" FROM transitions ORDER BY actor, seq',
  );
  return {batches, transitions};
}
