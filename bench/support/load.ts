/**
 * What a bench sends: edges that carry hosts and VMs, messages that are made once and patched with
 * sequence and time when they leave, so that the generator costs little beside the core.
 */
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {PARTITION_COUNT, partitionOfCell} from '../../core/domain/hash.ts';
import {
  HOST_METRICS,
  type MetricSet,
  metricSet,
  VM_METRICS,
} from '../../core/domain/metric-sets.ts';
import type {Batch, Block, InventoryHost} from '../../core/domain/telemetry.ts';
import type {Random} from '../../core/ports.ts';
import {createCodec} from '../../proto/codec.ts';
import {drawOrdinaryHost, type Range} from './ordinary-host.ts';

/** Eight metrics of a host, among them what the model of this program requires. */
export const BENCH_METRICS = metricSet('bench-host.v1', 'host', [
  'cpu_utilisation_ratio',
  'memory_used_ratio',
  'swap_used_ratio',
  'pressure_io_ratio',
  'disk_busy_ratio',
  'disk_latency_seconds',
  'temperature_celsius',
  'memory_corrected_errors_per_second',
]);

/** By the name that people give to a bench. */
export const HOST_SETS = {eight: BENCH_METRICS, live: HOST_METRICS} as const;
export type HostSet = keyof typeof HOST_SETS;

export type Load = {
  /** A stream each, over a connection of its own. */
  edges: number;
  cells: number;
  hostsPerEdge: number;
  vmsPerHost: number;
  /** Samples of each host and VM in a message. */
  rounds: number;
  /** What is sent of a host: eight metrics, or what live agents send. */
  hostSet: HostSet;
  /** Samples a second of all edges together; one of a VM has eight metrics. */
  samplesPerSecond: number;
  /** Values shuffled and compressed. */
  pack: boolean;
  /** All edges send at the same moment, as agents that tick on the second do. */
  herd: boolean;
};

export const samplesPerMessage = ({hostsPerEdge, vmsPerHost, rounds}: Load): number =>
  hostsPerEdge * (1 + vmsPerHost) * rounds;

/** Time between two messages of one edge. */
export const intervalMs = (load: Load): number =>
  (1000 * load.edges * samplesPerMessage(load)) / load.samplesPerSecond;

/** When message `index` of all edges is due, after the start: edge `index % edges` sends it. */
export function dueMs(load: Load, index: number): number {
  const each = intervalMs(load);
  return load.herd ? Math.floor(index / load.edges) * each : (index * each) / load.edges;
}

/** Names of cells that lie in as many partitions as there are. */
export function cellNames(count: number): string[] {
  const names: string[] = [];
  const taken = new Array<number>(PARTITION_COUNT).fill(0);
  for (let index = 0; names.length < count; index++) {
    const name = `cell-${index}`;
    const partition = partitionOfCell(name);
    if ((taken[partition] as number) > Math.floor(names.length / PARTITION_COUNT)) continue;
    taken[partition] = (taken[partition] as number) + 1;
    names.push(name);
  }
  return names;
}

/** Messages of one edge. */
export type EdgeMessages = {
  edge: string;
  cell: string;
  /** Message `seq` (from 1), whose newest samples were taken at `atMs`. */
  bytes(seq: number, atMs: number): Buffer;
};

/**
 * Inventory goes with the first message of an edge, and once a minute. Edges that were started at
 * different times repeat theirs at different times.
 */
const INVENTORY_MS = 60_000;
/** Different values of an edge that take turns. */
const VARIANTS = 4;
/** One of so many edges has a host that is well in one phase and ill in the next. */
const ILL_EVERY = 64;
const PHASE_MS = 20_000;

type Ranges = Readonly<Record<string, Range>>;

/** Of eight metrics of a host that is well; what is not named here is between 0.2 and 0.5. */
const WELL: Ranges = {
  swap_used_ratio: [0, 0],
  pressure_io_ratio: [0, 0.02],
  disk_latency_seconds: [0.001, 0.003],
  temperature_celsius: [42, 48],
  memory_corrected_errors_per_second: [0, 0],
};
const ILL: Ranges = {
  swap_used_ratio: [0.9, 1],
  memory_corrected_errors_per_second: [5, 9],
};
const INCARNATION = 1;

export function createMessages(load: Load, index: number, cell: string, seed = 1): EdgeMessages {
  const edge = `edge-${index}`;
  const random = seededRandom(seed).fork(edge);
  const codec = createCodec(load.pack ? {packAboveBytes: 0} : {});
  const encode = (batch: Batch): Uint8Array => codec.encodeTelemetry({kind: 'batch', batch});
  const inventory = {hosts: inventoryOf(load, edge)};
  const head = {edge, cell, incarnation: INCARNATION, timeBase: 'live' as const};
  const stepMs = Math.max(1, Math.floor(intervalMs(load) / load.rounds));
  const every = Math.max(1, Math.round(INVENTORY_MS / intervalMs(load)));
  const isIll = index % ILL_EVERY === 0;
  const hosts = Array.from({length: load.hostsPerEdge}, (_, host) => ({
    name: `${edge}-h${host}`,
    ...(load.hostSet === 'eight' ? {ranges: WELL, devices: {}} : drawOrdinaryHost(random)),
  }));
  const templates = Array.from({length: isIll ? 2 * VARIANTS : VARIANTS}, (_, variant) => {
    const blocks = blocksOf(load, {hosts, random}, variant < VARIANTS ? {} : ILL);
    const batch = (seq: number, baseMs: number): Batch => ({
      ...head,
      seq,
      blocks: blocks.map(block => at(block, baseMs, stepMs)),
    });
    return {batch, patch: patchable((seq, baseMs) => encode(batch(seq, baseMs)))};
  });
  return {
    edge,
    cell,
    bytes(seq, atMs) {
      const baseMs = Math.floor(atMs) - (load.rounds - 1) * stepMs;
      const phase = isIll ? Math.floor(atMs / PHASE_MS) % 2 : 0;
      const variant = phase * VARIANTS + (seq % VARIANTS);
      const {batch, patch} = templates[variant] as (typeof templates)[number];
      if (seq !== 1 && (seq + index) % every !== 0) return patch(seq, baseMs);
      return Buffer.from(encode({...batch(seq, baseMs), inventory}));
    },
  };
}

