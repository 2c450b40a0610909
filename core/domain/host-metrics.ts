/**
 * The catalogue of what is measured of a host: every metric once, with what it is, what it says and
 * who measures it. Column order of `host.v2` is the order here; a change is a new set.
 */

import type {Component} from './components.ts';

/** The unit of a value, as people write it behind the number; empty: a plain number. */
export type Unit =
  | 'ratio'
  | 'per second'
  | 'per minute'
  | 'per day'
  | 'seconds'
  | 'hours'
  | 'celsius'
  | 'rpm'
  | 'watts'
  | 'bytes per second'
  | '';

export type HostMetric = {
  readonly name: string;
  readonly unit: Unit;
  /** The part that it speaks of; `host`: of the machine as a whole, or of the people who use it. */
  readonly component: Component | 'host';
  /** Name of the sensor that fills it. */
  readonly source: string;
  /** Whether its trend and noise are features besides its level. */
  readonly averaged: boolean;
  /**
   * Says whether it is there, to a model that reads no NaN: 1 where it is missing. Trees read NaN;
   * networks read 0 for the metric, and this.
   */
  readonly missingTwin: string;
};

type Row = readonly [name: string, unit: Unit, component: HostMetric['component']];

const averaged = (source: string, ...rows: readonly Row[]) => rowsOf(source, true, rows);
/** Flags, totals, ages, probabilities: how they change within minutes says nothing more. */
const levels = (source: string, ...rows: readonly Row[]) => rowsOf(source, false, rows);

function rowsOf(source: string, isAveraged: boolean, rows: readonly Row[]): HostMetric[] {
  return rows.map(([name, unit, component]) => ({
    name,
    unit,
    component,
    source,
    averaged: isAveraged,
    missingTwin: `${name}.missing`,
  }));
}

/** Load, and the sensors that every machine has: all of `host.v1`. */
export const MEASURED: readonly HostMetric[] = [
  ...averaged(
    'cpu',
    ['cpu_utilisation_ratio', 'ratio', 'cpu'],
    ['cpu_steal_ratio', 'ratio', 'cpu'],
    ['cpu_frequency_ratio', 'ratio', 'cpu'],
    ['cpu_throttle_events_per_second', 'per second', 'cpu'],
  ),
  ...averaged(
    'memory',
    ['memory_used_ratio', 'ratio', 'memory'],
    // By anything but VMs: a VM that arrives is no leak.
    ['memory_system_ratio', 'ratio', 'memory'],
    ['swap_used_ratio', 'ratio', 'memory'],
  ),
  ...averaged(
    'pressure',
    ['pressure_cpu_ratio', 'ratio', 'cpu'],
    ['pressure_memory_ratio', 'ratio', 'memory'],
    ['pressure_io_ratio', 'ratio', 'disk'],
  ),
  ...averaged(
    'disk',
    ['disk_busy_ratio', 'ratio', 'disk'],
    ['disk_read_bytes_per_second', 'bytes per second', 'disk'],
    ['disk_write_bytes_per_second', 'bytes per second', 'disk'],
    ['disk_latency_seconds', 'seconds', 'disk'],
    ['disk_queue_depth', '', 'disk'],
    ['disk_errors_per_second', 'per second', 'disk'],
  ),
  ...averaged(
    'network',
    ['network_receive_bytes_per_second', 'bytes per second', 'network'],
    ['network_transmit_bytes_per_second', 'bytes per second', 'network'],
    ['network_errors_per_second', 'per second', 'network'],
    ['network_drops_per_second', 'per second', 'network'],
  ),
  ...averaged(
    'hwmon',
    ['temperature_celsius', 'celsius', 'cpu'],
    ['temperature_margin_celsius', 'celsius', 'cpu'],
    ['voltage_deviation_ratio', 'ratio', 'power'],
    ['fan_speed_rpm', 'rpm', 'cpu'],
  ),
  ...averaged(
    'edac',
    ['memory_corrected_errors_per_second', 'per second', 'memory'],
    ['memory_uncorrected_errors_per_second', 'per second', 'memory'],
  ),
];

/** What the parts say of their own health. */
const HARDWARE: readonly HostMetric[] = [
  // Of all disks of the host; the worst is named.
  ...levels(
    'smart',
    ['disk_failing_ratio', 'ratio', 'disk'],
    ['disk_reallocated_sectors', '', 'disk'],
    ['disk_pending_sectors', '', 'disk'],
    ['disk_uncorrectable_sectors', '', 'disk'],
    ['disk_new_defects_per_day', 'per day', 'disk'],
    ['disk_link_errors', '', 'disk'],
    ['disk_wear_ratio', 'ratio', 'disk'],
    ['disk_temperature_celsius', 'celsius', 'disk'],
    ['disk_age_hours', 'hours', 'disk'],
  ),
  ...levels(
    'ipmi',
    ['power_supplies_failed_ratio', 'ratio', 'power'],
    ['power_draw_watts', 'watts', 'power'],
    ['ipmi_sensors_critical_ratio', 'ratio', 'host'],
  ),
  ...averaged(
    'machine-check',
    ['cpu_machine_checks_per_second', 'per second', 'cpu'],
    ['cpu_throttled_ratio', 'ratio', 'cpu'],
  ),
  ...averaged(
    'link',
    ['network_link_errors_per_second', 'per second', 'network'],
    ['network_carrier_changes_per_second', 'per second', 'network'],
    ['network_links_down_ratio', 'ratio', 'network'],
  ),
];

