import {fnv1a32} from './hash.ts';
import {HOST_METRIC_CATALOGUE, MEASURED} from './host-metrics.ts';

/** What a sample is about. */
export type EntityKind = 'host' | 'vm';

/** The columns of one kind of sample. Column order is the wire order. */
export type MetricSet = {
  readonly name: string;
  readonly kind: EntityKind;
  readonly columns: readonly string[];
  /** Of name, kind and columns; travels with every block. */
  readonly hash: number;
};

/** Builds a set; the hash makes two sets with other columns different, whatever their name. */
export function metricSet(name: string, kind: EntityKind, columns: readonly string[]): MetricSet {
  return {name, kind, columns, hash: fnv1a32([name, kind, ...columns].join('\n'))};
}

/**
 * What an edge measures of its host: the whole catalogue. Devices are reduced on the host: sums for
 * traffic and errors, the worst device for latency, temperature, voltage and fans.
 */
export const HOST_METRICS = metricSet(
  'host.v2',
  'host',
  HOST_METRIC_CATALOGUE.map(({name}) => name),
);

/** What edges of the first version send; a host that sends it is scored with what it has. */
export const FIRST_HOST_METRICS = metricSet(
  'host.v1',
  'host',
  MEASURED.map(({name}) => name),
);

/** What an edge measures of each VM, from its cgroup. Ratios are of the VM's own allotment. */
export const VM_METRICS = metricSet('vm.v1', 'vm', [
  'cpu_used_ratio',
  'cpu_throttled_ratio',
  'memory_used_ratio',
  'io_read_bytes_per_second',
  'io_write_bytes_per_second',
  'pressure_cpu_ratio',
  'pressure_memory_ratio',
  'pressure_io_ratio',
]);

export const BUILT_IN_METRIC_SETS: readonly MetricSet[] = [
  HOST_METRICS,
  FIRST_HOST_METRICS,
  VM_METRICS,
];
