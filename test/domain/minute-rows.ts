import type {MinuteRows} from '../../core/domain/anomaly/fleet-watch.ts';
import {createNormal} from './streams.ts';

export const METRICS = [
  'cpu_utilisation_ratio',
  'memory_used_ratio',
  'disk_latency_seconds',
  'temperature_celsius',
  'network_errors_per_second',
] as const;
export const START_MS = 1_760_000_000_000 - (1_760_000_000_000 % 60_000);
const MINUTE_MS = 60_000;

export type FleetOptions = {
  seed?: number;
  hosts?: number;
  cells?: number;
  /** Changes a host's row in a minute; undefined: it is silent. */
  change?: (row: number[], host: number, minute: number) => number[] | undefined;
};

/** A fleet whose metrics wander and hang together, minute by minute. */
export function createFleet({seed = 1, hosts = 12, cells = 1, change = row => row}: FleetOptions) {
  const normal = createNormal(seed);
  const loads = new Float64Array(hosts);
  let minute = -1;
  return {
    names: Array.from({length: hosts}, (_, host) => `h${host}`),
    next(): MinuteRows {
      minute++;
      const rows = Array.from(loads, (before, host) => {
        const load = 0.9 * before + 0.4 * normal();
        loads[host] = load;
        const row = [
          0.4 + 0.05 * load + 0.01 * normal(),
          0.6 + 0.01 * normal(),
          0.005 + 0.0005 * load + 0.0005 * normal(),
          55 + 4 * load + normal(),
          0,
        ];
        return {host, row: change(row, host, minute)};
      });
      const heard = rows.flatMap(({host, row}) => (row === undefined ? [] : [{host, row}]));
      return {
        timeBase: 'live',
        columns: METRICS,
        hosts: heard.map(({host}) => `h${host}`),
        cells: heard.map(({host}) => `cell-${host % cells}`),
        racks: heard.map(({host}) => `rack-${Math.floor(host / 4)}`),
        atMs: new Float64Array(heard.length).fill(START_MS + minute * MINUTE_MS),
        values: Float32Array.from(heard.flatMap(({row}) => row)),
        oddVms: new Float32Array(heard.length).fill(Number.NaN),
      };
    },
  };
}
