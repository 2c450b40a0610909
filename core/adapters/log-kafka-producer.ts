import {setTimeout as sleep} from 'node:timers/promises';
import kafkajs, {type Kafka, type Producer, type TopicMessages} from 'kafkajs';
import {ForestayError} from '../domain/errors.ts';
import {requestMs} from './log-kafka-client.ts';
import {appendBytesMax} from './log-kafka-topics.ts';

/** Record batches of a partition are kept near this, so that readers get what they ask for. */
const batchBytesMax = 1 << 20;
const requestBytesMax = 16 << 20;
/** Waiting appends beyond this are refused. */
const pendingBytesMax = 256 << 20;
const connectAttemptsMax = 5;
const connectRetryMs = 500;

export type Append = {topic: string; partition: number; values: readonly Uint8Array[]};

type Pending = Append & {
  bytes: number;
  resolve: (offset: number) => void;
  reject: (error: Error) => void;
};

/**
 * Appends of many callers in few requests: one request at a time, in which every partition has one
 * record batch; what arrives meanwhile shares the next. All replicas acknowledge.
 *
 * The producer is idempotent, so its own retries never write twice. After a request that failed for
 * good it is replaced: its sequence numbers may name records that the broker has, and a later batch
 * under the same number would be taken for a repetition and dropped.
 */
export class KafkaProducer {
  readonly #kafka: Kafka;
  readonly #compression: 'none' | 'zstd';
  #producer: Producer | undefined;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #sending: Promise<void> | undefined;

  constructor(kafka: Kafka, compression: 'none' | 'zstd') {
    this.#kafka = kafka;
    this.#compression = compression;
  }

  /** @throws {ForestayError} `LOG_APPEND_FAILED`; retryable means that the outcome is unknown. */
  async append(append: Append): Promise<number> {
    const bytes = append.values.reduce((sum, {length}) => sum + length, 0);
    if (bytes > appendBytesMax) throw tooLarge(append, bytes);
    if (this.#pendingBytes > pendingBytesMax) throw behind(append, this.#pendingBytes);
    return new Promise((resolve, reject) => {
      this.#pending.push({...append, bytes, resolve, reject});
      this.#pendingBytes += bytes;
      this.#sending ??= this.#sendAll();
    });
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#sending;
    await this.#producer?.disconnect();
  }

  async #sendAll(): Promise<void> {
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const groups = this.#take();
      try {
        await this.#send(groups);
      } catch (cause) {
        await this.#discardProducer();
        for (const append of [...groups.values()].flat()) append.reject(failed(append, cause));
      }
    }
    this.#sending = undefined;
  }

  /** The oldest appends that fit, by partition; others of a full partition wait, in order. */
  #take(): Map<string, Pending[]> {
    const groups = new Map<string, Pending[]>();
    const sizes = new Map<string, number>();
    const rest: Pending[] = [];
    let requestBytes = 0;
    for (const append of this.#pending) {
      const key = `${append.topic}/${append.partition}`;
      const size = (sizes.get(key) ?? 0) + append.bytes;
      const isFirst = !sizes.has(key);
      sizes.set(key, size);
      const fits = (isFirst || size <= batchBytesMax) && requestBytes < requestBytesMax;
      if (!fits) {
        // Whatever of this partition comes later stays behind this one.
        sizes.set(key, Number.POSITIVE_INFINITY);
        rest.push(append);
        continue;
      }
      requestBytes += append.bytes;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [append]);
      else group.push(append);
    }
    this.#pending = rest;
    this.#pendingBytes -= requestBytes;
    return groups;
  }

  async #send(groups: ReadonlyMap<string, readonly Pending[]>): Promise<void> {
    const byTopic = new Map<string, TopicMessages>();
    for (const {topic, partition, values} of [...groups.values()].flat()) {
      const entry = byTopic.get(topic) ?? {topic, messages: []};
      byTopic.set(topic, entry);
      for (const value of values) entry.messages.push({partition, value: asBuffer(value)});
    }
    const producer = await this.#connect();
    const answers = await producer.sendBatch({
      acks: -1,
      timeout: requestMs,
      compression: kafkajs.CompressionTypes[this.#compression === 'zstd' ? 'ZSTD' : 'None'],
      topicMessages: [...byTopic.values()],
    });
    for (const {topicName, partition, baseOffset} of answers) {
      let offset = Number(baseOffset);
      for (const append of groups.get(`${topicName}/${partition}`) ?? []) {
        append.resolve(offset);
        offset += append.values.length;
      }
    }
  }

  async #connect(): Promise<Producer> {
    for (let attempt = 1; this.#producer === undefined; attempt++) {
      try {
        this.#producer = await this.#connectOnce();
      } catch (error) {
        // A broker that has just started cannot give out producer ids for a moment.
        if (attempt === connectAttemptsMax) throw error;
        await sleep(connectRetryMs * (0.5 + Math.random()));
      }
    }
    return this.#producer;
  }

  async #connectOnce(): Promise<Producer> {
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner:
        () =>
        ({message}) =>
          message.partition as number,
      // About 10 s: leaders move within that.
      retry: {retries: 8, initialRetryTime: 100, maxRetryTime: 2_000},
    });
    try {
      await producer.connect();
    } catch (error) {
      await producer.disconnect();
      throw error;
    }
    return producer;
  }

  async #discardProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    // It has failed already; how it ends is of no interest.
    await producer?.disconnect().catch(() => {});
  }
}

function failed({topic, partition}: Append, cause: unknown): ForestayError {
  return new ForestayError(
    'LOG_APPEND_FAILED',
    `append to ${topic}/${partition}: Kafka did not acknowledge, so it may or may not be there; ` +
      'read to the end before trying again, and check the brokers',
    {retryable: true, details: {topic, partition}, cause},
  );
}

function tooLarge({topic, partition}: Append, bytes: number): ForestayError {
  return new ForestayError(
    'LOG_APPEND_FAILED',
    `append to ${topic}/${partition}: ${bytes} bytes, ${appendBytesMax} at most; send smaller batches`,
    {details: {topic, partition, bytes, bytesMax: appendBytesMax}},
  );
}

function behind({topic, partition}: Append, bytes: number): ForestayError {
  return new ForestayError(
    'LOG_APPEND_FAILED',
    `append to ${topic}/${partition}: ${bytes} bytes wait already, ${pendingBytesMax} at most; ` +
      'Kafka is slower than what comes in: send less, or add brokers',
    {retryable: true, details: {topic, partition, bytes, bytesMax: pendingBytesMax}},
  );
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
