/** One core: engine, executor, ingest and recorder, as core/assembly.ts puts them together. */
import {partitionOfCell} from '../../core/domain/hash.ts';
import type {Policy} from '../../core/domain/policy.ts';
import type {Tick} from '../../core/domain/records.ts';
import {type Engine, startEngine} from '../../core/engine/engine.ts';
import {createIngest, type Ingest} from '../../core/engine/ingest.ts';
import {createMetricSets} from '../../core/engine/ingest-metric-sets.ts';
import type {PartitionRuntime} from '../../core/engine/partition-runtime.ts';
import type {PartitionState} from '../../core/engine/partition-state.ts';
import {createRecorder, type Recorder} from '../../core/engine/recorder.ts';
import type {Actuator, Codec, Log, Random, Scorer, Store} from '../../core/ports.ts';
import type {SimProcess} from './process.ts';

export const TICK_MS = 1_000;

/** What a core is given, possibly with a planted bug in between. */
export type CoreParts = {
  log: Log;
  codec: Codec;
  scorer: Scorer;
  actuator: Actuator;
  store: Store;
};

export type CoreOptions = {
  process: SimProcess;
  random: Random;
  policy: Policy;
  partitions: readonly number[];
  records: boolean;
  checkpointMs: number;
  parts: CoreParts;
  onStart: (core: string, state: PartitionState) => void;
  onTick: (core: string, tick: Tick, state: PartitionState) => void;
  onProblem: (core: string, partition: number, problem: string) => void;
};

export class SimCore {
  readonly #options: CoreOptions;
  #engine: Engine | undefined;
  #ingest: Ingest | undefined;
  #recorder: Recorder | undefined;

  constructor(options: CoreOptions) {
    this.#options = options;
  }

  get ingest(): Ingest | undefined {
    return this.#ingest;
  }

  get recorder(): Recorder | undefined {
    return this.#recorder;
  }

  runtimes(): readonly PartitionRuntime[] {
    return this.#engine?.runtimes() ?? [];
  }

  /** Resolves when it owns what it was first given. The process has been started. */
  async start(): Promise<void> {
    const {process, parts, random, policy, partitions, records} = this.#options;
    const {log, codec, scorer, actuator, store} = parts;
    const {name} = process;
    const clock = process.clock();
    const metricSets = createMetricSets({log, codec, clock});
    const ingest = createIngest({
      log,
      codec,
      clock,
      metricSets,
      lagMs: partition => this.#engine?.lagMs(partition) ?? 0,
    });
    this.#ingest = ingest;
    if (records) {
      const recorder = createRecorder({log, store, codec, clock, random, partitions});
      this.#recorder = recorder;
      recorder.run(new AbortController().signal).catch(error => {
        this.#options.onProblem(name, -1, `recorder: ${String(error)}`);
      });
    }
    this.#engine = await startEngine({
      log,
      codec,
      clock,
      random: random.fork('retries'),
      scorer,
      actuators: {hypervisor: actuator, balancer: actuator},
      policy,
      owner: {owner: name, address: name},
      scoring: {intervalMs: 0, waitMs: 100},
      tickMs: TICK_MS,
      pollMs: 2 * TICK_MS,
      checkpointMs: this.#options.checkpointMs,
      tickBytesMax: 4 << 20,
      time: 'clock',
      onStart: state => {
        for (const {cell} of state.hosts.values()) {
          if (state.timeBase !== undefined) ingest.registerKnownCell(cell, state.timeBase);
        }
        this.#options.onStart(name, state);
      },
      onTick: (tick, state) => this.#options.onTick(name, tick, state),
      onProblem: (partition, problem) => this.#options.onProblem(name, partition, problem),
    });
    this.#engine.run();
  }

  /** Hands its partitions over and ends, as on SIGTERM. */
  async stop(): Promise<void> {
    await this.#ingest?.close();
    await this.#engine?.stop();
  }
}

/** Partitions of the cells. */
export const partitionsOf = (cells: Iterable<string>): number[] =>
  [...new Set([...cells].map(partitionOfCell))].sort((a, b) => a - b);
