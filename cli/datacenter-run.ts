/** Runs a simulated datacenter as a process of its own: time passes, edges sample, agents act. */
import {systemClock} from '../core/adapters/clock-system.ts';
import {createMemoryFiles} from '../core/adapters/files-memory.ts';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {lockDirectory} from '../core/adapters/log-segments-lock.ts';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import type {Clock, Files} from '../core/ports.ts';
import {openActJournal} from '../core/simulation/act-journal.ts';
import {createDatacenter, type DatacenterOptions} from '../core/simulation/datacenter.ts';
import {LastingDatacenter} from '../core/simulation/lasting-datacenter.ts';
import {type IntentThread, openIntentThread} from '../edge/intent-thread.ts';
import {dialAny} from '../edge/link-any.ts';
import {createGrpcLinks} from '../edge/link-grpc.ts';
import type {Note} from '../edge/ports.ts';
import {codec} from '../proto/codec.ts';
import {START_MS, serveDatacenter} from './datacenter-agents.ts';
import {createDatacenterEdge, type DatacenterEdge} from './datacenter-edge.ts';
import {type Oracle, openOracle} from './datacenter-oracle.ts';
import {requireFolder} from './folders.ts';
import {createPace} from './pace.ts';

export type DatacenterRun = {
  cores: readonly string[];
  seed: number;
  hosts: number;
  vms: number;
  cells: number;
  cellPrefix: string;
  /** Virtual seconds a second. */
  speed: number;
  faultRate: number;
  actuatorListen: string;
  /** What hosts say of where their agents listen; undefined: there. */
  actuatorAdvertise: string | undefined;
  /** Folder of acts, tables of effects and spools; undefined: all is gone with the process. */
  state: string | undefined;
  oracle: string | undefined;
  /** Folder of the reboot-intent model that the edges share; undefined: none. */
  intentModel?: string | undefined;
  version: string;
  note: Note;
};

function lockState(state: string): () => void {
  requireFolder(state, '--state');
  return lockDirectory(nodeFiles, state, undefined, '--state');
}

/** Faults are drawn for this long; afterwards nothing fails any more. */
const DURATION_MS = 7 * 24 * 3_600_000;
const STEP_MS = 1_000;

/**
 * Runs until `signal` aborts; resolves when the edges have sent what they could and all is closed.
 * Errors: `PORT_IN_USE`, `DATA_DIR_LOCKED`, those of the acts' journal and of the effect tables.
 */
export async function runDatacenter(options: DatacenterRun, signal: AbortSignal): Promise<void> {
  const {state = '/datacenter', note} = options;
  const files: Files = options.state === undefined ? createMemoryFiles() : nodeFiles;
  const unlock = options.state === undefined ? () => {} : lockState(state);
  files.makeDirectory(state);
  const oracle = options.oracle === undefined ? undefined : openOracle(options.oracle);
  try {
    const lasting = openDatacenter(options, files, state);
    const {datacenter} = lasting;
    const service = await serveDatacenter({
      datacenter,
      driver: oracle?.watchDriver(lasting, datacenter) ?? lasting,
      clock: worldClock(lasting),
      files,
      folder: `${state}/effects`,
      listen: options.actuatorListen,
    });
    const actuators = options.actuatorAdvertise ?? service.address;
    const {intentModel: folder, seed} = options;
    const random = seededRandom(seed);
    const intent =
      folder === undefined
        ? undefined
        : await openIntentThread({folder, clock: systemClock, random, note});
    const fleet = openFleet(options, lasting, {oracle, files, state, actuators, intent});
    const {hosts, vms, nowMs} = datacenter;
    note(
      `datacenter: ${hosts.length} hosts and ${vms.length} VMs stream to ${options.cores.join(', ')}; ` +
        `actuators listen at ${service.address}; it is ${new Date(nowMs).toISOString()} there`,
    );
    await live(lasting, fleet.edges, oracle, createPace(STEP_MS, options.speed, signal), signal);
    note('datacenter: draining');
    await fleet.close();
    await intent?.close();
    await service.close();
    lasting.close();
  } finally {
    oracle?.close();
    unlock();
  }
}

async function live(
  lasting: LastingDatacenter,
  edges: readonly DatacenterEdge[],
  oracle: Oracle | undefined,
  pace: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const {datacenter} = lasting;
  while (!signal.aborted) {
    lasting.step(datacenter.nowMs + STEP_MS);
    oracle?.look(datacenter);
    for (const edge of edges) edge.sample(datacenter.nowMs);
    await pace();
  }
}

function openDatacenter(
  {seed, hosts, vms, cells, cellPrefix, faultRate}: DatacenterRun,
  files: Files,
  state: string,
): LastingDatacenter {
  const shape = {hosts, vms, cells, cellPrefix} satisfies Partial<DatacenterOptions>;
  const journal = openActJournal(files, `${state}/acts`, {seed, ...shape, faultRate});
  const datacenter = createDatacenter({
    ...shape,
    random: seededRandom(seed),
    startMs: START_MS,
    durationMs: DURATION_MS,
    rateFactor: faultRate,
  });
  return new LastingDatacenter(datacenter, journal);
}

/** Drivers act on the world's time; a lease runs on the machine's. */
function worldClock({datacenter}: LastingDatacenter): Clock {
  return {
    nowMs: () => datacenter.nowMs,
    monotonicMs: systemClock.monotonicMs,
    sleep: systemClock.sleep,
  };
}

type Parts = {
  oracle: Oracle | undefined;
  files: Files;
  state: string;
  actuators: string;
  intent: IntentThread | undefined;
};

function openFleet(
  {cores, version, note}: DatacenterRun,
  {datacenter}: LastingDatacenter,
  {oracle, files, state, actuators, intent}: Parts,
): {edges: readonly DatacenterEdge[]; close(): Promise<void>} {
  const links = cores.map(core => createGrpcLinks(core, version));
  const dials = links.map(({dial}) => dial);
  const edges = datacenter.hosts.map(({name: host, cell, index}) => {
    const dial = dialAny(dials, index);
    return createDatacenterEdge({
      datacenter,
      host,
      cell,
      actuatorAddress: actuators,
      intent,
      dial: oracle?.watchDial(dial) ?? dial,
      codec: oracle?.watchCodec(codec) ?? codec,
      files,
      spoolFolder: `${state}/spools/${host}`,
      note: line => note(`${host}: ${line}`),
    });
  });
  return {
    edges,
    async close() {
      await Promise.all(edges.map(edge => edge.stop()));
      for (const link of links) link.close();
    },
  };
}
