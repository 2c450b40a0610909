import {fnv1a32} from './hash.ts';
import {HOST_METRICS} from './metric-sets.ts';
import type {Windows} from './windows.ts';

/** The five classes of parts whose failure is predicted, in the order of the model's outputs. */
export const COMPONENTS = ['cpu', 'memory', 'disk', 'network', 'power'] as const;
export type Component = (typeof COMPONENTS)[number];

/**
 * How a feature is computed from the windows of its metric:
 * `level` the 30 s average; `trend` the 30 s minus the 10 min average; `noise` the standard
 * deviation about the 10 min average.
 */
export type FeatureKind = 'level' | 'trend' | 'noise';

export type Feature = {
  readonly name: string;
  readonly metric: string;
  readonly kind: FeatureKind;
};

const KINDS: readonly FeatureKind[] = ['level', 'trend', 'noise'];

/**
 * The feature contract of the component-failure model: every metric of `host.v1`, three ways.
 * A metric that is missing makes level and trend NaN, which the model has learned to read; its
 * noise is NaN where the set has no such column and 0 where the column has no value.
 */
export const FEATURES: readonly Feature[] = HOST_METRICS.columns.flatMap(metric =>
  KINDS.map(kind => ({name: `${metric}.${kind}`, metric, kind})),
);

export const FEATURE_COUNT = FEATURES.length;

/** Travels with models and scores; another contract is another hash. */
export const FEATURE_HASH = fnv1a32(FEATURES.map(feature => feature.name).join('\n'));

/** Where in a metric set the contract's metrics are; -1 where the set has none. */
export function featureColumns(columns: readonly string[]): Int32Array {
  return Int32Array.from(HOST_METRICS.columns, metric => columns.indexOf(metric));
}

/**
 * Writes the features of one row to `into` at `offset`: {@link FEATURE_COUNT} values in the order
 * of {@link FEATURES}. Allocates nothing.
 *
 * @param columns From {@link featureColumns} of the windows' metric set.
 */
export function extractFeatures(
  windows: Windows,
  row: number,
  columns: Int32Array,
  into: Float32Array,
  offset: number,
): void {
  const base = row * windows.columns;
  let at = offset;
  for (let metric = 0; metric < columns.length; metric++) {
    const column = columns[metric] as number;
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
}
