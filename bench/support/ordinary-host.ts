/**
 * What a live agent of an ordinary host sends: of its 100 columns 24 are missing on average, 41 stand
 * still and 35 move, and 13 name the device that was worst. An agent in a virtual machine without
 * tools leaves 56 empty.
 */
import {HOST_METRIC_CATALOGUE} from '../../core/domain/host-metrics.ts';
import type {Random} from '../../core/ports.ts';

export type Range = readonly [from: number, to: number];

export type OrdinaryHost = {
  /** From and to by metric; NaN: missing; the same twice: stands still. */
  readonly ranges: Readonly<Record<string, Range>>;
  /** Name of the worst device by metric. */
  readonly devices: Readonly<Record<string, string>>;
};

/** Of so many hosts a sensor says nothing: no tool, no right to use it, nothing to read. */
const SILENT: Readonly<Record<string, number>> = {
  applications: 0.7,
  commands: 0.4,
  ipmi: 0.4,
  'machine-check': 0.3,
  smart: 0.3,
  edac: 0.3,
  hwmon: 0.2,
};

/** What nearly no host has at a given time, whatever its sensors. */
const ABSENT: readonly string[] = [
  'shutdown_in_seconds',
  'kernel_newer_installed_ratio',
  'kexec_loaded_ratio',
  'watchdog_left_ratio',
  'boots_per_day',
  'boots_unclean_per_day',
  'boot_hour_affinity_ratio',
  'boot_weekday_affinity_ratio',
  'boot_spike_affinity_ratio',
  'commands_reboot_affinity_ratio',
  'change_firmware_age_hours',
  'change_resize_age_hours',
  'change_migration_age_hours',
];

/** What moves; the rest are flags and counts that stay 0. */
const MOVING: Readonly<Record<string, Range>> = {
  cpu_utilisation_ratio: [0.2, 0.5],
  cpu_steal_ratio: [0, 0.01],
  cpu_frequency_ratio: [0.9, 1],
  memory_used_ratio: [0.3, 0.5],
  memory_system_ratio: [0.05, 0.06],
  pressure_cpu_ratio: [0, 0.02],
  pressure_io_ratio: [0, 0.02],
  disk_busy_ratio: [0.05, 0.2],
  disk_read_bytes_per_second: [1e5, 2e7],
  disk_write_bytes_per_second: [1e5, 2e7],
  disk_latency_seconds: [0.001, 0.003],
  disk_queue_depth: [0, 2],
  network_receive_bytes_per_second: [1e5, 5e7],
  network_transmit_bytes_per_second: [1e5, 5e7],
  temperature_celsius: [42, 48],
  temperature_margin_celsius: [40, 46],
  voltage_deviation_ratio: [0.005, 0.01],
  fan_speed_rpm: [5000, 5200],
  power_draw_watts: [180, 220],
  boot_age_seconds: [4e6, 4.1e6],
  application_latency_seconds: [0.02, 0.04],
  application_connections: [100, 200],
  time_of_day_sine: [0.5, 0.51],
  time_of_day_cosine: [0.86, 0.87],
  workload_batch_ratio: [0.1, 0.2],
  workload_steady_ratio: [0.4, 0.5],
  change_kernel_age_hours: [900, 901],
  change_package_age_hours: [100, 101],
  anomalous_metrics_ratio: [0, 0.02],
  anomalous_vms_ratio: [0, 0.1],
  reboot_intentional_1m_probability: [0.001, 0.002],
  reboot_intentional_5m_probability: [0.004, 0.006],
  reboot_intentional_15m_probability: [0.01, 0.02],
  reboot_intentional_30m_probability: [0.02, 0.04],
  reboot_crash_1m_probability: [0.001, 0.002],
  reboot_crash_5m_probability: [0.002, 0.004],
  reboot_crash_15m_probability: [0.005, 0.01],
  reboot_crash_30m_probability: [0.01, 0.02],
};

/** Not 0, and the same for hours. */
const STANDING: Readonly<Record<string, number>> = {
  disk_wear_ratio: 0.1,
  disk_temperature_celsius: 31,
  disk_age_hours: 12_000,
  boot_last_downtime_seconds: 180,
  time_weekend_ratio: 0,
};

/** Sensors that name a device beside each value that is not 0. */
const NAMED: Readonly<Record<string, string>> = {
  disk: 'nvme0n1',
  smart: '/dev/nvme0',
  network: 'enp65s0f0',
  hwmon: 'coretemp/Package id 0',
  applications: '127.0.0.1:9100',
};

/** Draws which sensors of a host are silent; the rest is the same for all. */
export function drawOrdinaryHost(random: Random): OrdinaryHost {
  const silent = new Set(
    Object.entries(SILENT)
      .filter(([, share]) => random.next() < share)
      .map(([source]) => source),
  );
  const ranges: Record<string, Range> = {};
  const devices: Record<string, string> = {};
  for (const {name, source} of HOST_METRIC_CATALOGUE) {
    const standing = STANDING[name] ?? 0;
    const isMissing = silent.has(source) || ABSENT.includes(name);
    const range = isMissing ? MISSING : (MOVING[name] ?? ([standing, standing] as const));
    ranges[name] = range;
    const device = NAMED[source];
    if (device !== undefined && range[1] > 0) devices[name] = device;
  }
  return {ranges, devices};
}

const MISSING: Range = [Number.NaN, Number.NaN];
