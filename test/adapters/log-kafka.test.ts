import {randomUUID} from 'node:crypto';
import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {openKafkaLog} from '../../core/adapters/log-kafka.ts';
import {createKafka} from '../../core/adapters/log-kafka-client.ts';
import {KafkaProducer} from '../../core/adapters/log-kafka-producer.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import {logContract, readAll} from '../contracts/log.ts';
import {freePort} from '../services/java-process.ts';
import {needService} from '../services/need.ts';

const topicPrefix = `test-${randomUUID().slice(0, 8)}`;

logContract(test, 'Kafka', async t => {
  const address = await needService(t, 'kafka');
  if (address === undefined) return undefined;
  return openKafkaLog({brokers: address.split(','), clock: systemClock, topicPrefix});
});

test.serial('owners share the partitions, and what one leaves the other takes', async t => {
  const address = await needService(t, 'kafka');
  if (address === undefined) return;
  const options = {
    brokers: address.split(','),
    clock: systemClock,
    topicPrefix: `${topicPrefix}-two`,
  };
  const [first, second] = [await openKafkaLog(options), await openKafkaLog(options)];
  t.teardown(() => Promise.all([first.close(), second.close()]));
  const [a, b] = [ownershipOf(), ownershipOf()];

  await first.own(a.handler);
  t.is(a.held.size, 64);
  const membership = await second.own(b.handler);
  await until(() => a.held.size === 32 && b.held.size === 32, 'the first let go of a half');
  t.deepEqual(
    [...a.held].filter(partition => b.held.has(partition)),
    [],
  );
  t.is(a.taken, 64, 'what stayed was not handed over again');

  await membership.leave();
  t.is(b.held.size, 0);
  await until(() => a.held.size === 64, 'the first took the other half back');
  t.is(a.taken, 96);
});

test.serial('two writers are told apart by the offsets they get', async t => {
  const address = await needService(t, 'kafka');
  if (address === undefined) return;
  const options = {brokers: address.split(','), clock: systemClock, topicPrefix};
  const [owner, other] = [await openKafkaLog(options), await openKafkaLog(options)];
  t.teardown(() => Promise.all([owner.close(), other.close()]));
  const value = [Uint8Array.of(1)];
  t.is(await owner.append('journal', 40, value), 0);
  t.is(await other.append('journal', 40, value), 1);
  t.is(await owner.append('journal', 40, value), 2, 'not 1: somebody else has written');
  t.is(await other.endOffset('journal', 40), 3);
});

test.serial('records that a producer compressed are read as they were', async t => {
  const address = await needService(t, 'kafka');
  if (address === undefined) return;
  const log = await openKafkaLog({
    brokers: address.split(','),
    clock: systemClock,
    topicPrefix,
    compression: 'zstd',
  });
  t.teardown(() => log.close());
  const values = Array.from({length: 50}, (_, n) => Buffer.from(`value ${n} `.repeat(100)));
  await log.append('scores', 41, values);
  const records = await readAll(log, 'scores', 41, 20);
  t.is(records[0]?.offset, 20);
  t.deepEqual(
    records.map(({value}) => Buffer.from(value)),
    values.slice(20),
  );
});

test.serial('topics of another shape are refused with what to do', async t => {
  const address = await needService(t, 'kafka');
  if (address === undefined) return;
  const brokers = address.split(',');
  const admin = createKafka({brokers, clientId: 'test'}).admin();
  await admin.connect();
  const prefix = `${topicPrefix}-narrow`;
  await admin.createTopics({
    waitForLeaders: false,
    topics: [{topic: `${prefix}.journal`, numPartitions: 3}],
  });
  await admin.disconnect();
  const error = await t.throwsAsync(
    openKafkaLog({brokers, clock: systemClock, topicPrefix: prefix}),
  );
  t.true(isForestayError(error, 'CONFIG_INVALID'));
  t.regex(error.message, /narrow\.journal has 3 partitions.*topicPrefix/);
});

test('a broker that is not there is named, with what to do', async t => {
  const address = `127.0.0.1:${await freePort()}`;
  const opening = openKafkaLog({brokers: [address], clock: systemClock, connectMsMax: 600});
  const error = await t.throwsAsync(opening);
  t.true(isForestayError(error, 'DEPENDENCY_UNREACHABLE'));
  t.true(error.message.includes(address));
  t.regex(error.message, /start the brokers/);
});

test('an append that is too large is refused before it is sent', async t => {
  const producer = new KafkaProducer(
    createKafka({brokers: ['127.0.0.1:1'], clientId: 'test'}),
    'none',
  );
  const values = [new Uint8Array((16 << 20) + 1)];
  const error = await t.throwsAsync(producer.append({topic: 'x', partition: 0, values}));
  t.true(isForestayError(error, 'LOG_APPEND_FAILED') && !error.retryable);
  await producer.close();
});

/** Keeps account of what an owner holds, and how often it was handed something. */
function ownershipOf() {
  const held = new Set<number>();
  const ownership = {
    held,
    taken: 0,
    handler: {
      async assigned(partition: number) {
        held.add(partition);
        ownership.taken++;
      },
      async revoking(partition: number) {
        held.delete(partition);
      },
      lost: (partition: number) => void held.delete(partition),
    },
  };
  return ownership;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within 30 s: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
