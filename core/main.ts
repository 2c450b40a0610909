/** The composition root: the only file that knows which adapters there are. */

import {existsSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {openRegistry} from '../models/registry/registry.ts';
import {codec} from '../proto/codec.ts';
import {systemClock} from './adapters/clock-system.ts';
import {nodeFiles} from './adapters/files-node.ts';
import {createGrpcActuator} from './adapters/hypervisor-grpc.ts';
import {createNoActuator} from './adapters/hypervisor-none.ts';
import {createMemoryLog} from './adapters/log-memory.ts';
import {type LogDamage, openSegmentLog} from './adapters/log-segments.ts';
import {seededRandom} from './adapters/random-seeded.ts';
import {createScoringPool, type ScoringPool} from './adapters/scorer-piscina.ts';
import {createMemoryStore} from './adapters/store-memory.ts';
import {createWatchThread} from './adapters/watch-thread.ts';
import {assembleCore} from './assembly.ts';
import {buildInfo} from './build-info.ts';
import type {Config} from './config.ts';
import {ForestayError, isSystemError} from './domain/errors.ts';
import type {Mode} from './domain/policy.ts';
import type {Actuators} from './engine/executor.ts';
import {publish} from './events.ts';
import {keepModels} from './keeping.ts';
import {modelsOfRegistry, openChampion} from './model-source.ts';
import type {Log, Scorer, Store} from './ports.ts';

export type RunningCore = {
  grpcAddress: string;
  httpAddress: string;
  close(): Promise<void>;
};

export type StartOptions = {
  /** What the configuration says of the mode, if it does: no partition starts in one that does more. */
  modeMax?: Mode | undefined;
  onProblem?: OnProblem;
  /** Told what the start waits for, when that takes longer than it should. */
  onWaiting?: (message: string) => void;
  /** Told what the keeper of the models does and finds, a sentence each. */
  onKeeping?: (message: string) => void;
  /** Told when the core cannot go on: another process has its data folder. */
  onLost?: (error: ForestayError) => void;
};

/**
 * Starts a core as configured. Resolves when it serves; partitions may still be recovering, which
 * `/readyz` tells.
 *
 * Errors: `DATA_DIR_LOCKED`, `DEPENDENCY_UNREACHABLE`, `PORT_IN_USE`, `BIND_REFUSED`, those of the
 * model's loading. What was opened until then is closed again.
 */
export async function startCore(config: Config, options: StartOptions = {}): Promise<RunningCore> {
  const {modeMax, onProblem = () => {}, onWaiting = () => {}, onLost = () => {}} = options;
  const opened: {close(): Promise<void>}[] = [];
  const keep = <Part extends {close(): Promise<void>}>(part: Part): Part => {
    opened.push(part);
    return part;
  };
  try {
    if (config.log.kind === 'segments' || config.store.kind === 'sqlite') makeDataDir(config);
    const log = keep(await openLog(config, {onProblem, onWaiting, onLost}));
    const store = keep(await openStore(config, onWaiting));
    const {anomaly} = config;
    const {modelDir, threads} = config.scoring;
    const pool = keep(createScoringPool({threads}));
    const registry = openRegistry(join(config.core.dataDir, 'models'), nodeFiles);
    const open = (path: string) => pool.open(path);
    const configured = join(modelDir, FAMILY);
    const scorer = await openChampion(registry, FAMILY, open, configured, onProblem);
    const models = modelsOfRegistry(registry, FAMILY, open);
    const keeper = keepModels(config.keeper, {
      ...{family: FAMILY, registry, models, log, codec, clock: systemClock, files: nodeFiles},
      folder: join(config.core.dataDir, 'training'),
      configured,
      tell: options.onKeeping ?? (() => {}),
    });
    if (keeper !== undefined) keep(keeper);
    const outlook = await openOutlook(pool, modelDir);
    const {cadence, intervalMs, everySamples, waitMs} = config.scoring;
    const core = await assembleCore(
      {
        log,
        store,
        scorer,
        models,
        outlook,
        clock: systemClock,
        wallClock: systemClock,
        random: seededRandom(`${hostname()}/${process.pid}`),
        codec,
        actuators: openActuators(config),
        watch: anomaly.enabled ? keep(createWatchThread(anomaly)) : undefined,
      },
      {
        listen: config.core.listen,
        advertise: config.core.advertise || config.core.listen,
        http: config.core.http,
        insecure: config.core.insecure,
        owner: `${hostname()}/${process.pid}`,
        policy: config.policy,
        modeMax,
        tickMs: config.ticks.tickMs,
        checkpointMs: config.ticks.checkpointEveryMs,
        scoring: {
          intervalMs: cadence === 'interval' ? intervalMs : 0,
          everySamples: cadence === 'every-n' ? everySamples : 0,
          waitMs,
        },
        time: 'data',
        run: true,
        build: buildInfo(),
        keeper: keeper && (() => keeper.status()),
        onForecast: keeper && (rows => keeper.observe(rows)),
        onOutcome: keeper && (outcome => keeper.outcome(outcome)),
        onProblem,
      },
    );
    return {
      grpcAddress: core.grpcAddress,
      httpAddress: core.httpAddress,
      async close() {
        await keeper?.close();
        await core.close().finally(() => pool.close());
      },
    };
  } catch (error) {
    for (const part of opened.reverse()) await part.close();
    throw error;
  }
}

/** What hosts are scored by, in the registry and below `modelDir`. */
const FAMILY = 'component-failure';

/** The model of days and weeks, if there is one beside the other. */
async function openOutlook(pool: ScoringPool, modelDir: string): Promise<Scorer | undefined> {
  const modelPath = join(modelDir, 'component-outlook');
  return existsSync(modelPath) ? pool.open(modelPath) : undefined;
}

type OnProblem = (message: string) => void;

async function openLog(
  {log, core}: Config,
  {
    onProblem,
    onWaiting,
    onLost,
  }: Required<Pick<StartOptions, 'onProblem' | 'onWaiting' | 'onLost'>>,
): Promise<Log> {
  switch (log.kind) {
    case 'memory':
      return createMemoryLog();
    case 'segments':
      return openSegmentLog({
        directory: join(core.dataDir, 'log'),
        files: nodeFiles,
        clock: systemClock,
        segmentBytes: log.segments.segmentBytes,
        retention: {telemetry: log.telemetryRetention, journal: log.journalRetention},
        onDamage: damage => tellDamage(damage, onProblem),
        onLost,
      });
    case 'kafka': {
      const {openKafkaLog} = await import('./adapters/log-kafka.ts');
      const opening = openKafkaLog({
        ...log.kafka,
        retention: {telemetry: log.telemetryRetention, journal: log.journalRetention},
        clock: systemClock,
        clientId: `forestay-${hostname()}-${process.pid}`,
        connectMsMax: CONNECT_MS_MAX,
        onTrouble: trouble => tellInterrupted(trouble, onProblem),
      });
      return tellIfLate(opening, `Kafka at ${log.kafka.brokers.join(', ')}`, onWaiting);
    }
  }
}

/** What is not there yet may just be starting. */
const CONNECT_MS_MAX = 15_000;
const LATE_MS = 2_000;

/** Nobody should wonder what a start waits for. */
async function tellIfLate<Part>(
  opening: Promise<Part>,
  what: string,
  onWaiting: (message: string) => void,
): Promise<Part> {
  const timer = setTimeout(
    () => onWaiting(`waiting for ${what} (up to ${CONNECT_MS_MAX / 1000} s)`),
    LATE_MS,
  );
  try {
    return await opening;
  } finally {
    clearTimeout(timer);
  }
}

function makeDataDir({core}: Config): void {
  try {
    nodeFiles.makeDirectory(core.dataDir);
  } catch (cause) {
    throw isSystemError(cause) ? noDataDir(core.dataDir, cause) : cause;
  }
}

function noDataDir(dataDir: string, cause: Error): ForestayError {
  return new ForestayError(
    'CONFIG_INVALID',
    `cannot make the data folder ${dataDir}: ${cause.message}; choose another one with --data`,
    {details: {dataDir}, cause},
  );
}

function tellDamage(damage: LogDamage, onProblem: OnProblem): void {
  const {topic, partition, offset, path, position} = damage;
  publish('record.quarantined', {topic, partition, offset, code: 'LOG_CORRUPT'});
  onProblem(
    `partition ${partition}: ${topic} from offset ${offset} on is not what was written (${path}, ` +
      `byte ${position}); it is left out up to the next record that is whole; check the disk`,
  );
}

function tellInterrupted(trouble: ForestayError, onProblem: OnProblem): void {
  publish('ownership.interrupted', {code: trouble.code});
  onProblem(trouble.message);
}

async function openStore(
  {store, core}: Config,
  onWaiting: (message: string) => void,
): Promise<Store> {
  switch (store.kind) {
    case 'memory':
      return createMemoryStore();
    case 'sqlite': {
      const {openSqliteStore} = await import('./adapters/store-sqlite.ts');
      const {retention} = store;
      return openSqliteStore({path: join(core.dataDir, 'forestay.sqlite'), retention});
    }
    case 'questdb': {
      const {openQuestDbStore} = await import('./adapters/store-questdb.ts');
      const opening = openQuestDbStore({
        ...store.questdb,
        ageMsMax: store.retention.ageMs,
        connectMsMax: CONNECT_MS_MAX,
      });
      return tellIfLate(opening, `QuestDB at ${store.questdb.address}`, onWaiting);
    }
  }
}

function openActuators({hypervisor}: Config): Actuators {
  if (hypervisor.kind === 'none') {
    return {hypervisor: createNoActuator(), balancer: createNoActuator()};
  }
  return {hypervisor: createGrpcActuator({}), balancer: createGrpcActuator({})};
}
