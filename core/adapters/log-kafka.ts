import assert from 'node:assert/strict';
import type {Admin, Kafka} from 'kafkajs';
import {ForestayError} from '../domain/errors.ts';
import {PARTITION_COUNT} from '../domain/hash.ts';
import {defaultRetention, type Retention} from '../domain/retention.ts';
import {
  type Clock,
  type Log,
  type LogRecord,
  type Membership,
  type OwnershipHandler,
  TOPICS,
  type Topic,
} from '../ports.ts';
import {createCluster, createKafka} from './log-kafka-client.ts';
import {
  defaultTiming,
  type GroupMembership,
  type GroupTiming,
  joinOwners,
} from './log-kafka-group.ts';
import {KafkaProducer} from './log-kafka-producer.ts';
import {KafkaReader} from './log-kafka-reader.ts';
import {KafkaTail} from './log-kafka-tail.ts';
import {ensureTopics} from './log-kafka-topics.ts';

export type KafkaLogOptions = {
  /** HOST:PORT of some of the brokers. */
  brokers: readonly string[];
  clock: Clock;
  /** Named in the brokers' logs. */
  clientId?: string;
  /** Topics are `PREFIX.telemetry` and so on; the group of owners is `PREFIX.owners`. */
  topicPrefix?: string;
  /** For topics that are created here. */
  replicationFactor?: number;
  retention?: Partial<Record<Topic, Retention>>;
  /** Of record batches; telemetry is compressed inside already, where it pays. */
  compression?: 'none' | 'zstd';
  /** How long to wait for brokers that do not answer yet. */
  connectMsMax?: number;
  /** Told when partitions are owned here no more without anybody's wish, and why it stays so. */
  onTrouble?: (trouble: ForestayError) => void;
} & Partial<GroupTiming>;

const defaultReadBytes = 1 << 20;
/** Of each partition; about a second of telemetry at 300,000 samples a second in eight of them. */
const tailBytesMax = 1 << 20;
const retryMs = 500;

