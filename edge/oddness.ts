import {createHostOddness} from '../core/domain/anomaly/host-oddness.ts';
import {HOST_METRIC_CATALOGUE} from '../core/domain/host-metrics.ts';
import {HOST_METRICS, type MetricSet, VM_METRICS} from '../core/domain/metric-sets.ts';
import type {Conclusion, RowWriter} from './sensor.ts';

/** One odd metric of 34 for ten seconds is no news; several at once hardly ever happen by chance. */
const FALSE_ALARMS_PER_DAY = 1;

type OddnessOptions = {
  /** How often a day a metric of a healthy host or VM may count as odd; 1 unless given. */
  falseAlarmsPerDay?: number;
  intervalMs: number;
};

/** Which share of the host's metrics, and of its VMs, is odd now, and the oddest one's name. */
export function concludeOddness({
  falseAlarmsPerDay = FALSE_ALARMS_PER_DAY,
  intervalMs,
}: OddnessOptions): Conclusion {
  const oddness = createHostOddness({falseAlarmsPerDay, intervalMs});
  const host = createCopy(HOST_METRICS);
  const vm = createCopy(VM_METRICS);
  return {
    name: 'anomaly',
    columns: HOST_METRIC_CATALOGUE.filter(({source}) => source === 'anomaly').map(({name}) => name),
    hostRow: row => host.begin(row),
    vmRow: (entity, row) => vm.begin(row, entity),
    read(nowMs, row) {
      host.end((_, values) => oddness.observeHost(nowMs, values));
      vm.end((entity, values) => oddness.observeVm(entity, nowMs, values));
      const {metricsRatio, worstMetric, vmsRatio, worstVm} = oddness.now();
      row.set('anomalous_metrics_ratio', metricsRatio, worstMetric || undefined);
      row.set('anomalous_vms_ratio', vmsRatio, worstVm.replace(/^vms\//, '') || undefined);
    },
  };
}

/** Remembers what is put into the rows of one sample, by entity; two sensors may know the same VM. */
function createCopy({columns}: MetricSet) {
  const places = new Map(columns.map((column, place) => [column, place]));
  const rows = new Map<string, Float32Array>();
  return {
    begin(row: RowWriter, entity = ''): RowWriter {
      const values = rows.get(entity) ?? new Float32Array(columns.length).fill(Number.NaN);
      rows.set(entity, values);
      return {
        set(column, value, device) {
          const place = places.get(column);
          if (place !== undefined) values[place] = value;
          row.set(column, value, device);
        },
      };
    },
    end(take: (entity: string, values: Float32Array) => void): void {
      for (const [entity, values] of rows) take(entity, values);
      rows.clear();
    },
  };
}
