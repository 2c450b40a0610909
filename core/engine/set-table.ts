/**
 * The data plane of one metric set in one partition: windows, bands, risks and usage of all its
 * entities, a row each, in typed arrays. Rows are given in the order in which entities are first
 * seen; those of VMs that are gone are given again. Only what the served model reads is kept: a set that no model takes has no windows, only the times of its samples.
 */
import {
  type CountWindows,
  clearCountRow,
  countSample,
  createCountWindows,
  extractCountFeatures,
  growCountWindows,
  isWindowFull,
  restoreCountWindows,
  type StoredCountWindows,
  storeCountWindows,
} from '../domain/count-windows.ts';
import {extractFeatures, featureColumns} from '../domain/features.ts';
import type {RebootWord} from '../domain/lead-time.ts';
import type {MetricSet} from '../domain/metric-sets.ts';
import {HORIZONS_MINUTES} from '../domain/reboot-risks.ts';
import {type Bands, createBands, growBands, REBOOT, worstComponent} from '../domain/risk.ts';
import {clearUsage, createUsage, growUsage, recordUsage, type Usage} from '../domain/usage.ts';
import {
  clearRow,
  createWindows,
  growWindows,
  hasValue,
  observe,
  type Windows,
} from '../domain/windows.ts';
import {
  clearWorkload,
  createWorkload,
  growWorkload,
  recordWorkload,
  type Workload,
} from '../domain/workload.ts';
import type {ModelSignature} from '../ports.ts';
import {columnsFor} from './model-features.ts';

/** Where an agent says how likely it thinks a reboot on purpose, within the horizon of risks. */
export const REBOOT_METRIC = 'reboot_intentional_30m_probability';

/**
 * When the host goes down: {@link REBOOT_METRIC} for each horizon, then a shutdown's countdown; and how
 * it had gone down before its present boot.
 */
const WHEN_METRICS = [
  ...HORIZONS_MINUTES.map(minutes => `reboot_intentional_${minutes}m_probability`),
  'shutdown_in_seconds',
  'boot_last_unclean_ratio',
];

/** Which of them is {@link REBOOT_METRIC}. */
export const REBOOT_AT = HORIZONS_MINUTES.length - 1;

export type SetTable = {
  readonly set: MetricSet;
  /** Whether the served model takes its rows. */
  readonly scored: boolean;
  /** What its rows have a risk of ({@link outputsOf}); none if it is not scored. */
  readonly outputs: readonly string[];
  /** Columns of what the agent says of a reboot, in the order of {@link WHEN_METRICS}; -1: none. */
  readonly rebootColumns: readonly number[];
  /** Column whose hourly percentile counts as CPU need; -1: none. */
  readonly cpuColumn: number;
  names: string[];
  rows: Map<string, number>;
  /** Rows whose entities are gone; the last one is given next. */
  free: number[];
  /** Times of samples, and averages if the model reads them. */
  windows: Windows;
  /** If the model reads windows of the last samples. */
  counted: CountWindows | undefined;
  /** What they were made for: the contract's hash, and its metrics' columns in this set; 0: none. */
  readonly countedHash: number;
  readonly countedColumns: Int32Array;
  usage: Usage;
  /** Of VMs, if their CPU is measured. */
  workload: Workload | undefined;
  bands: Bands;
  /** row × outputs, as last applied; NaN: never scored. */
  risks: Float32Array;
  /** By how much the cell's own past has moved the risks of each row, in log-odds. */
  learned: Float32Array;
  /** row × {@link WHEN_METRICS}, as of each row's newest sample; NaN: the agent says nothing. */
  reboot: Float32Array;
  /** What the agent said last of why, by row (reboot-signs.ts); nothing for most. */
  rebootSigns: Map<number, string>;
  /** Newest sample of each row that was sent to the scorer. */
  scoredMs: Float64Array;
  /** Samples of each row, for scoring every so many. */
  samples: Uint32Array;
};

/** Whether the model takes rows of this set: it has every metric that the model requires. */
export function isScored(set: MetricSet, model: ModelSignature): boolean {
  return set.kind === 'host' && model.requiredMetrics.every(metric => set.columns.includes(metric));
}

/**
 * What a host has a risk of: each of the model's components and, if the model reads averages of what
 * agents say, a reboot.
 */
