import {PARTITIONS} from './domain/hash.ts';
import type {InboxRecord} from './domain/records.ts';
import type {Codec, Log} from './ports.ts';

/** A command: durable in the inbox of every partition when this resolves. */
export async function submit(
  {log, codec}: {log: Pick<Log, 'append'>; codec: Pick<Codec, 'encodeInbox'>},
  record: InboxRecord,
): Promise<void> {
  const bytes = codec.encodeInbox(record);
  await Promise.all(PARTITIONS.map(partition => log.append('inbox', partition, [bytes])));
}
