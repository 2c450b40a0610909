/**
 * A core made of given parts: ingest, engine, recorder and API around one log. main.ts chooses the
 * parts by configuration; the demo and the tests bring their own.
 */
import {TelemetryService} from '../proto/gen/forestay/v1/telemetry_pb.ts';
import {exportJson, exportMermaid} from '../statecharts/export.ts';
import {machines} from '../statecharts/registry.ts';
import {type Api, createApi} from './api/api.ts';
import type {Check} from './api/status.ts';
import {addTelemetryService} from './api/telemetry-service.ts';
import {tuneCollector} from './collector.ts';
import type {KeeperSight} from './domain/drift/report.ts';
import {formatError} from './domain/errors.ts';
import type {HostOutcome, ObservedRows} from './domain/observed.ts';
import type {Mode, Policy} from './domain/policy.ts';
import type {ScoresRecord, Tick} from './domain/records.ts';
import {type Engine, startEngine} from './engine/engine.ts';
import type {Actuators} from './engine/executor.ts';
import {createIngest, type Ingest} from './engine/ingest.ts';
import {createMetricSets, type MetricSets} from './engine/ingest-metric-sets.ts';
import {type LogHealth, watchLog} from './engine/log-health.ts';
import {modelUse, namedModels} from './engine/model-switch.ts';
import {imageOfState} from './engine/partition-image.ts';
import type {PartitionState} from './engine/partition-state.ts';
import {createReadModel, heardElsewhere, type ReadModel} from './engine/read-model.ts';
import {applyCheckpoint, applyScores, applyTick, applyTimeBase} from './engine/read-model-fold.ts';
import type {Tailer} from './engine/read-model-tailer.ts';
import type {Recorder} from './engine/recorder.ts';
import {requireCadence} from './engine/scoring.ts';
import {ServedModels} from './engine/served-models.ts';
import {isScored} from './engine/set-table.ts';
import {startFollowing} from './following.ts';
import {observeAnomalies} from './observing.ts';
import type {
  Clock,
  Codec,
  Log,
  ModelSignature,
  ModelSource,
  Random,
  Scorer,
  Store,
  Watch,
} from './ports.ts';
import {startRecording} from './recording.ts';
import {submit} from './submit.ts';
import {countTotals} from './totals.ts';

export type CoreParts = {
  log: Log;
  store: Store;
  scorer: Scorer;
  /** Models that commands may ask for; undefined: the given one serves for good. */
  models?: ModelSource | undefined;
  /** A second model, of days and weeks; undefined: none. */
  outlook?: Scorer | undefined;
  /** What ticks are made by; virtual in a simulation. */
  clock: Clock;
  /** The machine's, for sinks and for people. */
  wallClock: Clock;
  random: Random;
  codec: Codec;
  actuators: Actuators;
  /** Undefined: nobody watches for anomalies. */
  watch?: Watch | undefined;
};

export type CoreSettings = {
  listen: string;
  http: string;
  insecure: boolean;
  owner: string;
  /** Where others reach gRPC; `listen` unless given. */
  advertise?: string;
  policy: Policy;
  /** No partition starts in a mode that does more; undefined: in the one that was commanded last. */
  modeMax?: Mode | undefined;
  tickMs: number;
  checkpointMs: number;
  scoring: {intervalMs: number; everySamples?: number; waitMs: number};
  time: 'clock' | 'data';
  /** Store every n-th batch of an edge, and every n-th record of scores. */
  sampleEvery?: number;
  /** False: nothing is stored. */
  record?: boolean;
  /** False: the caller steps the engine. */
  run: boolean;
  build: {version: string; commit: string};
  onTick?: (tick: Tick, state: PartitionState) => void;
  onScores?: (partition: number, scores: ScoresRecord) => void;
  /** Told of what hosts were forecast from, of every partition that is owned here; see RuntimeOptions. */
  onForecast?: ((rows: ObservedRows) => void) | undefined;
  /** Told likewise of what became of hosts. */
  onOutcome?: ((outcome: HostOutcome) => void) | undefined;
  /** What the keeper of the models is at; absent: there is none. */
  keeper?: (() => KeeperSight) | undefined;
  onProblem: (message: string) => void;
};

export type Core = {
  grpcAddress: string;
  httpAddress: string;
  engine: Engine;
  model: ReadModel;
  recorder: Recorder;
  /** Takes nothing more, finishes what was taken, leaves checkpoints, lets go of everything. */
  close(): Promise<void>;
};

