import {setTimeout as sleep} from 'node:timers/promises';
import {ForestayError} from '../domain/errors.ts';
import type {LogRecord} from '../ports.ts';
import type {FetchedPartition, FetchRequest, KafkaCluster} from './log-kafka-client.ts';

/** Answers of brokers in one request; more reads wait for the next. */
const requestBytesMax = 32 << 20;
/** Leaders move within this; without any broker, a read or two takes longer to find out. */
const giveUpMs = 10_000;
const retryMsMin = 100;
const retryMsMax = 2_000;
const readUncommitted = 0;

type Read = {
  topic: string;
  partition: number;
  from: number;
  maxBytes: number;
  attempts: number;
  sinceMs: number;
  resolve: (records: readonly LogRecord[]) => void;
  reject: (error: Error) => void;
};

/**
 * Pulls records by partition and offset: no group, nothing buffered, nothing prefetched. Reads that
 * wait at the same time share one request a broker. Whole record batches are given, so a read may
 * exceed `maxBytes` by one batch (about 1 MiB).
 */
export class KafkaReader {
  readonly #cluster: KafkaCluster;
  #pending: Read[] = [];
  #reading: Promise<void> | undefined;

  constructor(cluster: KafkaCluster) {
    this.#cluster = cluster;
  }

  /** @throws {ForestayError} `DEPENDENCY_UNREACHABLE` (retryable) after 10 s of attempts. */
  read(topic: string, partition: number, from: number, maxBytes: number) {
    return new Promise<readonly LogRecord[]>((resolve, reject) => {
      const sinceMs = performance.now();
      this.#pending.push({topic, partition, from, maxBytes, attempts: 0, sinceMs, resolve, reject});
      this.#reading ??= this.#readAll();
    });
  }