/**
 * The log on Kafka 4. Creates missing topics; offsets are Kafka's own. An append is acknowledged by
 * all replicas; one that failed may still be there (`LOG_APPEND_FAILED`, retryable). `endOffset` and
 * `startOffset` ask the broker. A read of nothing costs one round trip, shared by all that wait.
 *
 * @throws {ForestayError} `DEPENDENCY_UNREACHABLE` if no broker answers in time, `CONFIG_INVALID`
 * if a topic is there with another number of partitions.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<Log> {
  const {topicPrefix = 'forestay', replicationFactor = 1, clientId = 'forestay'} = options;
  const kafka = createKafka({brokers: options.brokers, clientId});
  const nameOf = (topic: Topic): string => `${topicPrefix}.${topic}`;
  const retention = {...defaultRetention, ...options.retention};
  const admin = await connect(kafka, options);
  try {
    await ensureTopics(admin, {nameOf, replicationFactor, retention});
  } finally {
    await admin.disconnect();
  }
  const cluster = createCluster(kafka);
  await cluster.connect();
  await cluster.addMultipleTargetTopics(TOPICS.map(nameOf));
  return new KafkaLog({
    nameOf,
    producer: new KafkaProducer(kafka, options.compression ?? 'none'),
    reader: new KafkaReader(cluster),
    join: handler =>
      joinOwners(
        kafka,
        {
          groupId: `${topicPrefix}.owners`,
          topic: nameOf('journal'),
          timing: timingOf(options),
          clock: options.clock,
          onTrouble: options.onTrouble ?? (() => {}),
        },
        handler,
      ),
  });
}

function timingOf({
  sessionTimeoutMs = defaultTiming.sessionTimeoutMs,
  heartbeatMs = defaultTiming.heartbeatMs,
  rebalanceTimeoutMs = defaultTiming.rebalanceTimeoutMs,
}: Partial<GroupTiming>): GroupTiming {
  return {sessionTimeoutMs, heartbeatMs, rebalanceTimeoutMs};
}

async function connect(kafka: Kafka, options: KafkaLogOptions): Promise<Admin> {
  const {clock, brokers, connectMsMax = 15_000} = options;
  const startedAtMs = clock.monotonicMs();
  while (true) {
    const admin = kafka.admin({retry: {retries: 0}});
    try {
      await admin.connect();
      await admin.describeCluster();
      return kafka.admin();
    } catch (cause) {
      const waitedMs = Math.round(clock.monotonicMs() - startedAtMs);
      if (waitedMs >= connectMsMax) throw unreachable(brokers, waitedMs, cause);
      await clock.sleep(retryMs * (0.5 + Math.random()));
    } finally {
      await admin.disconnect();
    }
  }
}

function unreachable(brokers: readonly string[], waitedMs: number, cause: unknown): ForestayError {
  return new ForestayError(
    'DEPENDENCY_UNREACHABLE',
    `connect to Kafka at ${brokers.join(', ')}: no answer within ${waitedMs} ms; ` +
      'start the brokers, correct log.kafka.brokers, or use the embedded log (--log segments)',
    {retryable: true, details: {brokers: brokers.join(','), waitedMs}, cause},
  );
}

class KafkaLog implements Log {
  readonly #nameOf: (topic: Topic) => string;
  readonly #producer: KafkaProducer;
  readonly #reader: KafkaReader;
  readonly #join: (handler: OwnershipHandler) => Promise<GroupMembership>;
  readonly #tail = new KafkaTail(tailBytesMax);
  #membership: GroupMembership | undefined;
  #closed = false;

  constructor(parts: {
    nameOf: (topic: Topic) => string;
    producer: KafkaProducer;
    reader: KafkaReader;
    join: (handler: OwnershipHandler) => Promise<GroupMembership>;
  }) {
    this.#nameOf = parts.nameOf;
    this.#producer = parts.producer;
    this.#reader = parts.reader;
    this.#join = parts.join;
  }

  async append(topic: Topic, partition: number, values: readonly Uint8Array[]): Promise<number> {
    assert(values.length > 0, 'append of nothing');
    const offset = await this.#producer.append({
      topic: this.#open(topic, partition),
      partition,
      values,
    });
    if (topic === 'telemetry') this.#tail.add(partition, offset, values);
    return offset;
  }

  async read(
    topic: Topic,
    partition: number,
    from: number,
    maxBytes = defaultReadBytes,
  ): Promise<readonly LogRecord[]> {
    const name = this.#open(topic, partition);
    const known =
      topic === 'telemetry' ? this.#tail.read(partition, from, Math.max(1, maxBytes)) : undefined;
    return known ?? this.#reader.read(name, partition, from, Math.max(1, maxBytes));
  }

  async startOffset(topic: Topic, partition: number): Promise<number> {
    return this.#reader.offset(this.#open(topic, partition), partition, 'start');
  }

  async endOffset(topic: Topic, partition: number): Promise<number> {
    return this.#reader.offset(this.#open(topic, partition), partition, 'end');
  }

  async own(handler: OwnershipHandler): Promise<Membership> {
    this.#open('journal', 0);
    this.#membership = await this.#join(handler);
    return this.#membership;
  }

  /** The brokers delete by the settings of the topics (log-kafka-topics.ts). */
  async release(topic: Topic, partition: number): Promise<void> {
    this.#open(topic, partition);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#membership?.drop();
    await this.#producer.close();
    await this.#reader.close();
  }

  #open(topic: Topic, partition: number): string {
    assert(partition >= 0 && partition < PARTITION_COUNT, `no partition ${partition}`);
    if (this.#closed) throw new ForestayError('LOG_CLOSED', `${topic}/${partition}: log is closed`);
    return this.#nameOf(topic);
  }
}
