/** A core around a simulated datacenter: real parts on virtual time, its data in a folder that goes away. */
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {systemClock} from '../core/adapters/clock-system.ts';
import {createMemoryFiles} from '../core/adapters/files-memory.ts';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {createGrpcActuator} from '../core/adapters/hypervisor-grpc.ts';
import {openSegmentLog} from '../core/adapters/log-segments.ts';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {openSqliteStore} from '../core/adapters/store-sqlite.ts';
import {createWatchThread} from '../core/adapters/watch-thread.ts';
import {assembleCore, type Core, type CoreParts, type CoreSettings} from '../core/assembly.ts';
import {buildInfo} from '../core/build-info.ts';
import {DEFAULT_POLICY} from '../core/domain/policy.ts';
import type {Clock} from '../core/ports.ts';
import type {Datacenter} from '../core/simulation/datacenter.ts';
import {codec} from '../proto/codec.ts';
import {serveDatacenter} from './datacenter-agents.ts';

export type DemoCoreOptions = Pick<CoreParts, 'scorer' | 'models' | 'clock'> &
  Pick<
    CoreSettings,
    'checkpointMs' | 'sampleEvery' | 'onTick' | 'onScores' | 'onForecast' | 'onOutcome'
  > & {
    readonly seed: number;
    readonly folder: string;
    /** Virtual time between two steps. */
    readonly stepMs: number;
    /** False: cells do not move risks by what they have learned of their own hosts. */
    readonly learning: boolean;
    /** A host is scored at most once in so long; by every sample unless given. */
    readonly scoreEveryMs?: number;
    /** False: nobody looks for odd hosts. */
    readonly watch?: boolean;
  };

/** Folder of a model that comes with the program. */
export function shippedModel(name: string): string {
  return fileURLToPath(new URL(`../models/artefacts/${name}`, import.meta.url));
}

const CALL_MS = 60_000;

/** Problems are thrown: a demo has none. */
export async function openDemoCore(options: DemoCoreOptions): Promise<Core> {
  const {seed, folder, stepMs, learning, scorer, models, clock, ...rest} = options;
  const {scoreEveryMs = 0, watch = true, ...settings} = rest;
  return assembleCore(
    {
      // The data is thrown away at the end: it need not survive the machine.
      log: await openSegmentLog({
        directory: join(folder, 'log'),
        files: nodeFiles,
        clock: systemClock,
        sync: 'none',
        groupMs: 0,
      }),
      store: await openSqliteStore({path: join(folder, 'forestay.sqlite')}),
      scorer,
      models,
      clock,
      wallClock: systemClock,
      random: seededRandom(seed),
      codec,
      watch: watch ? createWatchThread({oddMinutesPerHostDay: 1}) : undefined,
      // A busy machine must not turn into an agent that does not answer.
      actuators: {
        hypervisor: createGrpcActuator({deadlineMs: CALL_MS}),
        balancer: createGrpcActuator({deadlineMs: CALL_MS}),
      },
    },
    {
      listen: '127.0.0.1:0',
      http: '127.0.0.1:0',
      insecure: false,
      owner: 'demo',
      // Only here: a core of your own observes until you tell it otherwise.
      policy: {...DEFAULT_POLICY, mode: 'auto', learning: {enabled: learning}},
      tickMs: stepMs,
      // Virtual time stands still while scores are on their way: this never runs out.
      scoring: {intervalMs: scoreEveryMs, waitMs: 60_000},
      time: 'clock',
      run: false,
      build: buildInfo(),
      onProblem: message => {
        throw new Error(message);
      },
      ...settings,
    },
  );
}

/** The agents of the simulated hosts, on virtual time; their tables of effects go away with them. */
export function serveDemoAgents(datacenter: Datacenter, clock: Clock) {
  return serveDatacenter({
    datacenter,
    driver: datacenter.drivers,
    clock,
    files: createMemoryFiles(),
    folder: '/effects',
    listen: '127.0.0.1:0',
  });
}

export type DemoPartitions = {
  readonly simulated: ReadonlySet<number>;
  /** Of the machine that the demo runs on. */
  readonly live?: number | undefined;
};

/** Simulated cells tick on virtual time, one after another; the live one on the machine's. */
export async function stepAll(
  core: Core,
  {simulated, live}: DemoPartitions,
  nowMs: number,
): Promise<void> {
  for (const runtime of core.engine.runtimes()) {
    if (runtime.state.partition === live) await runtime.step(systemClock.nowMs());
    if (!simulated.has(runtime.state.partition)) continue;
    await runtime.executor.poll();
    await runtime.step(nowMs);
    await runtime.settled();
  }
}
