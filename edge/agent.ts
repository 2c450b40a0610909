import {within} from '../core/domain/concurrency.ts';
import {HOST_METRICS, type MetricSet, VM_METRICS} from '../core/domain/metric-sets.ts';
import type {Batch, Inventory, TimeBase} from '../core/domain/telemetry.ts';
import {BlockBuilder} from './batch.ts';
import {createInventoryGate} from './inventory-gate.ts';
import type {Loss} from './losses.ts';
import {type LimitedNote, limitNotes} from './note.ts';
import type {Clock, Dial, Files, Note, Random, TelemetryCodec} from './ports.ts';
import {createSampler, everyInterval} from './sampler.ts';
import type {Conclusion, FleetSensor, Sensor} from './sensor.ts';
import {Spool, type SpoolLimits} from './spool.ts';
import {withSpool} from './spool-folder.ts';
import {Uplink, type UplinkLimits} from './uplink.ts';

export type AgentOptions = {
  /** Name of the edge; its host is `hosts/<edge>`. */
  edge: string;
  cell: string;
  timeBase: TimeBase;
  sensors: readonly Sensor[];
  fleets: readonly FleetSensor[];
  conclusions?: readonly Conclusion[];
  /** What the edge stands for; the same object as long as nothing changed. */
  inventory?: (nowMs: number) => Inventory;
  /** For waiting only: what is sent depends on sample times alone. */
  clock: Clock;
  random: Random;
  files: Files;
  dial: Dial;
  codec: TelemetryCodec;
  spoolFolder: string;
  /** Number of the first life of a new spool. */
  firstIncarnation?: number;
  intervalMs?: number;
  /** Samples are collected for so long before they are sent; 0: each for itself. */
  flushMs?: number;
  /** How long `stop` waits for acks. */
  drainMs?: number;
  hostMetrics?: MetricSet;
  vmMetrics?: MetricSet;
  spoolLimits?: Partial<SpoolLimits>;
  uplinkLimits?: Partial<UplinkLimits>;
  note?: Note;
};

export type AgentCounters = {
  samples: number;
  /** Slots of the interval that were slept through. */
  missedSamples: number;
  /** By sensor. */
  sensorFailures: Readonly<Record<string, number>>;
  infinities: number;
  spool: Spool['counters'] & {bytes: number};
  uplink: Uplink['counters'] & {inFlightBatches: number; connected: boolean};
};

/** One edge: sensors → batch → spool → uplink. */
export type Agent = {
  /** Samples at a fixed rate of the clock until `stop`. */
  start(): void;
  /**
   * Samples once, at a time that the caller gives, and sends it as soon as the core takes it;
   * resolves when the conclusions of it are drawn.
   */
  sampleOnce(nowMs: number): Promise<void>;
  /** Resolves when everything sent so far is acked; rejects if the agent is stopped before. */
  drained(): Promise<void>;
  /** Sends what is left, waits for its acks up to a deadline, and closes the spool. */
  stop(): Promise<void>;
  readonly counters: AgentCounters;
};

/** More than this is not collected for one batch: the core refuses batches above 1 MiB. */
const batchValuesMax = 128 * 1024;

/**
 * Opens the spool; connects with the first sample. Never throws once it is open: sensors, disk and
 * core may fail, and are counted.
 */
export function createAgent(options: AgentOptions): Agent {
  const {edge, cell, timeBase, clock, codec, note = () => {}} = options;
  const {intervalMs = 1000, flushMs = 0, drainMs = 5000} = options;
  const {hostMetrics = HOST_METRICS, vmMetrics = VM_METRICS} = options;
  const limitedNote = limitNotes(note);
  const hosts = new BlockBuilder(hostMetrics);
  const vms = new BlockBuilder(vmMetrics);
  const {spool, uplink} = openTransport(options, limitedNote);
  const sampler = createSampler({
    sensors: options.sensors,
    fleets: options.fleets,
    conclusions: options.conclusions,
    hostRow: nowMs => hosts.row(`hosts/${edge}`, nowMs),
    vmRow: (entity, nowMs) => vms.row(entity, nowMs),
    note: limitedNote,
  });
  const inventoryDue = createInventoryGate(options.inventory, limitedNote);
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let missedSamples = 0;
  let firstRowMs = Number.NaN;
  let lastRowMs = Number.NaN;

  const flush = (): void => {
    const blocks = [hosts.take(), vms.take()].filter(block => block !== undefined);
    if (blocks.length === 0) return;
    firstRowMs = Number.NaN;
    const {incarnation, nextSeq: seq} = spool;
    const batch: Batch = {edge, cell, incarnation, seq, timeBase, blocks};
    const inventory = inventoryDue(lastRowMs);
    if (inventory !== undefined) batch.inventory = inventory;
    spool.append(codec.encodeTelemetry({kind: 'batch', batch}));
    uplink.wake();
  };

  const sample = (nowMs: number): void => {
    uplink.start();
    sampler.sample(nowMs);
    if (Number.isNaN(firstRowMs)) firstRowMs = nowMs;
    lastRowMs = nowMs;
    const values = hosts.rows * hostMetrics.columns.length + vms.rows * vmMetrics.columns.length;
    if (Math.abs(nowMs - firstRowMs) >= flushMs || values >= batchValuesMax) flush();
  };

  return {
    start() {
      running ??= everyInterval(clock, intervalMs, stopping.signal, sample, slots => {
        missedSamples += slots;
      });
    },
    async sampleOnce(nowMs) {
      sample(nowMs);
      await sampler.settled();
    },
    drained: () => uplink.drained(),
    async stop() {
      stopping.abort();
      await running;
      flush();
      const drained = uplink.drained().catch(error => note(`stopping: ${error.message}`));
      await within(clock, drainMs, drained);
      await uplink.stop();
      await spool.close();
    },
    get counters() {
      return {
        samples: sampler.counters.samples,
        missedSamples,
        sensorFailures: sampler.counters.failures,
        infinities: hosts.infinities + vms.infinities,
        spool: {...spool.counters, bytes: spool.bytes},
        uplink: {
          ...uplink.counters,
          inFlightBatches: uplink.inFlightBatches,
          connected: uplink.isConnected,
        },
      };
    },
  };
}

/** Opens the spool, and an uplink that is not connected yet. */
function openTransport(
  options: AgentOptions,
  limitedNote: LimitedNote,
): {spool: Spool; uplink: Uplink} {
  const {edge, cell, clock, codec, files, dial, random, spoolFolder: folder} = options;
  const note: Note = line => limitedNote(line.replace(/\d+/g, '#'), clock.nowMs(), line);
  const {firstIncarnation = 1, spoolLimits = {}, uplinkLimits = {}} = options;
  const spool = withSpool(
    folder,
    () => new Spool({files, clock, folder, firstIncarnation, limits: spoolLimits, note}),
  );
  const encodeGap = (gap: Loss): Uint8Array =>
    codec.encodeTelemetry({kind: 'gap', gap: {edge, cell, ...gap}});
  const uplink = new Uplink({
    spool,
    dial,
    clock,
    random,
    edge,
    cell,
    encodeGap,
    limits: uplinkLimits,
    note,
  });
  return {spool, uplink};
}
