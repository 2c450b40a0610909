/**
 * The data plane of one metric set in one partition: windows, bands, risks and usage of all its
 * entities, a row each, in typed arrays. Rows are given in the order in which entities are first
 * seen and are never taken back while the partition is owned.
 */
import {COMPONENTS, featureColumns} from '../domain/features.ts';
import type {MetricSet} from '../domain/metric-sets.ts';
import {type Bands, createBands, growBands, worstComponent} from '../domain/risk.ts';
import {createUsage, growUsage, recordUsage, type Usage} from '../domain/usage.ts';
import {createWindows, growWindows, observe, type Windows} from '../domain/windows.ts';

export type SetTable = {
  readonly set: MetricSet;
  /** Columns of the feature contract in this set. */
  readonly features: Int32Array;
  /** Column whose hourly percentile counts as CPU need; -1: none. */
  readonly cpuColumn: number;
  names: string[];
  rows: Map<string, number>;
  windows: Windows;
  usage: Usage;
  bands: Bands;
  /** row × components, as last applied; NaN: never scored. */
  risks: Float32Array;
  /** Newest sample of each row that was sent to the scorer. */
  scoredMs: Float64Array;
};

export function createSetTable(set: MetricSet): SetTable {
  const table: SetTable = {
    set,
    features: featureColumns(set.columns),
    cpuColumn: Math.max(
      set.columns.indexOf('cpu_utilisation_ratio'),
      set.columns.indexOf('cpu_used_ratio'),
    ),
    names: [],
    rows: new Map(),
    windows: createWindows(set.columns.length),
    usage: createUsage(),
    bands: createBands(),
    risks: new Float32Array(0),
    scoredMs: new Float64Array(0),
  };
  growTable(table, 16);
  return table;
}

function growTable(table: SetTable, rows: number): void {
  growWindows(table.windows, rows);
  growUsage(table.usage, rows);
  growBands(table.bands, rows);
  if (rows <= table.scoredMs.length) return;
  const capacity = table.windows.capacity;
  const risks = new Float32Array(capacity * COMPONENTS.length).fill(Number.NaN);
  risks.set(table.risks);
  table.risks = risks;
  const scoredMs = new Float64Array(capacity);
  scoredMs.set(table.scoredMs);
  table.scoredMs = scoredMs;
}

/** The entity's row; a new one if it has none. */
export function rowOf(table: SetTable, entity: string): number {
  const known = table.rows.get(entity);
  if (known !== undefined) return known;
  const row = table.names.length;
  growTable(table, row + 1);
  table.names.push(entity);
  table.rows.set(entity, row);
  return row;
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
  if (table.cpuColumn >= 0) {
    recordUsage(table.usage, row, atMs, values[table.cpuColumn * stride + index] as number);
  }
  return true;
}

/** Component with the highest risk of a row, or empty. */
export function riskiestComponent(table: SetTable, row: number): string {
  const index = worstComponent(table.risks, row * COMPONENTS.length, COMPONENTS.length);
  return index < 0 ? '' : (COMPONENTS[index] as string);
}
