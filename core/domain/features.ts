import {fnv1a32} from './hash.ts';
import {HOST_METRIC_CATALOGUE, type HostMetric, type Unit} from './host-metrics.ts';
import {FIRST_HOST_METRICS} from './metric-sets.ts';
import type {Windows} from './windows.ts';

/**
 * What averages over time say of a metric: `level` the 30 s average; `trend` the 30 s minus the
 * 10 min average; `noise` the standard deviation about the 10 min average.
 */
export type AverageKind = 'level' | 'trend' | 'noise';

/** What a window of the last samples says of a metric; `slope` is per sample, by least squares. */
export type CountKind = 'last' | 'mean' | 'deviation' | 'minimum' | 'maximum' | 'slope';

export type FeatureKind = AverageKind | CountKind;

/**
 * What a model reads of a host: some metrics, each in some ways. A model declares its contract and
 * is served by it; features come metric by metric, in the order of `kinds`.
 */
export type FeatureContract = {readonly metrics: readonly string[]} & (
  | {
      readonly family: 'averages';
      readonly kinds: readonly AverageKind[];
      /** Metrics of which only the level is read, after the others; absent: none. */
      readonly levels?: readonly string[];
    }
  | {
      readonly family: 'count-window';
      readonly kinds: readonly CountKind[];
      /** Samples in the window, a multiple of `stride`. */
      readonly window: number;
      /** The window moves on by so many samples at once. */
      readonly stride: number;
    }
);

export const AVERAGE_KINDS: readonly AverageKind[] = ['level', 'trend', 'noise'];
export const COUNT_KINDS: readonly CountKind[] = [
  'last',
  'mean',
  'deviation',
  'minimum',
  'maximum',
  'slope',
];

export type Feature = {
  readonly name: string;
  readonly metric: string;
  readonly kind: FeatureKind;
};

/** The unit of a metric, for people; empty for plain numbers, and for metrics of others. */
export function unitOf(metric: string): Unit {
  return CATALOGUE.get(metric)?.unit ?? '';
}

const CATALOGUE: ReadonlyMap<string, HostMetric> = new Map(
  HOST_METRIC_CATALOGUE.map(each => [each.name, each]),
);

/** The features of a contract in the order of a model's input columns. */
export function featuresOf(contract: FeatureContract): Feature[] {
  const {metrics, kinds} = contract;
  const feature = (metric: string, kind: FeatureKind): Feature => ({
    name: `${metric}.${kind}`,
    metric,
    kind,
  });
  return [
    ...metrics.flatMap(metric => kinds.map(kind => feature(metric, kind))),
    ...levelsOf(contract).map(metric => feature(metric, 'level')),
  ];
}

function levelsOf(contract: FeatureContract): readonly string[] {
  return contract.family === 'averages' ? (contract.levels ?? []) : [];
}

/** Travels with models and scores; another contract is another hash. */
export function contractHash(contract: FeatureContract): number {
  const names = featuresOf(contract).map(({name}) => name);
  const shape =
    contract.family === 'averages' ? [] : [`last ${contract.window} by ${contract.stride}`];
  return fnv1a32([...names, ...shape].join('\n'));
}

/**
 * The contract of the first component-failure model, and of any model without a manifest that
 * declares another: every metric of `host.v1`, three ways. A metric that is missing makes level and
 * trend NaN, which a model learns to read; its noise is NaN where the set has no such column and 0
 * where the column has no value.
 */
export const FIRST_HOST_CONTRACT: FeatureContract & {family: 'averages'} = {
  family: 'averages',
  metrics: FIRST_HOST_METRICS.columns,
  kinds: AVERAGE_KINDS,
};

/**
 * What the models of component failure read today: every metric of `host.v2`, three ways where the
 * catalogue says so, else as its level.
 */
export const COMPONENT_CONTRACT: FeatureContract & {family: 'averages'} = {
  family: 'averages',
  kinds: AVERAGE_KINDS,
  metrics: HOST_METRIC_CATALOGUE.filter(({averaged}) => averaged).map(({name}) => name),
  levels: HOST_METRIC_CATALOGUE.filter(({averaged}) => !averaged).map(({name}) => name),
};

/** Of {@link FIRST_HOST_CONTRACT}. */
export const FEATURES: readonly Feature[] = featuresOf(FIRST_HOST_CONTRACT);
export const FEATURE_COUNT = FEATURES.length;
export const FEATURE_HASH = contractHash(FIRST_HOST_CONTRACT);

/** Where in a metric set the contract's metrics are; -1 where the set has none. */
export type FeatureColumns = {
  /** Of metrics that are read in every kind. */
  readonly metrics: Int32Array;
  /** Of those of which the level is read. */
  readonly levels: Int32Array;
};

export function featureColumns(
  columns: readonly string[],
  contract: FeatureContract = FIRST_HOST_CONTRACT,
): FeatureColumns {
  const find = (metrics: readonly string[]) =>
    Int32Array.from(metrics, metric => columns.indexOf(metric));
  return {metrics: find(contract.metrics), levels: find(levelsOf(contract))};
}

/**
 * Writes the averages of one row to `into` at `offset`: metrics × {@link AVERAGE_KINDS} values, then
 * the levels. Allocates nothing.
 *
 * @param columns From {@link featureColumns} of the windows' metric set.
 */
export function extractFeatures(
  windows: Windows,
  row: number,
  {metrics, levels}: FeatureColumns,
  into: Float32Array,
  offset: number,
): void {
  const base = row * windows.columns;
  let at = offset;
  for (const column of metrics) {
    if (column < 0) {
      into[at] = Number.NaN;
      into[at + 1] = Number.NaN;
      into[at + 2] = Number.NaN;
    } else {
      const fast = windows.fast[base + column] as number;
      into[at] = fast;
      into[at + 1] = fast - (windows.slow[base + column] as number);
      into[at + 2] = Math.sqrt(windows.spread[base + column] as number);
    }
    at += 3;
  }
  for (const column of levels) {
    into[at++] = column < 0 ? Number.NaN : (windows.fast[base + column] as number);
  }
}
