import {isForestayError} from '../domain/errors.ts';
import {BUILT_IN_METRIC_SETS, type MetricSet, metricSet} from '../domain/metric-sets.ts';
import type {Codec, Log} from '../ports.ts';

/** The metric sets of a log, found when they are needed. */
export type SetCatalog = {
  /** Reads the partition's inbox on if the set is not known yet: it is registered before it is used. */
  find(partition: number, name: string, hash: number): Promise<MetricSet | undefined>;
};

export function createSetCatalog(
  log: Pick<Log, 'read'>,
  codec: Pick<Codec, 'decodeInbox'>,
): SetCatalog {
  const sets = new Map<number, MetricSet>(BUILT_IN_METRIC_SETS.map(set => [set.hash, set]));
  const readTo = new Map<number, number>();

  const take = (bytes: Uint8Array): void => {
    try {
      const record = codec.decodeInbox(bytes);
      if (record.kind !== 'register-metric-set') return;
      const set = metricSet(record.name, record.entityKind, record.columns);
      sets.set(set.hash, set);
    } catch (error) {
      // Whoever reads the inbox for its own sake reports it.
      if (!isForestayError(error)) throw error;
    }
  };

  return {
    async find(partition, name, hash) {
      while (!sets.has(hash)) {
        const records = await log.read('inbox', partition, readTo.get(partition) ?? 0);
        if (records.length === 0) break;
        for (const {offset, value} of records) {
          take(value);
          readTo.set(partition, offset + 1);
        }
      }
      const set = sets.get(hash);
      return set?.name === name ? set : undefined;
    },
  };
}
