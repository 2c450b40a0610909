import assert from 'node:assert/strict';
import {ForestayError} from '../domain/errors.ts';
import {PARTITION_COUNT} from '../domain/hash.ts';
import {type Log, type LogRecord, TOPICS, type Topic} from '../ports.ts';
import {ownAll, type SoleOwner} from './log-segments-sole-owner.ts';

const defaultReadBytes = 1 << 20;

type Partition = {startOffset: number; values: Uint8Array[]};

/** A {@link Log} of one process, with the one thing that tests cannot wait for. */
export type MemoryLog = Log & {
  /** Forgets records below `offset`, as retention does. */
  dropBefore(topic: Topic, partition: number, offset: number): void;
};

/**
 * A log that lives as long as the process: for tests and simulations. Appended values are kept by
 * reference and must not be changed afterwards. Nothing is bounded but by memory.
 */
export function createMemoryLog({nowMs = Date.now}: {nowMs?: () => number} = {}): MemoryLog {
  const partitions = new Map<string, Partition>();
  let owner: SoleOwner | undefined;
  let closed = false;

  const partitionOf = (topic: Topic, partition: number): Partition => {
    assert(TOPICS.includes(topic), `no topic ${topic}`);
    assert(partition >= 0 && partition < PARTITION_COUNT, `no partition ${partition}`);
    if (closed) throw new ForestayError('LOG_CLOSED', 'log is closed');
    const key = `${topic}/${partition}`;
    const found = partitions.get(key) ?? {startOffset: 0, values: []};
    partitions.set(key, found);
    return found;
  };
  const endOf = (of: Partition): number => of.startOffset + of.values.length;

  return {
    async append(topic, partition, values) {
      const to = partitionOf(topic, partition);
      const offset = endOf(to);
      for (const value of values) to.values.push(value);
      return offset;
    },
    async read(topic, partition, from, maxBytes = defaultReadBytes) {
      const of = partitionOf(topic, partition);
      const records: LogRecord[] = [];
      let bytes = 0;
      for (let offset = Math.max(from, of.startOffset); offset < endOf(of); offset++) {
        const value = of.values[offset - of.startOffset] as Uint8Array;
        if (records.length > 0 && bytes + value.length > maxBytes) break;
        bytes += value.length;
        records.push({offset, value});
      }
      return records;
    },
    startOffset: async (topic, partition) => partitionOf(topic, partition).startOffset,
    endOffset: async (topic, partition) => endOf(partitionOf(topic, partition)),
    async own(handler) {
      owner = await ownAll(handler, nowMs);
      return owner;
    },
    async release(topic, partition, before) {
      partitionOf(topic, partition);
      if (topic === 'checkpoints') this.dropBefore(topic, partition, before);
    },
    async close() {
      closed = true;
      owner?.drop();
    },
    dropBefore(topic, partition, offset) {
      const of = partitionOf(topic, partition);
      const dropped = Math.max(0, Math.min(offset, endOf(of)) - of.startOffset);
      of.values.splice(0, dropped);
      of.startOffset += dropped;
    },
  };
}