type Entity = {name: string; ranges: Ranges; devices: Readonly<Record<string, string>>};

/** @param over Of the first host, instead of its own. */
function blocksOf(
  {vmsPerHost, rounds, hostSet}: Load,
  {hosts, random}: {hosts: readonly Entity[]; random: Random},
  over: Ranges,
): Block[] {
  const named = hosts.map(({name, ranges, devices}, host) => ({
    name: `hosts/${name}`,
    ranges: host === 0 ? {...ranges, ...over} : ranges,
    devices,
  }));
  const vms = hosts.flatMap(({name}) =>
    Array.from({length: vmsPerHost}, (_, vm) => ({
      name: `vms/${name}-v${vm}`,
      ranges: WELL,
      devices: {},
    })),
  );
  return [
    blockOf(HOST_SETS[hostSet], named, rounds, random),
    blockOf(VM_METRICS, vms, rounds, random),
  ].filter(({rows}) => rows > 0);
}

/** Values in steps, as counters of a kernel give them. */
function blockOf(set: MetricSet, entities: Entity[], rounds: number, random: Random): Block {
  const rows = entities.length * rounds;
  const draw = ([from, to]: Range) => from + ((to - from) / 32) * Math.round(32 * random.next());
  const values = set.columns.flatMap(metric =>
    Array.from({length: rows}, (_, row) => {
      const {ranges} = entities[row % entities.length] as Entity;
      return draw(ranges[metric] ?? [0.2, 0.5]);
    }),
  );
  const devices = Array.from({length: rows}, (_, row) => {
    const {devices: names} = entities[row % entities.length] as Entity;
    return set.columns.flatMap((metric, column) => {
      const name = names[metric];
      return name === undefined ? [] : [{row, column, name}];
    });
  }).flat();
  return {
    metricSet: set.name,
    metricSetHash: set.hash,
    rows,
    entities: entities.map(({name}) => name),
    rowEntity: Uint16Array.from({length: rows}, (_, row) => row % entities.length),
    observedAtMs: new Float64Array(rows),
    values: Float32Array.from(values),
    devices,
  };
}

function at(block: Block, baseMs: number, stepMs: number): Block {
  const observedAtMs = block.observedAtMs.map(
    (_, row) => baseMs + stepMs * Math.floor(row / block.entities.length),
  );
  return {...block, observedAtMs};
}

function inventoryOf({hostsPerEdge, vmsPerHost}: Load, edge: string): InventoryHost[] {
  return Array.from({length: hostsPerEdge}, (_, host) => ({
    host: `${edge}-h${host}`,
    rack: `rack-${host % 8}`,
    cpuCores: 64,
    memoryBytes: 512 * 2 ** 30,
    actuatorAddress: '',
    capabilities: [],
    migrationBytesPerSecond: 1.25e9,
    vms: Array.from({length: vmsPerHost}, (_, vm) => ({
      vm: `${edge}-h${host}-v${vm}`,
      cpuCores: 4,
      memoryBytes: 16 * 2 ** 30,
      criticality: 0.5,
      dirtyBytesPerSecond: 1e6,
      antiAffinityGroup: '',
      pinnedReason: '',
      tenant: 'bench',
    })),
    bootId: 'boot-1',
    observeOnly: false,
    hardware: '',
  }));
}

/** Two numbers that need as many bytes on the wire and share none of them. */
const SEQS = [2 ** 28, 2 ** 35 - 1] as const;
const TIMES = [2 ** 40, 2 ** 41 - 1] as const;

/**
 * A message with other numbers in place of its sequence and of its blocks' base times. Where they
 * stand is found by comparing what the codec makes of two of each; they are written as varints of
 * the same length, which a longer form than needed is, too.
 */
function patchable(
  encode: (seq: number, baseMs: number) => Uint8Array,
): (seq: number, baseMs: number) => Buffer {
  const template = encode(SEQS[0], TIMES[0]);
  const seqs = differing(template, encode(SEQS[1], TIMES[0]));
  const times = differing(template, encode(SEQS[0], TIMES[1]));
  return (seq, baseMs) => {
    const bytes = Buffer.from(template);
    for (const {from, to} of seqs) writeVarint(bytes, from, to, seq);
    for (const {from, to} of times) writeVarint(bytes, from, to, 2 * baseMs);
    return bytes;
  };
}

function differing(a: Uint8Array, b: Uint8Array): {from: number; to: number}[] {
  const ranges: {from: number; to: number}[] = [];
  for (let at = 0; at < a.length; at++) {
    if (a[at] === b[at]) continue;
    const from = at;
    while (at < a.length && a[at] !== b[at]) at++;
    ranges.push({from, to: at});
  }
  return ranges;
}

function writeVarint(bytes: Buffer, from: number, to: number, value: number): void {
  let rest = value;
  for (let at = from; at < to; at++) {
    bytes[at] = (rest % 128) | (at === to - 1 ? 0 : 128);
    rest = Math.floor(rest / 128);
  }
}