const TICK_BYTES_MAX = 4 * 1024 * 1024;
const API_CLOSE_MS = 5000;
/**
 * A fifth of a tick, for ticks read batches; of 10,000 edges each has an ack every five seconds. Not
 * where time stands still until everything is acked.
 */
const PACED = {gatherMs: 50, acksPerSecondMax: 2000};

/**
 * Errors: `CONFIG_INVALID`, those of the engine's start and of binding; everything that was started is stopped then,
 * and the parts stay the caller's.
 */
export async function assembleCore(given: CoreParts, settings: CoreSettings): Promise<Core> {
  tuneCollector();
  const health = watchLog(given.log);
  const parts = {...given, log: health.log};
  const {log, codec} = parts;
  requireCadence(parts.scorer.signature(), settings.scoring.everySamples ?? 0);
  const model = createReadModel();
  const models = new ServedModels(parts.scorer, parts.models);
  const metricSets = createMetricSets({log, codec, clock: parts.clock});
  const observe = observeAnomalies(parts, model);
  let engine: Engine | undefined;
  const ingest = openIngest(parts, settings, metricSets, () => engine);
  engine = await startEngine({
    ...engineOptions(parts, settings),
    models,
    heardElsewhere: (host, partition) => heardElsewhere(model, host, partition),
    onStart: (state, nextOffset) => {
      const image = imageOfState(state, ownerOf(settings), nextOffset);
      applyCheckpoint(model, state.partition, image);
      registerKnown(state, {metricSets, ingest});
    },
    onTick: (tick, state, nextOffset) => {
      applyTick(model, state.partition, tick, nextOffset);
      applyTimeBase(model, state.partition, state.timeBase);
      settings.onTick?.(tick, state);
      observe(state);
      if (tick.models) letGoOfModels(models, engine, settings.onProblem);
    },
    onScores: (partition, scores) => {
      applyScores(model, partition, scores);
      settings.onScores?.(partition, scores);
    },
  });
  const recording = startRecording(parts, settings, engine);
  const {recorder} = recording;
  const following = startFollowing(parts, settings, model, engine);
  const totals = countTotals(() => recorder.storedSamples());
  const stopRecording = async () => {
    await recording.stop();
    totals.close();
  };
  const checks = () => checksOf({...parts, health}, engine, following.tailer, recording.problem());
  const api = await openApi(parts, settings, {
    model,
    ingest,
    metricSets,
    takenAs: requestId => takenAs(engine, requestId),
    served: () => servedModel(parts.scorer, engine),
    checks,
    cells: totals.cells,
  }).catch(async error => {
    await ingest.close();
    await following.stop();
    await engine.stop();
    await stopRecording();
    throw error;
  });
  if (settings.run) engine.run();
  return {
    grpcAddress: api.grpcAddress,
    httpAddress: api.httpAddress,
    engine,
    model,
    recorder,
    async close() {
      await ingest.close();
      await api.close(API_CLOSE_MS);
      recording.keep();
      // Before the engine: what it hands back would be another's to follow.
      await following.stop();
      await engine.stop();
      if (recording.problem() === '') {
        await recorder.drained().catch(error => settings.onProblem(formatError(error)));
      }
      await stopRecording();
      await closeParts(parts, models);
    },
  };
}

function openIngest(
  {log, codec, clock}: CoreParts,
  {run}: CoreSettings,
  metricSets: MetricSets,
  engine: () => Engine | undefined,
): Ingest {
  return createIngest({
    log,
    codec,
    clock,
    metricSets,
    limits: run ? PACED : {},
    lagMs: partition => engine()?.lagMs(partition) ?? 0,
    newestLife: (partition, {edge, cell}) =>
      engine()?.stateOf(partition)?.marks.newestLife(edge, cell),
  });
}

function engineOptions(
  {log, codec, clock, random, scorer, outlook, actuators}: CoreParts,
  settings: CoreSettings,
) {
  return {
    outlook,
    log,
    codec,
    clock,
    random: random.fork('retries'),
    scorer,
    actuators,
    policy: settings.policy,
    modeMax: settings.modeMax,
    owner: ownerOf(settings),
    scoring: settings.scoring,
    checkpointMs: settings.checkpointMs,
    onForecast: settings.onForecast,
    onOutcome: settings.onOutcome,
    tickBytesMax: TICK_BYTES_MAX,
    time: settings.time,
    tickMs: settings.tickMs,
    pollMs: 2 * settings.tickMs,
    onProblem: (partition: number, problem: string) =>
      settings.onProblem(`partition ${partition}: ${problem}`),
  };
}

