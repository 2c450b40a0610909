/**
 * A core made of given parts: ingest, engine, recorder and API around one log. main.ts chooses the
 * parts by configuration; the demo and the tests bring their own.
 */

import {TelemetryService} from '../proto/gen/forestay/v1/telemetry_pb.ts';
import {exportJson, exportMermaid} from '../statecharts/export.ts';
import {machines} from '../statecharts/registry.ts';
import {createApi} from './api/api.ts';
import type {Check} from './api/status.ts';
import {addTelemetryService} from './api/telemetry-service.ts';
import {PARTITION_COUNT} from './domain/hash.ts';
import type {Policy} from './domain/policy.ts';
import type {InboxRecord, ScoresRecord, Tick} from './domain/records.ts';
import {type Engine, startEngine} from './engine/engine.ts';
import type {Actuators} from './engine/executor.ts';
import {createIngest} from './engine/ingest.ts';
import {createMetricSets} from './engine/ingest-metric-sets.ts';
import {isScored, type PartitionState} from './engine/partition-state.ts';
import {createReadModel, type ReadModel} from './engine/read-model.ts';
import {applyCheckpoint, applyScores, applyTick} from './engine/read-model-fold.ts';
import {createRecorder, type Recorder} from './engine/recorder.ts';
import type {Clock, Codec, Log, Scorer, Store} from './ports.ts';
import {countTotals} from './totals.ts';

export type CoreParts = {
  log: Log;
  store: Store;
  scorer: Scorer;
  clock: Clock;
  codec: Codec;
  actuators: Actuators;
};

export type CoreSettings = {
  listen: string;
  http: string;
  insecure: boolean;
  owner: string;
  policy: Policy;
  tickMs: number;
  checkpointMs: number;
  scoring: {intervalMs: number; waitMs: number};
  time: 'clock' | 'data';
  /** Store every n-th sample of an entity. */
  sampleEvery?: number;
  /** False: the caller steps the engine. */
  run: boolean;
  build: {version: string; commit: string};
  onTick?: (tick: Tick, state: PartitionState) => void;
  onScores?: (partition: number, scores: ScoresRecord) => void;
  onProblem: (message: string) => void;
};

export type Core = {
  grpcAddress: string;
  httpAddress: string;
  engine: Engine;
  model: ReadModel;
  recorder: Recorder;
  submit(record: InboxRecord): Promise<void>;
  /** Takes nothing more, finishes what was taken, leaves checkpoints, lets go of everything. */
  close(): Promise<void>;
};

const TICK_BYTES_MAX = 4 * 1024 * 1024;
const CLOSE_MS = 5000;

export async function assembleCore(parts: CoreParts, settings: CoreSettings): Promise<Core> {
  const {log, store, scorer, clock, codec} = parts;
  const model = createReadModel();
  const totals = countTotals();
  const metricSets = createMetricSets({log, codec, clock});
  const lag = new Map<number, number>();
  const ingest = createIngest({
    log,
    codec,
    clock,
    metricSets,
    lagMs: partition => lag.get(partition) ?? 0,
  });

  const restored = (state: PartitionState): void => {
    applyCheckpoint(model, state.partition, imageOf(state));
    for (const {set} of state.tables.values()) metricSets.registerKnown(set);
    for (const {cell} of state.hosts.values()) {
      if (state.timeBase !== undefined) ingest.registerKnownCell(cell, state.timeBase);
    }
  };

  const engine = await startEngine({
    log,
    codec,
    clock,
    scorer,
    actuators: parts.actuators,
    policy: settings.policy,
    owner: {owner: settings.owner, address: settings.listen},
    scoring: settings.scoring,
    checkpointMs: settings.checkpointMs,
    tickBytesMax: TICK_BYTES_MAX,
    time: settings.time,
    tickMs: settings.tickMs,
    pollMs: 2 * settings.tickMs,
    onStart: restored,
    onTick: (tick, state) => {
      applyTick(model, state.partition, tick);
      settings.onTick?.(tick, state);
    },
    onScores: (partition, scores) => {
      applyScores(model, partition, scores);
      settings.onScores?.(partition, scores);
    },
    onProblem: (partition, problem) => settings.onProblem(`partition ${partition}: ${problem}`),
  });

  const recorder = createRecorder({
    log,
    store,
    codec,
    clock,
    sampleEvery: settings.sampleEvery ?? 1,
  });

  const submit = async (record: InboxRecord): Promise<void> => {
    const bytes = codec.encodeInbox(record);
    const partitions = Array.from({length: PARTITION_COUNT}, (_, partition) => partition);
    await Promise.all(partitions.map(partition => log.append('inbox', partition, [bytes])));
  };

  const checks = (): Check[] => [
    {
      name: 'partitions',
      ok: engine.ready(),
      message: engine.ready() ? `${engine.runtimes().length} owned` : 'recovering',
    },
    {name: 'model', ok: true, message: scorer.signature().name},
    ...recorder.checks(),
  ];

  const telemetry = {
    service: TelemetryService,
    addTo: (server: Parameters<typeof addTelemetryService>[0]) =>
      addTelemetryService(server, {
        ingest,
        metricSets,
        isScored: set => isScored(set, scorer.signature()),
      }),
  };
  const api = await createApi({
    model,
    clock,
    build: settings.build,
    checks,
    cells: totals.cells,
    submit,
    statechart: (machine, format) =>
      format === 'json' ? JSON.stringify(exportJson(machine), null, 2) : exportMermaid(machine),
    versions: () => ({
      model: scorer.signature(),
      statecharts: {host: machines.host.version, vm: machines.vm.version},
    }),
    listen: settings.listen,
    http: settings.http,
    insecure: settings.insecure,
    services: [telemetry],
  });

  if (settings.run) engine.run();
  return {
    grpcAddress: api.grpcAddress,
    httpAddress: api.httpAddress,
    engine,
    model,
    recorder,
    submit,
    async close() {
      await ingest.close();
      await api.close(CLOSE_MS);
      await engine.stop();
      await recorder.drained();
      await recorder.stop();
      totals.close();
      await scorer.close();
      await parts.actuators.hypervisor.close();
      await parts.actuators.balancer.close();
      await store.close();
      await log.close();
    },
  };
}

function imageOf(state: PartitionState) {
  return {
    epoch: state.epoch,
    tickNumber: state.tickNumber,
    timeMs: state.timeMs,
    control: state.control,
    modelHash: state.model.hash,
    inventory: [...state.hosts.values()].flatMap(host => (host.facts ? [host.facts] : [])),
    actors: state.actors.stored(),
  };
}
