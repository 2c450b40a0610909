import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import kafkajs from 'kafkajs';
import {ensureJars} from './jars.ts';
import {freePort, runJava, startJava} from './java-process.ts';

/** Any 16 bytes in URL-safe base 64; every broker is a cluster of its own anyway. */
const clusterId = 'Zm9yZXN0YXktdGVzdHMtMQ';

/** One Kafka 4.1 broker (KRaft, no ZooKeeper) on free loopback ports, its data in a folder of /tmp. */
export async function startKafka(): Promise<{brokers: string[]; stop(): Promise<void>}> {
  const classPath = join(ensureJars('kafka'), '*');
  const directory = mkdtempSync(join(tmpdir(), 'forestay-kafka-'));
  const broker = `127.0.0.1:${await freePort()}`;
  const controller = `127.0.0.1:${await freePort()}`;
  const properties = join(directory, 'server.properties');
  writeFileSync(properties, serverProperties(broker, controller, join(directory, 'data')));
  const storage = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', classPath];
  await runJava(directory, [
    ...storage,
    'kafka.tools.StorageTool',
    'format',
    '-t',
    clusterId,
    '-c',
    properties,
  ]);
  const {stop} = await startJava({
    name: 'Kafka',
    directory,
    args: ['-Xmx512m', '-XX:+UseSerialGC', '-cp', classPath, 'kafka.Kafka', properties],
    ready: () => answers(broker),
  });
  return {brokers: [broker], stop};
}

function serverProperties(broker: string, controller: string, data: string): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${controller}
listeners=PLAINTEXT://${broker},CONTROLLER://${controller}
advertised.listeners=PLAINTEXT://${broker}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=${data}
log.index.size.max.bytes=1048576
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
`;
}

/** Listening is not enough: the controller must have elected itself and know its broker. */
async function answers(broker: string): Promise<boolean> {
  const {Kafka, logLevel} = kafkajs;
  const retry = {retries: 0};
  const admin = new Kafka({brokers: [broker], logLevel: logLevel.NOTHING, retry}).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
}
