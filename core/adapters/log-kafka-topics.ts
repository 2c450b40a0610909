import {setTimeout as sleep} from 'node:timers/promises';
import type {Admin, ITopicConfig, ITopicMetadata} from 'kafkajs';
import {ForestayError} from '../domain/errors.ts';
import {PARTITION_COUNT} from '../domain/hash.ts';
import type {Retention} from '../domain/retention.ts';
import {TOPICS, type Topic} from '../ports.ts';

/** Largest append: a record of every topic fits in with room to spare. */
export const appendBytesMax = 16 << 20;
/** Headers and framing that a record batch adds to its values. */
const overheadBytes = 1 << 16;

const createMs = 30_000;
const describeAttemptsMax = 60;
const describeEveryMs = 250;

/** Creates the topics that are missing, and refuses those of another shape. */
export async function ensureTopics(
  admin: Admin,
  options: {
    nameOf: (topic: Topic) => string;
    replicationFactor: number;
    retention: Readonly<Record<Topic, Retention>>;
  },
): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const missing = TOPICS.filter(topic => !existing.has(options.nameOf(topic)));
  if (missing.length > 0)
    await admin.createTopics({
      waitForLeaders: false,
      timeout: createMs,
      topics: missing.map(topic => topicConfig(topic, options)),
    });

  const topics = await describe(admin, TOPICS.map(options.nameOf), missing.length > 0);
  for (const {name, partitions} of topics)
    if (partitions.length !== PARTITION_COUNT)
      throw new ForestayError(
        'CONFIG_INVALID',
        `topic ${name} has ${partitions.length} partitions, Forestay's have ${PARTITION_COUNT}: ` +
          'recreate the topic, or choose another log.kafka.topicPrefix',
        {details: {topic: name, partitions: partitions.length}},
      );
}

/**
 * A topic that was just made is unknown to the brokers for a moment, then without leaders, and then
 * its leaders do not know yet that they are: ready is what answers for every partition.
 */
async function describe(
  admin: Admin,
  names: string[],
  justMade: boolean,
): Promise<ITopicMetadata[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const {topics} = await admin.fetchTopicMetadata({topics: names});
      if (justMade) for (const name of names) await admin.fetchTopicOffsets(name);
      return topics;
    } catch (cause) {
      if (attempt === describeAttemptsMax) throw notReady(names, cause);
      await sleep(describeEveryMs);
    }
  }
}

function notReady(names: readonly string[], cause: unknown): ForestayError {
  return new ForestayError(
    'DEPENDENCY_UNREACHABLE',
    `describe ${names.join(', ')}: not ready after ${describeAttemptsMax} attempts; ` +
      'check that all brokers run',
    {retryable: true, cause},
  );
}

/** What is written to is never deleted: a bound holds only if it is some segments long. */
function segmentBytesOf(bytesMax: number): number {
  const quarter = Math.ceil(bytesMax / PARTITION_COUNT / 4);
  return Math.min(1 << 30, Math.max(2 * appendBytesMax, quarter));
}

/** Not compacted and without transactions: a journal's offsets must be contiguous. */
function topicConfig(topic: Topic, options: Parameters<typeof ensureTopics>[1]): ITopicConfig {
  const {ageMs, bytes} = options.retention[topic];
  const entries: Record<string, number | string> = {
    'cleanup.policy': 'delete',
    'retention.ms': ageMs,
    // Kafka counts per partition; an unbounded one is -1.
    'retention.bytes': Number.isFinite(bytes) ? Math.ceil(bytes / PARTITION_COUNT) : -1,
    'segment.bytes': segmentBytesOf(bytes),
    'max.message.bytes': appendBytesMax + overheadBytes,
    'min.insync.replicas': Math.min(2, options.replicationFactor),
    'unclean.leader.election.enable': 'false',
  };
  return {
    topic: options.nameOf(topic),
    numPartitions: PARTITION_COUNT,
    replicationFactor: options.replicationFactor,
    configEntries: Object.entries(entries).map(([name, value]) => ({name, value: String(value)})),
  };
}