export function outputsOf({components, contract}: ModelSignature): readonly string[] {
  return contract.family === 'averages' ? [...components, REBOOT] : components;
}

/** How many of the outputs are risks of parts: they come before a reboot, which may be missing. */
export function partsOf(outputs: readonly string[]): number {
  const reboot = outputs.indexOf(REBOOT);
  return reboot < 0 ? outputs.length : reboot;
}

export function createSetTable(set: MetricSet, model: ModelSignature): SetTable {
  const scored = isScored(set, model);
  const {contract, featureHash} = model;
  const isCounted = scored && contract.family === 'count-window';
  const table: SetTable = {
    set,
    scored,
    outputs: scored ? outputsOf(model) : [],
    rebootColumns: scored ? WHEN_METRICS.map(metric => set.columns.indexOf(metric)) : [],
    cpuColumn: Math.max(
      set.columns.indexOf('cpu_utilisation_ratio'),
      set.columns.indexOf('cpu_used_ratio'),
    ),
    names: [],
    rows: new Map(),
    free: [],
    windows: createWindows(scored && contract.family === 'averages' ? set.columns.length : 0),
    counted: isCounted
      ? createCountWindows(contract.metrics.length, contract.window, contract.stride)
      : undefined,
    countedHash: isCounted ? featureHash : 0,
    countedColumns: isCounted ? featureColumns(set.columns, contract).metrics : new Int32Array(0),
    usage: createUsage(),
    workload: set.kind === 'vm' ? createWorkload(set.columns) : undefined,
    bands: createBands(),
    risks: new Float32Array(0),
    learned: new Float32Array(0),
    reboot: new Float32Array(0),
    rebootSigns: new Map(),
    scoredMs: new Float64Array(0),
    samples: new Uint32Array(0),
  };
  growTable(table, 16);
  return table;
}

/** A table in plain arrays. */
export type StoredTable = Omit<SetTable, 'counted'> & {counted: StoredCountWindows | undefined};

export function storeTable(table: SetTable): StoredTable {
  const {counted, names} = table;
  return {...table, counted: counted && storeCountWindows(counted, names.length)};
}

/**
 * A stored table as it was, or, if it was made for a model of another kind, one for this model with its
 * entities, usage, workloads and bands: windows and risks begin anew.
 */
export function fitTable(stored: StoredTable, model: ModelSignature): SetTable {
  const table = createSetTable(stored.set, model);
  const fits =
    table.scored === stored.scored &&
    table.countedHash === stored.countedHash &&
    table.windows.columns === stored.windows.columns &&
    table.outputs.join() === stored.outputs.join() &&
    table.rebootColumns.join() === stored.rebootColumns?.join();
  if (fits) {
    const {counted, windows} = stored;
    return {...stored, counted: counted && restoreCountWindows(counted, windows.capacity)};
  }
  growTable(table, stored.names.length);
  const {names, rows, free, usage, workload, bands} = stored;
  return Object.assign(table, {names, rows, free, usage, workload, bands});
}

function growTable(table: SetTable, rows: number): void {
  growWindows(table.windows, rows);
  if (table.counted !== undefined) growCountWindows(table.counted, rows);
  growUsage(table.usage, rows);
  if (table.workload !== undefined) growWorkload(table.workload, rows);
  growBands(table.bands, rows);
  if (rows <= table.scoredMs.length) return;
  const capacity = table.windows.capacity;
  const risks = new Float32Array(capacity * table.outputs.length).fill(Number.NaN);
  risks.set(table.risks);
  table.risks = risks;
  const learned = new Float32Array(capacity);
  learned.set(table.learned);
  table.learned = learned;
  const reboot = new Float32Array(capacity * table.rebootColumns.length).fill(Number.NaN);
  reboot.set(table.reboot);
  table.reboot = reboot;
  const scoredMs = new Float64Array(capacity);
  scoredMs.set(table.scoredMs);
  table.scoredMs = scoredMs;
  const samples = new Uint32Array(capacity);
  samples.set(table.samples);
  table.samples = samples;
}

/** The entity's row; a new one if it has none. */
export function rowOf(table: SetTable, entity: string): number {
  const known = table.rows.get(entity);
  if (known !== undefined) return known;
  const row = table.free.pop() ?? table.names.length;
  growTable(table, row + 1);
  table.names[row] = entity;
  table.rows.set(entity, row);
  return row;
}

