/** Reads whole topics of Forestay's with kafkajs alone, past everything that a core reads with. */
import {randomUUID} from 'node:crypto';
import {createKafka} from '../../core/adapters/log-kafka-client.ts';
import type {Dump, LoggedRecord} from './kept.ts';

const TOPICS = ['telemetry', 'inbox', 'journal'] as const;

/** Everything that is there now, in the order of partitions and offsets. */
export async function dumpKafka(broker: string, prefix: string): Promise<Dump> {
  const kafka = createKafka({brokers: [broker], clientId: 'oracle'});
  const missing = await readEnds(kafka, prefix);
  const found: Record<(typeof TOPICS)[number], LoggedRecord[]> = {
    telemetry: [],
    inbox: [],
    journal: [],
  };
  const done = Promise.withResolvers<void>();
  const consumer = kafka.consumer({groupId: `oracle-${randomUUID()}`, maxWaitTimeInMs: 100});
  consumer.on(consumer.events.CRASH, ({payload}) => done.reject(payload.error));
  await consumer.connect();
  try {
    await consumer.subscribe({
      topics: TOPICS.map(topic => `${prefix}.${topic}`),
      fromBeginning: true,
    });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({batch: {topic, partition, messages}}) => {
        const name = topic.slice(prefix.length + 1) as (typeof TOPICS)[number];
        for (const {offset, value, timestamp} of messages) {
          if (value === null) continue;
          const atMs = Number(timestamp);
          found[name].push({partition, offset: Number(offset), value, atMs});
        }
        const end = missing.get(`${name}/${partition}`) ?? 0;
        if (Number(messages.at(-1)?.offset ?? -1) + 1 < end) return;
        missing.delete(`${name}/${partition}`);
        if (missing.size === 0) done.resolve();
      },
    });
    if (missing.size > 0) await done.promise;
  } finally {
    await consumer.disconnect();
  }
  for (const records of Object.values(found)) {
    records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  }
  return found;
}

/** Where each partition that holds something ends: `topic/partition` → offset. */
async function readEnds(
  kafka: ReturnType<typeof createKafka>,
  prefix: string,
): Promise<Map<string, number>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const ends = new Map<string, number>();
    for (const topic of TOPICS) {
      for (const {partition, low, high} of await admin.fetchTopicOffsets(`${prefix}.${topic}`)) {
        if (Number(high) > Number(low)) ends.set(`${topic}/${partition}`, Number(high));
      }
    }
    return ends;
  } finally {
    await admin.disconnect();
  }
}