/** Who this core is, in the EPOCH of each partition that it owns. */
function ownerOf({owner, listen, advertise = listen}: CoreSettings) {
  return {owner, address: advertise};
}

/** What a recovered partition knows is known to ingest at once. */
function registerKnown(
  state: PartitionState,
  into: {metricSets: MetricSets; ingest: Ingest},
): void {
  for (const {set} of state.tables.values()) into.metricSets.registerKnown(set);
  if (state.timeBase === undefined) return;
  for (const {cell} of state.hosts.values()) into.ingest.registerKnownCell(cell, state.timeBase);
}

/** What most of a core's hosts are scored by: its partitions take a switch within a tick or two. */
function servedModel(scorer: Scorer, engine: Engine | undefined): ModelSignature {
  return engine?.runtimes()[0]?.state.model ?? scorer.signature();
}

/** Models that no partition uses any more are not kept open for ever. */
function letGoOfModels(
  models: ServedModels,
  engine: Engine | undefined,
  onProblem: (message: string) => void,
): void {
  const runtimes = engine?.runtimes() ?? [];
  const used = runtimes.flatMap(({state}) => namedModels(modelUse(state)));
  // Closing waits for answers, and nobody waits for it; whatever fails, the pool ends with the core.
  models.keep(new Set(used)).catch(error => onProblem(formatError(error)));
}

function checksOf(
  {scorer, health}: CoreParts & {health: LogHealth},
  engine: Engine,
  tailer: Tailer,
  recorderProblem: string,
): Check[] {
  const owned = `${engine.runtimes().length} partitions`;
  const reads = tailer.caughtUp();
  return [
    {name: 'engine', ok: engine.ready(), message: engine.ready() ? owned : 'recovering'},
    {name: 'reader', ok: reads, message: reads ? 'shows all partitions' : 'reading others'},
    {name: 'model', ok: true, message: servedModel(scorer, engine).name},
    {name: 'store', ok: recorderProblem === '', message: recorderProblem || 'recording'},
    {name: 'log', ok: health.problem() === '', message: health.problem() || 'takes appends'},
  ];
}

/** Every command goes to all partitions: any that is owned here knows it, once it has taken it. */
function takenAs(engine: Engine, requestId: string): string | undefined {
  for (const {state} of engine.runtimes()) {
    const body = state.requests.get(requestId);
    if (body !== undefined) return body;
  }
  return undefined;
}

type ApiParts = {
  model: ReadModel;
  ingest: Ingest;
  metricSets: MetricSets;
  takenAs(requestId: string): string | undefined;
  served(): ModelSignature;
  checks: () => Check[];
  cells: ReturnType<typeof countTotals>['cells'];
};

function openApi(
  {log, codec, scorer, wallClock}: CoreParts,
  settings: CoreSettings,
  {model, ingest, metricSets, takenAs, served, checks, cells}: ApiParts,
): Promise<Api> {
  return createApi({
    model,
    events: {log, codec},
    clock: wallClock,
    build: settings.build,
    checks,
    cells,
    submit: record => submit({log, codec}, record),
    takenAs,
    statechart: (machine, format) =>
      format === 'json' ? JSON.stringify(exportJson(machine), null, 2) : exportMermaid(machine),
    versions: () => ({
      model: served(),
      statecharts: {host: machines.host.version, vm: machines.vm.version},
    }),
    listen: settings.listen,
    http: settings.http,
    insecure: settings.insecure,
    keeper: settings.keeper,
    services: [
      {
        service: TelemetryService,
        addTo: server =>
          addTelemetryService(server, {
            ingest,
            metricSets,
            isScored: set => isScored(set, scorer.signature()),
          }),
      },
    ],
  });
}

async function closeParts(parts: CoreParts, models: ServedModels): Promise<void> {
  const {watch, scorer, outlook, actuators, store, log} = parts;
  await watch?.close();
  await models.close();
  await scorer.close();
  await outlook?.close();
  await actuators.hypervisor.close();
  await actuators.balancer.close();
  await store.close();
  await log.close();
}
