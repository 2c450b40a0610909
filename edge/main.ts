/** The composition of an edge process: which sensor, spool, link and service is plugged in where. */
import {formatAddress} from '../core/domain/address.ts';
import {checkBind} from '../core/domain/bind.ts';
import type {EffectReport} from '../core/domain/effects.ts';
import {formatError, isForestayError} from '../core/domain/errors.ts';
import {fnv1a32} from '../core/domain/hash.ts';
import {HOST_METRICS, type MetricSet, VM_METRICS} from '../core/domain/metric-sets.ts';
import type {Driver} from './actuator/driver.ts';
import type {EffectTable} from './actuator/effect-table.ts';
import {type Agent, createAgent} from './agent.ts';
import type {IntentCounters} from './intent-thread.ts';
import {type IntentUse, openIntent} from './intent-use.ts';
import {createInventory} from './inventory.ts';
import {limitNotes} from './note.ts';
import {concludeOddness} from './oddness.ts';
import type {Clock, Files, Note, Random} from './ports.ts';
import {createReading, createTable, type Reading, toNdjson} from './print.ts';
import {createSampler, everyInterval} from './sampler.ts';
import type {Conclusion, RowWriter, Sensor} from './sensor.ts';
import {type HostSensorOptions, hostSensors, vmSensors} from './sensors/all.ts';
import {fileHistories} from './sensors/history.ts';

/** What is asked besides files. */
export type HostProbes = Pick<HostSensorOptions, 'tools' | 'applications' | 'applicationMetrics'>;

export type EdgeOptions = {
  /** HOST:PORT of one core or more, with commas between; the next one is tried when one is away. */
  core: string;
  cell: string;
  host: string;
  rack: string;
  /** Where `/proc` and `/sys` are found. */
  root: string;
  probes?: HostProbes;
  intervalMs: number;
  /** How often a day a metric of a healthy host or VM may count as odd. */
  falseAlarmsPerDay?: number;
  /** The reboot-intent model, and what may be done of it here; without: off. */
  intent?: IntentUse | undefined;
  /** Folder of the spool and of the table of effects. */
  spool: string;
  actuatorListen: string | undefined;
  http: string | undefined;
  insecure: boolean;
  version: string;
  clock: Clock;
  files: Files;
  random: Random;
  note: Note;
};

type Closing = {close(): Promise<void> | void};

/**
 * Runs an edge until `signal` aborts; resolves when it has drained and closed.
 * Errors: `CONFIG_INVALID`, `BIND_REFUSED`, `PORT_IN_USE`, and what the spool's folder throws.
 */
export async function runEdge(options: EdgeOptions, signal: AbortSignal): Promise<void> {
  const {note, host, cell, core} = options;
  const closing: Closing[] = [];
  let agent: Agent | undefined;
  try {
    const actuator = await startActuator(options, closing);
    const intent = await openIntent(options);
    closing.push(intent);
    agent = await connectAgent(options, actuator, intent.conclusions, closing);
    if (options.http !== undefined) {
      closing.push(await startHttp(options, options.http, agent, intent.counters));
    }
    agent.start();
    note(`edge: host ${host} of cell ${cell} streams to ${core}; spool in ${options.spool}`);
    await aborted(signal);
    note('edge: draining');
  } finally {
    await agent?.stop();
    for (const part of closing.reverse()) await part.close();
  }
}

/** Modules of the network are loaded here, so that `--print` does without them. */
async function connectAgent(
  options: EdgeOptions,
  actuatorAddress: string,
  conclusions: readonly Conclusion[],
  closing: Closing[],
): Promise<Agent> {
  const [{createGrpcLinks}, {dialAny}, {codec}] = await Promise.all([
    import('./link-grpc.ts'),
    import('./link-any.ts'),
    import('../proto/codec.ts'),
  ]);
  const {host, cell, rack, root, intervalMs, clock, files, random, note} = options;
  const links = options.core.split(',').map(one => createGrpcLinks(one, options.version));
  closing.push(...links);
  const histories = fileHistories(files, `${options.spool}/sensors`);
  const sensors = hostSensors(root, {...options.probes, histories, random});
  closing.push(closingAll(sensors));
  return createAgent({
    edge: host,
    cell,
    timeBase: 'live',
    sensors,
    fleets: vmSensors(root),
    conclusions: [concludeOddness(options), ...conclusions],
    inventory: createInventory({root, host, rack, actuatorAddress, capabilities: []}),
    clock,
    random,
    files,
    dial: dialAny(
      links.map(({dial}) => dial),
      // Spreads the edges over the cores.
      fnv1a32(host),
    ),
    codec,
    spoolFolder: options.spool,
    // A spool that was thrown away must not use numbers again: the core would take its batches
    // for repeats. The time is beyond what any earlier spool has counted to.
    firstIncarnation: Math.floor(clock.nowMs() / 1000),
    intervalMs,
    note,
  });
}

