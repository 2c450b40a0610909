import {createRequire} from 'node:module';
import {promisify} from 'node:util';
import {zstdCompress, zstdDecompress} from 'node:zlib';
import kafkajs, {type Kafka} from 'kafkajs';

/**
 * What Forestay uses of kafkajs beyond its public face. The library is pinned (2.2.4) and rests;
 * test/adapters/log-kafka-client.test.ts fails if one of these places is not as expected.
 */
const require = createRequire(import.meta.url);

type RequestQueue = {
  prototype: {scheduleCheckPendingRequests(): void};
};
type RequestQueueState = {pending: readonly unknown[]; throttledUntil: number};

/** A broker's answer about one partition. */
export type FetchedPartition = {
  partition: number;
  highWatermark: string;
  messages: readonly {offset: string; value: Buffer | null}[];
};

export type FetchRequest = {
  topic: string;
  partitions: {partition: number; fetchOffset: string; maxBytes: number}[];
};

/** One broker, of which we need the fetch. */
type KafkaBroker = {
  fetch(request: {
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    isolationLevel: number;
    topics: readonly FetchRequest[];
  }): Promise<{responses: readonly {topicName: string; partitions: readonly FetchedPartition[]}[]}>;
};

/**
 * kafkajs's own view of the brokers: reading by partition and offset, without a consumer group.
 * (Its consumers cannot be assigned by hand, and push; ours pull.)
 */
export type KafkaCluster = {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findLeaderForPartitions(
    topic: string,
    partitions: readonly number[],
  ): Readonly<Record<string, readonly number[]>>;
  findBroker(node: {nodeId: string}): Promise<KafkaBroker>;
  removeBroker(address: {host: string; port: number}): void;
  fetchTopicsOffset(
    topics: readonly {topic: string; partitions: {partition: number}[]; fromBeginning: boolean}[],
  ): Promise<{topic: string; partitions: {partition: number; offset: string}[]}[]>;
};

type CreateCluster = (options: {
  metadataMaxAge: number;
  allowAutoTopicCreation: boolean;
  maxInFlightRequests: null;
}) => KafkaCluster;

const metadataMaxAgeMs = 60_000;

export function createCluster(kafka: Kafka): KafkaCluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({description}) => description === 'private:Kafka:createCluster',
  );
  if (symbol === undefined) throw new Error('kafkajs is not the version that this was written for');
  const create = (kafka as unknown as Record<symbol, CreateCluster>)[symbol] as CreateCluster;
  return create({
    metadataMaxAge: metadataMaxAgeMs,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
  });
}

export const requestMs = 10_000;

/** A client that says nothing: what goes wrong is in the errors. */
export function createKafka(options: {brokers: readonly string[]; clientId: string}): Kafka {
  return new kafkajs.Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 3_000,
    requestTimeout: requestMs,
    retry: {retries: 4, initialRetryTime: 100, maxRetryTime: 2_000},
  });
}

/**
 * Stops kafkajs 2.2.4 from waking every millisecond for nothing: with no request waiting, it sets a
 * timer for a moment in the past, again and again (tulios/kafkajs#1751; 35 to 45 ms of CPU a second).
 */
function quietIdleTimer(): void {
  const queue = require('kafkajs/src/network/requestQueue') as RequestQueue;
  const schedule = queue.prototype.scheduleCheckPendingRequests;
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueueState): void {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}

/** kafkajs has only gzip built in; topics may be compressed by their broker, too. */
function registerZstd(): void {
  const [compress, decompress] = [promisify(zstdCompress), promisify(zstdDecompress)];
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: ({buffer}: {buffer: Buffer}) => compress(buffer),
    decompress: (buffer: Buffer) => decompress(buffer),
  });
}

quietIdleTimer();
registerZstd();
