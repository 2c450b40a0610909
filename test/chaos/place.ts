/**
 * Cores on one Kafka and one QuestDB, and a datacenter, all as processes, with a network between
 * any two of them that can be spoilt.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {freePort} from '../services/java-process.ts';
import {type KafkaService, startKafka} from '../services/kafka.ts';
import {startQuestDb} from '../services/questdb.ts';
import {BUSY, type DatacenterFlags, launchDatacenter} from '../support/datacenter-process.ts';
import {type FlakyQuestDb, startFlakyQuestDb} from '../support/flaky-questdb.ts';
import {launch, type Program, type Scope, temporaryFolder} from '../support/process.ts';
import {startTcpProxy, type TcpProxy} from '../support/tcp-proxy.ts';

export type CorePlace = {
  name: string;
  /** HOST:PORT of gRPC, past every proxy. */
  grpc: string;
  /** Between it and the edges, and between it and the brokers. */
  edges: TcpProxy;
  brokers: TcpProxy;
  /** The process of now; undefined while there is none. */
  process: Program | undefined;
};

export type Place = {
  cores: readonly CorePlace[];
  kafka: KafkaService;
  questDb: FlakyQuestDb;
  /** HOST:PORT of the database itself. */
  questDbAddress: string;
  /** Between the cores and the agents. */
  agents: TcpProxy;
  datacenter: Program | undefined;
  oracle: string;
  topicPrefix: string;
  startCore(core: CorePlace): Program;
  startDatacenter(): Program;
  /** Every network as it should be. */
  heal(): void;
};

export type PlaceOptions = {
  cores: number;
  hosts: number;
  cells: number;
  speed: number;
  seed: number;
};

const TOPIC_PREFIX = 'chaos';

export async function openPlace(t: Scope, options: PlaceOptions): Promise<Place> {
  const folder = temporaryFolder(t);
  const cores = await Promise.all(
    Array.from({length: options.cores}, (_, index) => openCorePlace(t, `core-${index + 1}`)),
  );
  const kafka = await startKafka(cores.map(({brokers}) => brokers.address));
  t.teardown(() => kafka.stop());
  cores.forEach(({front}, index) => {
    front.target = kafka.behind[index] ?? '';
  });
  const database = await startQuestDb();
  t.teardown(() => database.stop());
  const questDb = await startFlakyQuestDb(database.httpAddress);
  t.teardown(() => questDb.close());
  const actuators = `127.0.0.1:${await freePort()}`;
  const agents = await startTcpProxy(() => actuators);
  t.teardown(() => agents.close());

  const flags: DatacenterFlags = {
    ...options,
    cores: cores.map(({edges}) => edges.address),
    state: join(folder, 'datacenter'),
    oracle: join(folder, 'oracle'),
    actuators: {listen: actuators, advertise: agents.address},
  };
  const place: Place = {
    cores,
    kafka,
    questDb,
    questDbAddress: database.httpAddress,
    agents,
    datacenter: undefined,
    oracle: flags.oracle,
    topicPrefix: TOPIC_PREFIX,
    startCore(core) {
      core.process = launchCore(t, join(folder, core.name), core, questDb.address);
      return core.process;
    },
    startDatacenter() {
      place.datacenter = launchDatacenter(t, flags);
      return place.datacenter;
    },
    heal() {
      agents.heal();
      questDb.behave('well');
      for (const {edges, brokers} of place.cores) {
        edges.heal();
        brokers.heal();
      }
    },
  };
  return place;
}

async function openCorePlace(t: Scope, name: string) {
  const grpc = `127.0.0.1:${await freePort()}`;
  const edges = await startTcpProxy(() => grpc);
  // The broker has to be told of its front before it says where it listens.
  const front = {target: ''};
  const brokers = await startTcpProxy(() => front.target);
  t.teardown(() => Promise.all([edges.close(), brokers.close()]));
  return {name, grpc, edges, brokers, front, process: undefined};
}

function launchCore(t: Scope, data: string, {grpc, brokers}: CorePlace, questDb: string): Program {
  mkdirSync(data, {recursive: true});
  const settings = [
    BUSY,
    `log: {kafka: {brokers: ['${brokers.address}'], topicPrefix: ${TOPIC_PREFIX}}}`,
    `store: {questdb: {address: '${questDb}'}}`,
    '',
  ];
  writeFileSync(join(data, 'forestay.yaml'), settings.join('\n'));
  const kinds = ['--log', 'kafka', '--store', 'questdb'];
  const args = ['core', '--data', data, '--listen', grpc, '--http', '127.0.0.1:0', ...kinds];
  return launch(t, args, {cwd: data});
}
