import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createKafka} from '../../core/adapters/log-kafka-client.ts';
import {ensureJars} from './jars.ts';
import {freePort, runJava, startJava} from './java-process.ts';

/** Any 16 bytes in URL-safe base 64; every broker is a cluster of its own anyway. */
const clusterId = 'Zm9yZXN0YXktdGVzdHMtMQ';

export type KafkaService = {
  brokers: string[];
  /** Listeners of their own, one for each of the fronts; what they say of the broker is the front. */
  behind: readonly string[];
  /** SIGKILL, and the same broker again, with all that it had. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * One Kafka 4.1 broker (KRaft, no ZooKeeper) on free loopback ports, its data in a folder of /tmp.
 *
 * @param fronts HOST:PORT of proxies through which some clients reach it.
 */
export async function startKafka(fronts: readonly string[] = []): Promise<KafkaService> {
  const classPath = join(ensureJars('kafka'), '*');
  const directory = mkdtempSync(join(tmpdir(), 'forestay-kafka-'));
  const listeners: Listener[] = [];
  for (const [index, advertised] of ['', '', ...fronts].entries()) {
    const name = ['PLAINTEXT', 'CONTROLLER'][index] ?? `FRONT${index - 2}`;
    const address = `127.0.0.1:${await freePort()}`;
    listeners.push({name, address, advertised: advertised || address});
  }
  const [broker = '', , ...behind] = listeners.map(({address}) => address);
  const properties = join(directory, 'server.properties');
  writeFileSync(properties, serverProperties(listeners, join(directory, 'data')));
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
  const start = () =>
    startJava({
      name: 'Kafka',
      directory,
      args: ['-Xmx512m', '-XX:+UseSerialGC', '-cp', classPath, 'kafka.Kafka', properties],
      ready: () => answers(broker),
    });
  let running = await start();
  return {
    brokers: [broker],
    behind,
    async restart() {
      await running.kill();
      running = await start();
    },
    stop: () => running.stop(),
  };
}

type Listener = {name: string; address: string; advertised: string};

function serverProperties(listeners: readonly Listener[], data: string): string {
  const list = (show: (listener: Listener) => string) => listeners.map(show).join(',');
  const clients = listeners.filter(({name}) => name !== 'CONTROLLER');
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${listeners[1]?.address}
listeners=${list(({name, address}) => `${name}://${address}`)}
advertised.listeners=${clients.map(({name, advertised}) => `${name}://${advertised}`).join(',')}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=${list(({name}) => `${name}:PLAINTEXT`)}
log.dirs=${data}
log.index.size.max.bytes=1048576
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
`;
}

/** Listening is not enough: the controller must have elected itself and know its broker. */
async function answers(broker: string): Promise<boolean> {
  // Through our client: of its own, kafkajs sets timers for -1 minus the time of day.
  const client = createKafka({brokers: [broker], clientId: 'forestay-tests'});
  const admin = client.admin({retry: {retries: 0}});
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
}