/**
 * Forgets an entity; its row goes to the next new one. A scored table keeps its rows: answers of the
 * model may be on their way to them.
 */
export function releaseRow(table: SetTable, entity: string): void {
  const row = table.rows.get(entity);
  if (row === undefined || table.scored) return;
  table.rows.delete(entity);
  table.names[row] = '';
  clearSamples(table, row);
  clearUsage(table.usage, row);
  if (table.workload !== undefined) clearWorkload(table.workload, row);
  table.samples[row] = 0;
  table.free.push(row);
}

/**
 * Takes one sample of a block into its row.
 *
 * @returns False if it was late.
 */
export function takeSample(
  table: SetTable,
  row: number,
  atMs: number,
  values: Float32Array,
  index: number,
  stride: number,
): boolean {
  if (!observe(table.windows, row, atMs, values, index, stride)) return false;
  table.samples[row] = (table.samples[row] as number) + 1;
  if (table.counted !== undefined) {
    countSample(table.counted, row, values, index, stride, table.countedColumns);
  }
  if (table.cpuColumn >= 0) {
    recordUsage(table.usage, row, atMs, values[table.cpuColumn * stride + index] as number);
  }
  const {reboot, rebootColumns} = table;
  for (let at = 0; at < rebootColumns.length; at++) {
    const column = rebootColumns[at] as number;
    const value = column < 0 ? Number.NaN : (values[column * stride + index] as number);
    reboot[row * rebootColumns.length + at] = value;
  }
  if (table.workload !== undefined) {
    recordWorkload(table.workload, row, atMs, values, index, stride);
  }
  return true;
}

/** Whether a row has features: windows of the last samples must be full first. */
export function hasFeatures({counted, windows}: SetTable, row: number): boolean {
  return counted === undefined ? hasValue(windows, row) : isWindowFull(counted, row);
}

/** Writes the features of a row, `featureCount` values, in the order of the model's columns. */
export function readFeatures(
  table: SetTable,
  row: number,
  model: ModelSignature,
  into: Float32Array,
  at: number,
): void {
  if (table.counted === undefined) {
    extractFeatures(table.windows, row, columnsFor(model, table.set), into, at);
  } else {
    extractCountFeatures(table.counted, row, into, at);
  }
}

/** Forgets what was seen of an entity; it keeps its row, its band and its usage. */
export function clearSamples(table: SetTable, row: number): void {
  const {windows, counted, reboot, rebootColumns} = table;
  clearRow(windows, row);
  reboot.fill(Number.NaN, row * rebootColumns.length, (row + 1) * rebootColumns.length);
  table.rebootSigns.delete(row);
  if (counted !== undefined) clearCountRow(counted, row);
}

/** Probability of a reboot on purpose within the horizon of risks; NaN: nothing is said. */
export function rebootRisk({reboot, rebootColumns}: SetTable, row: number): number {
  return rebootColumns.length === 0
    ? Number.NaN
    : (reboot[row * rebootColumns.length + REBOOT_AT] as number);
}

/** What the agent said last of a reboot of a row; it counts from the newest sample. */
export function rebootWord(table: SetTable, row: number, nowMs: number): RebootWord {
  const {reboot, rebootColumns, windows} = table;
  const from = row * rebootColumns.length;
  const dueInSeconds = reboot[from + HORIZONS_MINUTES.length] as number;
  return {
    within: [...reboot.subarray(from, from + HORIZONS_MINUTES.length)],
    dueInMs: 1000 * dueInSeconds - (nowMs - (windows.lastMs[row] as number)),
  };
}

/**
 * Whether a host says that it had gone down without a shutdown, 1 or 0, as of its newest sample if that
 * is not from before `sinceMs`; NaN: it has not said.
 */
export function lastUnclean(
  {reboot, rebootColumns, windows}: SetTable,
  row: number,
  sinceMs: number,
): number {
  if (rebootColumns.length === 0 || (windows.lastMs[row] as number) < sinceMs) return Number.NaN;
  return reboot[(row + 1) * rebootColumns.length - 1] as number;
}

/** Component with the highest risk of a row, or empty. */
export function riskiestComponent({risks, outputs}: SetTable, row: number): string {
  const index = worstComponent(risks, row * outputs.length, outputs.length);
  return index < 0 ? '' : (outputs[index] as string);
}
