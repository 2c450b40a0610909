/** Which clock a cell lives on. Cells of different bases never share a partition. */
export type TimeBase = 'live' | 'recorded' | 'simulated';

/** Rows of one metric set, column-major, as they travel. */
export type Block = {
  metricSet: string;
  metricSetHash: number;
  rows: number;
  /** Resource names (`hosts/h01`, `vms/v17`) that `rowEntity` points into. */
  entities: readonly string[];
  rowEntity: Uint16Array;
  /** Edge time of each row. */
  observedAtMs: Float64Array;
  /** `values[column * rows + row]`; NaN is a missing value. */
  values: Float32Array;
  /** For columns reduced from several devices: which one was worst. */
  devices: readonly {row: number; column: number; name: string}[];
  /** How many values arrived infinite and were made missing; absent: none. */
  infinities?: number;
};

/** What one edge sends at once. The unit of acknowledgement. */
export type Batch = {
  edge: string;
  cell: string;
  /** Counts the lives of the edge's spool; `seq` starts at 1 in each. */
  incarnation: number;
  seq: number;
  timeBase: TimeBase;
  blocks: readonly Block[];
  inventory?: Inventory;
};

/** Batches that will never come, and why. */
export type Gap = {
  edge: string;
  cell: string;
  incarnation: number;
  fromSeq: number;
  toSeq: number;
  reason: string;
};

/** A record of the telemetry topic. */
export type TelemetryRecord = {kind: 'batch'; batch: Batch} | {kind: 'gap'; gap: Gap};

/** What an edge knows of the hosts it stands for. Always whole, never a difference. */
export type Inventory = {hosts: readonly InventoryHost[]};

export type InventoryHost = {
  host: string;
  rack: string;
  cpuCores: number;
  memoryBytes: number;
  /** Where the ActuatorService listens; empty: nobody acts on this host. */
  actuatorAddress: string;
  capabilities: readonly string[];
  migrationBytesPerSecond: number;
  vms: readonly InventoryVm[];
  bootId: string;
  /** Nothing may be done to this host. */
  observeOnly: boolean;
  /** Model of the machine, as its vendor names it; empty: not known. */
  hardware: string;
};

export type InventoryVm = {
  vm: string;
  cpuCores: number;
  memoryBytes: number;
  /** 0 (expendable) to 1 (the business stops). */
  criticality: number;
  dirtyBytesPerSecond: number;
  /** VMs of one group never share a host; empty: no group. */
  antiAffinityGroup: string;
  /** Empty if it can be moved, else why not. */
  pinnedReason: string;
  tenant: string;
};

/** `hosts/h01` → `h01`; undefined for anything that is not a host. */
export function hostName(resource: string): string | undefined {
  return resource.startsWith('hosts/') ? resource.slice(6) : undefined;
}

/** `vms/v17` → `v17`; undefined for anything that is not a VM. */
export function vmName(resource: string): string | undefined {
  return resource.startsWith('vms/') ? resource.slice(4) : undefined;
}

/** The latest of these times; −∞ if there is none. An iterator would make garbage of each of them. */
export function newestOf(timesMs: Float64Array): number {
  let newestMs = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < timesMs.length; index++) {
    const atMs = timesMs[index] as number;
    if (atMs > newestMs) newestMs = atMs;
  }
  return newestMs;
}
