import {HOST_METRIC_CATALOGUE} from '../domain/host-metrics.ts';
import type {Random} from '../ports.ts';
import {hostColumn} from './columns.ts';
import type {Datacenter} from './datacenter.ts';

/** What boards, drivers and permissions leave out of host.v1, in groups. */
const MASKS = [
  ['temperature_celsius', 'temperature_margin_celsius', 'voltage_deviation_ratio', 'fan_speed_rpm'],
  ['memory_corrected_errors_per_second', 'memory_uncorrected_errors_per_second'],
  ['voltage_deviation_ratio', 'fan_speed_rpm'],
  ['cpu_frequency_ratio', 'cpu_throttle_events_per_second'],
  ['pressure_cpu_ratio', 'pressure_memory_ratio', 'pressure_io_ratio'],
  ['disk_errors_per_second'],
];

/** Sensors that fail, or that nobody allows, as a whole. */
const SOURCES = [
  'smart',
  'ipmi',
  'machine-check',
  'link',
  'shutdown',
  'activity',
  'commands',
  'boots',
  'log',
  'applications',
  'context',
];
const SOURCE_RATIO = 0.3;

/** Takes groups of sensors of host.v1 away from a share of the hosts. */
export function maskSensors(datacenter: Datacenter, random: Random, share: number): void {
  for (const host of datacenter.hosts) {
    const stream = random.fork(host.name);
    if (stream.next() >= share) continue;
    for (const mask of MASKS) {
      if (stream.next() >= 0.4) continue;
      for (const column of mask) host.traits.missing[hostColumn(column)] = 1;
    }
  }
}

/** Takes whole sensors of the rest of host.v2 away from a share of the hosts. */
export function maskSources(datacenter: Datacenter, random: Random, share: number): void {
  for (const host of datacenter.hosts) {
    const stream = random.fork(host.name);
    if (stream.next() >= share) continue;
    for (const source of SOURCES) {
      if (stream.next() >= SOURCE_RATIO) continue;
      for (const metric of HOST_METRIC_CATALOGUE) {
        if (metric.source === source) host.traits.missing[hostColumn(metric.name)] = 1;
      }
    }
  }
}
