import {fnv1a32} from './hash.ts';

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
 * What an edge measures of its host. Devices are reduced on the host: sums for traffic and
 * errors, the worst device for latency, temperature, voltage and fans.
 */
export const HOST_METRICS = metricSet('host.v1', 'host', [
  'cpu_utilisation_ratio',
  'cpu_steal_ratio',
  'cpu_frequency_ratio',
  'cpu_throttle_events_per_second',
  'memory_used_ratio',
  // By anything but VMs: a VM that arrives is no leak.
  'memory_system_ratio',
  'swap_used_ratio',
  'pressure_cpu_ratio',
  'pressure_memory_ratio',
  'pressure_io_ratio',
  'disk_busy_ratio',
  'disk_read_bytes_per_second',
  'disk_write_bytes_per_second',
  'disk_latency_seconds',
  'disk_queue_depth',
  'disk_errors_per_second',
  'network_receive_bytes_per_second',
  'network_transmit_bytes_per_second',
  'network_errors_per_second',
  'network_drops_per_second',
  'temperature_celsius',
  'temperature_margin_celsius',
  'voltage_deviation_ratio',
  'fan_speed_rpm',
  'memory_corrected_errors_per_second',
  'memory_uncorrected_errors_per_second',
]);

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

export const BUILT_IN_METRIC_SETS: readonly MetricSet[] = [HOST_METRICS, VM_METRICS];
