import {type FeatureContract, featuresOf} from '../../core/domain/features.ts';
import type {FailureData} from './data.ts';

/** What a failing part shows of itself, and from which value on an operator's rule says so. */
type Symptom = {
  readonly metric: string;
  /** Left out: no usual rule asks for it. */
  readonly limit?: number;
  /** Little is bad, not much. */
  readonly below?: true;
};

const SYMPTOMS: Readonly<Record<string, readonly Symptom[]>> = {
  cpu: [
    {metric: 'temperature_margin_celsius', limit: 10, below: true},
    {metric: 'pressure_cpu_ratio', limit: 0.4},
    {metric: 'cpu_machine_checks_per_second', limit: 0.01},
    {metric: 'cpu_throttled_ratio', limit: 0.1},
    {metric: 'log_cpu_faults_per_minute', limit: 1},
    {metric: 'log_stalls_per_minute', limit: 1},
  ],
  memory: [
    {metric: 'memory_corrected_errors_per_second', limit: 1},
    {metric: 'memory_uncorrected_errors_per_second', limit: 0.01},
    {metric: 'memory_used_ratio', limit: 0.95},
    {metric: 'log_memory_faults_per_minute', limit: 1},
  ],
  disk: [
    {metric: 'disk_errors_per_second', limit: 0.1},
    {metric: 'disk_latency_seconds', limit: 0.02},
    {metric: 'disk_pending_sectors', limit: 1},
    {metric: 'disk_uncorrectable_sectors', limit: 1},
    {metric: 'disk_failing_ratio', limit: 0.01},
    {metric: 'disk_reallocated_sectors'},
    {metric: 'disk_new_defects_per_day'},
    {metric: 'log_disk_faults_per_minute', limit: 1},
  ],
  network: [
    {metric: 'network_errors_per_second', limit: 1},
    {metric: 'network_link_errors_per_second', limit: 1},
    {metric: 'network_carrier_changes_per_second', limit: 0.01},
    {metric: 'network_links_down_ratio', limit: 0.1},
    {metric: 'log_network_faults_per_minute', limit: 1},
  ],
  power: [
    {metric: 'voltage_deviation_ratio', limit: 0.05},
    {metric: 'power_supplies_failed_ratio', limit: 0.1},
    {metric: 'log_power_faults_per_minute', limit: 1},
  ],
};

/**
 * The usual alert rules of monitoring systems, as a risk to rank by: what a model must be better
 * than. How far a row is beyond the limits for a component: 1 is at the limit, 0 where nothing is
 * measured.
 */
export function scoreByRule(
  {contract, rows, features}: Pick<FailureData, 'contract' | 'rows' | 'features'>,
  component: string,
): Float32Array {
  const all = featuresOf(contract);
  const rules = levelsOf(component, contract).flatMap(({limit, below, column}) =>
    limit === undefined ? [] : [{limit, below, column}],
  );
  return Float32Array.from({length: rows}, (_, row) => {
    let worst = 0;
    for (const {column, limit, below} of rules) {
      const value = features[row * all.length + column] as number;
      const beyond = below ? limit / Math.max(value, 0.1) : value / limit;
      if (beyond > worst) worst = beyond;
    }
    return worst;
  });
}

/** Which way each feature may move the risk of a component: 1 up, -1 down, 0 any. */
export function directionsOf(component: string, contract: FeatureContract): Int8Array {
  const directions = new Int8Array(featuresOf(contract).length);
  for (const {column, below} of levelsOf(component, contract)) {
    directions[column] = below ? -1 : 1;
  }
  return directions;
}

function levelsOf(component: string, contract: FeatureContract): (Symptom & {column: number})[] {
  const features = featuresOf(contract);
  return (SYMPTOMS[component] ?? []).flatMap(symptom => {
    const column = features.findIndex(
      ({metric, kind}) => metric === symptom.metric && kind === 'level',
    );
    return column < 0 ? [] : [{...symptom, column}];
  });
}
