/**
 * A fleet of any size as edges would send it: a few edges carry many hosts each, one batch a cell
 * and second, with the rows of its hosts and of their VMs, and its inventory once a minute.
 */
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {PARTITION_COUNT, partitionOfCell} from '../../core/domain/hash.ts';
import {HOST_METRICS, type MetricSet, VM_METRICS} from '../../core/domain/metric-sets.ts';
import type {Batch, Block, InventoryHost, TimeBase} from '../../core/domain/telemetry.ts';
import type {Random} from '../../core/ports.ts';
import {drawOrdinaryHost} from './ordinary-host.ts';

export type BigFleetOptions = {
  /** A multiple of 64 gives each partition equally many. */
  cells?: number;
  hostsPerCell?: number;
  vmsPerHost?: number;
  /** Streams that the cells are spread over. */
  edges?: number;
  seed?: number;
  timeBase?: TimeBase;
  /** Listens for effects; empty: nobody acts on these hosts. */
  actuatorAddress?: string;
};

export type BigFleet = {
  readonly cells: readonly BigCell[];
  readonly hosts: number;
  readonly vms: number;
  /** The next batch of a cell, of samples taken at this time. The same objects each time. */
  batch(cell: BigCell, atMs: number): Batch;
  /** From now on this host's swap, a column that models look at, is as full as this. */
  burden(host: string, swapUsedRatio: number): void;
};

export type BigCell = {
  readonly name: string;
  readonly partition: number;
  readonly edge: string;
  readonly hosts: readonly InventoryHost[];
};

const INVENTORY_EVERY = 60;
const SWAP = HOST_METRICS.columns.indexOf('swap_used_ratio');
const GIB = 2 ** 30;

/** About 10,000 hosts and 100,000 VMs unless other numbers are given. */
export function createBigFleet(options: BigFleetOptions = {}): BigFleet {
  const {cells = 64, hostsPerCell = 156, vmsPerHost = 10, edges = 8} = options;
  const {seed = 1, timeBase = 'live', actuatorAddress = ''} = options;
  const random = seededRandom(seed);
  const burdens = new Map<string, number>();
  const made = cellNames(cells).map((name, index) => ({
    name,
    partition: partitionOfCell(name),
    edge: `edge-${index % edges}`,
    hosts: Array.from({length: hostsPerCell}, (_, host) =>
      inventoryOf(`${name}-h${pad(host)}`, host, vmsPerHost, actuatorAddress),
    ),
  }));
  const streams = new Map(
    made.map(cell => {
      const vms = cell.hosts.flatMap(host => host.vms.map(({vm}) => `vms/${vm}`));
      const blocks = [
        blockOf(
          HOST_METRICS,
          cell.hosts.map(({host}) => `hosts/${host}`),
        ),
        blockOf(VM_METRICS, vms),
      ].filter(block => block.rows > 0);
      const still = stillCells(cell, random.fork(cell.name));
      return [cell.name, {seq: 0, blocks, still}];
    }),
  );
  return {
    cells: made,
    hosts: cells * hostsPerCell,
    vms: cells * hostsPerCell * vmsPerHost,
    batch(cell, atMs) {
      const stream = streams.get(cell.name) as {seq: number; blocks: Block[]; still: StillCells};
      stream.seq++;
      for (const block of stream.blocks) {
        block.observedAtMs.fill(atMs);
        fill(block.values, random.next);
        if (block.metricSet !== HOST_METRICS.name) continue;
        stream.still.at.forEach((at, index) => {
          block.values[at] = stream.still.values[index] as number;
        });
        burdenRows(cell, block, burdens);
      }
      const isDue = (stream.seq - 1) % INVENTORY_EVERY === (stream.seq === 1 ? 0 : cell.partition);
      return {
        edge: cell.edge,
        cell: cell.name,
        incarnation: 1,
        seq: stream.seq,
        timeBase,
        blocks: stream.blocks,
        ...(isDue || stream.seq === 1 ? {inventory: {hosts: cell.hosts}} : {}),
      };
    },
    burden: (host, ratio) => burdens.set(host, ratio),
  };
}

/** Names that are spread evenly over the partitions, as names that people give are not. */
function cellNames(count: number): string[] {
  const names: string[] = [];
  const taken = new Array<number>(PARTITION_COUNT).fill(0);
  for (let number = 0; names.length < count; number++) {
    const name = `cell-${number}`;
    const partition = partitionOfCell(name);
    if ((taken[partition] as number) > names.length / PARTITION_COUNT) continue;
    taken[partition] = (taken[partition] as number) + 1;
    names.push(name);
  }
  return names;
}

const pad = (number: number): string => String(number).padStart(4, '0');

function inventoryOf(
  host: string,
  index: number,
  vmsPerHost: number,
  actuatorAddress: string,
): InventoryHost {
  return {
    host,
    rack: `rack-${index % 12}`,
    cpuCores: 64,
    memoryBytes: 512 * GIB,
    actuatorAddress,
    capabilities: ['cordon-host', 'uncordon-host', 'start-migration', 'arm-ghost'],
    migrationBytesPerSecond: 1.25e9,
    bootId: `boot-${host}`,
    observeOnly: false,
    hardware: '',
    vms: Array.from({length: vmsPerHost}, (_, vm) => ({
      vm: `${host}-v${vm}`,
      cpuCores: 4,
      memoryBytes: 16 * GIB,
      criticality: (vm % 10) / 10,
      dirtyBytesPerSecond: 20e6,
      antiAffinityGroup: '',
      pinnedReason: '',
      tenant: `tenant-${vm % 5}`,
    })),
  };
}

function blockOf(set: MetricSet, entities: string[]): Block {
  const rows = entities.length;
  return {
    metricSet: set.name,
    metricSetHash: set.hash,
    rows,
    entities,
    rowEntity: Uint16Array.from(entities.keys()),
    observedAtMs: new Float64Array(rows),
    values: new Float32Array(rows * set.columns.length),
    devices: [],
  };
}

/** Values between 0.1 and 0.3, all different, at the cost of a multiplication each. */
function fill(values: Float32Array, next: () => number): void {
  let noise = (next() * 0xffffffff) >>> 0;
  for (let index = 0; index < values.length; index++) {
    noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
    values[index] = 0.1 + noise * (0.2 / 0x1_0000_0000);
  }
}

/** Values of a cell's hosts that are the same in every batch, or missing. */
type StillCells = {at: readonly number[]; values: readonly number[]};

function stillCells({hosts}: BigCell, random: Random): StillCells {
  const at: number[] = [];
  const values: number[] = [];
  for (const row of hosts.keys()) {
    const {ranges} = drawOrdinaryHost(random);
    for (const [column, metric] of HOST_METRICS.columns.entries()) {
      const [from, to] = ranges[metric] as readonly [number, number];
      if (from !== to && !Number.isNaN(from)) continue;
      at.push(column * hosts.length + row);
      values.push(from);
    }
  }
  return {at, values};
}

/** Swap is empty everywhere but where it was said to be full. */
function burdenRows(cell: BigCell, block: Block, burdens: ReadonlyMap<string, number>): void {
  cell.hosts.forEach(({host}, row) => {
    block.values[SWAP * block.rows + row] = burdens.get(host) ?? 0;
  });
}
