import {HOST_METRIC_CATALOGUE} from '../host-metrics.ts';

/** Metrics of hosts that are watched for what is unusual: flags, totals and ages are not. */
export const WATCHED_METRICS: readonly string[] = HOST_METRIC_CATALOGUE.filter(
  ({averaged}) => averaged,
).map(({name}) => name);

/** Where the unit says too much: voltages stay within a tenth, and of some errors a few are many. */
const SPANS: Readonly<Record<string, number>> = {
  voltage_deviation_ratio: 0.1,
  temperature_celsius: 50,
  temperature_margin_celsius: 50,
  memory_corrected_errors_per_second: 0.1,
  memory_uncorrected_errors_per_second: 0.01,
  disk_errors_per_second: 0.1,
  cpu_machine_checks_per_second: 0.1,
  network_link_errors_per_second: 0.1,
  network_carrier_changes_per_second: 0.01,
};

/** How wide the natural range of each metric is; undefined: as wide as it was seen. */
export function spansOf(metrics: readonly string[]): (number | undefined)[] {
  const units = new Map(HOST_METRIC_CATALOGUE.map(({name, unit}) => [name, unit]));
  return metrics.map(metric => SPANS[metric] ?? (units.get(metric) === 'ratio' ? 1 : undefined));
}