/** What tells that somebody, or something, is about to reboot this host. */
const INTENT: readonly HostMetric[] = [
  ...levels(
    'shutdown',
    ['shutdown_scheduled_ratio', 'ratio', 'host'],
    ['shutdown_in_seconds', 'seconds', 'host'],
    ['reboot_required_ratio', 'ratio', 'host'],
    ['kernel_newer_installed_ratio', 'ratio', 'host'],
    ['kexec_loaded_ratio', 'ratio', 'host'],
    ['watchdog_left_ratio', 'ratio', 'host'],
  ),
  // Of people, only how many and what class of thing they do.
  ...levels(
    'activity',
    ['package_manager_active_ratio', 'ratio', 'host'],
    ['sessions_open', '', 'host'],
    ['sessions_privileged', '', 'host'],
  ),
  ...levels(
    'commands',
    ['commands_power_per_minute', 'per minute', 'host'],
    ['commands_package_per_minute', 'per minute', 'host'],
    ['commands_service_per_minute', 'per minute', 'host'],
    ['commands_kernel_per_minute', 'per minute', 'host'],
    ['commands_storage_per_minute', 'per minute', 'host'],
    ['commands_vm_per_minute', 'per minute', 'host'],
    ['commands_other_per_minute', 'per minute', 'host'],
    ['commands_reboot_affinity_ratio', 'ratio', 'host'],
  ),
  ...levels(
    'boots',
    ['boot_age_seconds', 'seconds', 'host'],
    ['boots_per_day', 'per day', 'host'],
    ['boots_unclean_per_day', 'per day', 'host'],
    ['boot_last_unclean_ratio', 'ratio', 'host'],
    ['boot_last_downtime_seconds', 'seconds', 'host'],
    ['boot_hour_affinity_ratio', 'ratio', 'host'],
    ['boot_weekday_affinity_ratio', 'ratio', 'host'],
    ['boot_spike_affinity_ratio', 'ratio', 'host'],
  ),
  // Counts of templates; no text leaves the host.
  ...levels(
    'log',
    ['log_errors_per_minute', 'per minute', 'host'],
    ['log_cpu_faults_per_minute', 'per minute', 'cpu'],
    ['log_memory_faults_per_minute', 'per minute', 'memory'],
    ['log_disk_faults_per_minute', 'per minute', 'disk'],
    ['log_network_faults_per_minute', 'per minute', 'network'],
    ['log_power_faults_per_minute', 'per minute', 'power'],
    ['log_stalls_per_minute', 'per minute', 'host'],
    ['services_restarted_per_minute', 'per minute', 'host'],
    ['services_failed_per_minute', 'per minute', 'host'],
  ),
];

/** What the applications on the host say of themselves, scraped from OpenMetrics endpoints. */
const APPLICATIONS: readonly HostMetric[] = averaged(
  'applications',
  ['application_latency_seconds', 'seconds', 'host'],
  ['application_errors_ratio', 'ratio', 'host'],
  ['application_connections', '', 'host'],
);

/** When it is for the people around, and what was changed lately. */
const CONTEXT: readonly HostMetric[] = levels(
  'context',
  ['time_of_day_sine', '', 'host'],
  ['time_of_day_cosine', '', 'host'],
  ['time_weekend_ratio', 'ratio', 'host'],
  ['workload_batch_ratio', 'ratio', 'host'],
  ['workload_steady_ratio', 'ratio', 'host'],
  ['change_kernel_age_hours', 'hours', 'host'],
  ['change_firmware_age_hours', 'hours', 'host'],
  ['change_package_age_hours', 'hours', 'host'],
  ['change_resize_age_hours', 'hours', 'host'],
  ['change_migration_age_hours', 'hours', 'host'],
);

/** What the agent concludes from all that by itself, before the core does. */
const CONCLUDED: readonly HostMetric[] = [
  ...levels(
    'anomaly',
    ['anomalous_metrics_ratio', 'ratio', 'host'],
    ['anomalous_vms_ratio', 'ratio', 'host'],
  ),
  ...levels(
    'intent',
    ['reboot_intentional_1m_probability', 'ratio', 'host'],
    ['reboot_intentional_5m_probability', 'ratio', 'host'],
    ['reboot_intentional_15m_probability', 'ratio', 'host'],
    ['reboot_intentional_30m_probability', 'ratio', 'host'],
    ['reboot_crash_1m_probability', 'ratio', 'host'],
    ['reboot_crash_5m_probability', 'ratio', 'host'],
    ['reboot_crash_15m_probability', 'ratio', 'host'],
    ['reboot_crash_30m_probability', 'ratio', 'host'],
  ),
];

export const HOST_METRIC_CATALOGUE: readonly HostMetric[] = [
  ...MEASURED,
  ...HARDWARE,
  ...INTENT,
  ...APPLICATIONS,
  ...CONTEXT,
  ...CONCLUDED,
];

/** What the intent model reads: all that is measured, nothing that was concluded from it. */
export const INTENT_INPUTS: readonly HostMetric[] = HOST_METRIC_CATALOGUE.filter(
  metric => !CONCLUDED.includes(metric),
);