/** Gives the address that the inventory names; empty without an actuator, or if its table is damaged. */
async function startActuator(options: EdgeOptions, closing: Closing[]): Promise<string> {
  const {actuatorListen, host: agent, spool, files, clock, insecure, note} = options;
  if (actuatorListen === undefined) return '';
  const [{createActuator}, {openEffectTable}, {serveActuators}] = await Promise.all([
    import('./actuator/actuator.ts'),
    import('./actuator/effect-table.ts'),
    import('./actuator/service.ts'),
  ]);
  const listen = formatAddress(checkBind('the actuator', actuatorListen, insecure));
  let table: EffectTable;
  try {
    table = openEffectTable({files, path: `${spool}/effects`});
  } catch (error) {
    if (!isForestayError(error, 'LOG_CORRUPT')) throw error;
    // Watching needs no table: a host whose agent may not act is seen all the same.
    note(
      `edge: ACTUATOR OFF, nobody can act on ${agent}; telemetry goes on: ${formatError(error)}`,
    );
    return '';
  }
  const actuator = createActuator({agent, driver: noDriver, table, clock});
  const server = await serveActuators({listen, actuators: new Map([[agent, actuator]])});
  closing.push(server);
  note(
    `edge: actuator of ${agent} listens at ${server.address}; it has no driver and only refuses`,
  );
  return server.address;
}

async function startHttp(
  options: EdgeOptions,
  listen: string,
  agent: Agent,
  intent: Readonly<IntentCounters> | undefined,
): Promise<Closing> {
  const [{serveHttp}, {renderMetrics}] = await Promise.all([
    import('./http.ts'),
    import('./metrics.ts'),
  ]);
  const render = (): string => renderMetrics(agent.counters, options.version, intent);
  const server = await serveHttp(listen, options.insecure, render);
  options.note(`edge: http://${server.address}/metrics`);
  return server;
}

/** Prints live samples until `signal` aborts or `count` were printed; sends and keeps nothing. */
export async function printSamples(
  options: Pick<
    EdgeOptions,
    | 'host'
    | 'root'
    | 'probes'
    | 'intervalMs'
    | 'falseAlarmsPerDay'
    | 'intent'
    | 'clock'
    | 'files'
    | 'random'
    | 'note'
  >,
  format: 'table' | 'ndjson',
  count: number,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const {host, root, intervalMs, clock, note} = options;
  const sensors = hostSensors(root, options.probes);
  const intent = options.intent && (await openIntent(options));
  let readings = new Map<string, ReturnType<typeof createReading>>();
  const row = (set: MetricSet, entity: string, nowMs: number): RowWriter => {
    const reading = readings.get(entity) ?? createReading(set, entity, nowMs);
    readings.set(entity, reading);
    return reading;
  };
  const sampler = createSampler({
    sensors,
    fleets: vmSensors(root),
    conclusions: [concludeOddness(options), ...(intent?.conclusions ?? [])],
    hostRow: nowMs => row(HOST_METRICS, `hosts/${host}`, nowMs),
    vmRow: (entity, nowMs) => row(VM_METRICS, entity, nowMs),
    note: limitNotes(note),
  });
  const toRows = createTable();
  const toLines = (reading: Reading): string[] =>
    format === 'ndjson' ? [toNdjson(reading)] : toRows(reading);
  const enough = new AbortController();
  // The first reading knows no rates yet; it is not worth a line.
  const print = (nowMs: number): void => {
    readings = new Map();
    sampler.sample(nowMs);
    if (sampler.counters.samples === 1) return;
    for (const reading of readings.values()) for (const line of toLines(reading)) write(line);
    if (sampler.counters.samples > count) enough.abort();
  };
  const until = AbortSignal.any([signal, enough.signal]);
  await everyInterval(clock, intervalMs, until, print, () => {});
  await closingAll(sensors).close();
  await intent?.close();
}

function closingAll(sensors: readonly Sensor[]): Closing {
  return {
    close() {
      for (const sensor of sensors) sensor.close?.();
    },
  };
}

/** Stands where no hypervisor is driven yet: the fences work, nothing is carried out. */
const noDriver: Driver = {
  capabilities: () => [],
  start: ({id}) => report(id, 'failed'),
  progress: id => report(id, 'unknown'),
  cancel: id => report(id, 'unknown'),
};

function report(id: string, status: EffectReport['status']): EffectReport {
  const code = status === 'failed' ? 'EFFECT_UNSUPPORTED' : '';
  const message = 'this edge only observes: it has no driver for a hypervisor';
  return {id, status, code, message, progress: 0, figures: {}};
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), {once: true});
  });
}