  /** Offset of the first record that is kept, or of the next to come. */
  async offset(topic: string, partition: number, which: 'start' | 'end'): Promise<number> {
    const sinceMs = performance.now();
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#cluster.refreshMetadataIfNecessary();
        const fromBeginning = which === 'start';
        const asked = [{topic, partitions: [{partition}], fromBeginning}];
        const [answer] = await this.#cluster.fetchTopicsOffset(asked);
        return Number(answer?.partitions[0]?.offset);
      } catch (cause) {
        if (isLate(sinceMs)) throw unreachable(topic, partition, cause);
        await this.#recover(cause, attempt);
      }
    }
  }

  async close(): Promise<void> {
    await this.#reading;
    await this.#cluster.disconnect();
  }

  async #readAll(): Promise<void> {
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const reads = this.#take();
      try {
        await this.#cluster.refreshMetadataIfNecessary();
        const byLeader = this.#groupByLeader(reads);
        await Promise.all(byLeader.entries().map(([node, some]) => this.#fetch(node, some)));
      } catch (cause) {
        // No leader is known for one of them: nothing was sent.
        await this.#tryAgain(reads, cause);
      }
    }
    this.#reading = undefined;
  }

  /** As many as one request may answer; a partition is named once in it. */
  #take(): Read[] {
    const taken = new Map<string, Read>();
    const rest: Read[] = [];
    let bytes = 0;
    for (const read of this.#pending) {
      const key = `${read.topic}/${read.partition}`;
      if (taken.has(key) || bytes > requestBytesMax) rest.push(read);
      else {
        taken.set(key, read);
        bytes += read.maxBytes;
      }
    }
    this.#pending = rest;
    return [...taken.values()];
  }

  #groupByLeader(reads: readonly Read[]): Map<string, Read[]> {
    const byLeader = new Map<string, Read[]>();
    for (const read of reads) {
      const leaders = this.#cluster.findLeaderForPartitions(read.topic, [read.partition]);
      const nodeId = Object.keys(leaders)[0];
      if (nodeId === undefined) throw new Error(`${read.topic}/${read.partition} has no leader`);
      const group = byLeader.get(nodeId);
      if (group === undefined) byLeader.set(nodeId, [read]);
      else group.push(read);
    }
    return byLeader;
  }

  /** Never rejects: what cannot be answered is put back, or told so. */
  async #fetch(nodeId: string, reads: readonly Read[]): Promise<void> {
    try {
      const broker = await this.#cluster.findBroker({nodeId});
      const {responses} = await broker.fetch({
        maxWaitTime: 0,
        minBytes: 1,
        maxBytes: requestBytesMax,
        isolationLevel: readUncommitted,
        topics: requestsOf(reads),
      });
      for (const {topicName, partitions} of responses)
        for (const fetched of partitions)
          this.#answer(
            reads.find(
              ({topic, partition}) => topic === topicName && partition === fetched.partition,
            ) as Read,
            fetched,
          );
    } catch (cause) {
      if (isOutOfRange(cause)) await this.#moveIntoRange(reads, cause);
      else await this.#tryAgain(reads, cause);
    }
  }

  #answer(read: Read, {messages, highWatermark}: FetchedPartition): void {
    const records: LogRecord[] = [];
    for (const {offset, value} of messages) {
      // A record batch comes whole, also if the read starts in its middle.
      const at = Number(offset);
      if (at >= read.from) records.push({offset: at, value: value ?? new Uint8Array(0)});
    }
    if (records.length > 0 || read.from >= Number(highWatermark)) read.resolve(records);
    // The answer was full before it came to this one; the first in a request always gets something.
    else this.#pending.unshift(read);
  }

  /** Kafka refuses the whole request if one read is below the start, or beyond the end. */
  async #moveIntoRange(
    reads: readonly Read[],
    {topic, partition}: {topic: string; partition: number},
  ): Promise<void> {
    for (const read of reads) {
      if (read.topic !== topic || read.partition !== partition) {
        this.#pending.push(read);
        continue;
      }
      try {
        const start = await this.offset(topic, partition, 'start');
        if (read.from >= start) read.resolve([]);
        else this.#pending.push({...read, from: start});
      } catch (error) {
        read.reject(error as Error);
      }
    }
  }

  async #tryAgain(reads: readonly Read[], cause: unknown): Promise<void> {
    const attempts = Math.max(...reads.map(read => read.attempts)) + 1;
    for (const read of reads) {
      read.attempts++;
      if (isLate(read.sinceMs)) read.reject(unreachable(read.topic, read.partition, cause));
      else this.#pending.push(read);
    }
    await this.#recover(cause, attempts);
  }

  /** Leaders may have moved: waits a little, then asks who leads now. */
  async #recover(cause: unknown, attempts: number): Promise<void> {
    if (isConnectionClosed(cause)) this.#cluster.removeBroker(cause);
    await sleep(Math.min(retryMsMax, retryMsMin * 2 ** attempts) * (0.5 + Math.random() / 2));
    // If this fails too, the next attempt will say so.
    await this.#cluster.refreshMetadata().catch(() => this.#cluster.connect().catch(() => {}));
  }
}

function requestsOf(reads: readonly Read[]): FetchRequest[] {
  const byTopic = new Map<string, FetchRequest>();
  for (const {topic, partition, from, maxBytes} of reads) {
    const request = byTopic.get(topic) ?? {topic, partitions: []};
    byTopic.set(topic, request);
    request.partitions.push({partition, fetchOffset: String(from), maxBytes});
  }
  return [...byTopic.values()];
}

function isLate(sinceMs: number): boolean {
  return performance.now() - sinceMs > giveUpMs;
}

function isOutOfRange(error: unknown): error is {topic: string; partition: number} {
  return error instanceof Error && error.name === 'KafkaJSOffsetOutOfRange';
}

function isConnectionClosed(error: unknown): error is {host: string; port: number} {
  return error instanceof Error && error.name === 'KafkaJSConnectionClosedError';
}

function unreachable(topic: string, partition: number, cause: unknown): ForestayError {
  return new ForestayError(
    'DEPENDENCY_UNREACHABLE',
    `read ${topic}/${partition}: Kafka did not answer within ${giveUpMs} ms; check the brokers`,
    {retryable: true, details: {topic, partition, waitedMs: giveUpMs}, cause},
  );
}
