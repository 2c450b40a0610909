import type {MetricSet} from '../core/domain/metric-sets.ts';
import type {RowWriter} from './sensor.ts';

/** One row of samples, by column. */
export type Reading = {entity: string; atMs: number; values: Map<string, number>};

/** A row that remembers what was set; the rest of its columns is NaN. */
export function createReading(
  {columns}: MetricSet,
  entity: string,
  atMs: number,
): Reading & RowWriter {
  const values = new Map(columns.map(column => [column, Number.NaN]));
  return {entity, atMs, values, set: (column, value) => void values.set(column, value)};
}

/** One JSON object; what is missing is null. */
export function toNdjson({entity, atMs, values}: Reading): string {
  const metrics = Object.fromEntries(
    [...values].map(([column, value]) => [column, Number.isFinite(value) ? value : null]),
  );
  return JSON.stringify({time: new Date(atMs).toISOString(), entity, ...metrics});
}

type Cell = {title: string; columns: readonly string[]; show: (value: number) => string};

const percent = (value: number): string => `${(value * 100).toFixed(1)}%`;
const rate = (value: number): string => {
  const units = ['', 'k', 'M', 'G'];
  let scaled = value;
  let unit = 0;
  for (; scaled >= 1000 && unit < units.length - 1; unit++) scaled /= 1000;
  return `${scaled.toFixed(unit === 0 ? 0 : 1)}${units[unit]}`;
};
const plain = (value: number): string => value.toFixed(1);
const milliseconds = (value: number): string => `${(value * 1000).toFixed(1)}ms`;

/** The first of the columns that a row has is shown: hosts and VMs share a table. */
const cells: readonly Cell[] = [
  {title: 'CPU', columns: ['cpu_utilisation_ratio', 'cpu_used_ratio'], show: percent},
  {title: 'STEAL', columns: ['cpu_steal_ratio', 'cpu_throttled_ratio'], show: percent},
  {title: 'MEM', columns: ['memory_used_ratio'], show: percent},
  {title: 'PSI-CPU', columns: ['pressure_cpu_ratio'], show: percent},
  {title: 'PSI-MEM', columns: ['pressure_memory_ratio'], show: percent},
  {title: 'PSI-IO', columns: ['pressure_io_ratio'], show: percent},
  {
    title: 'READ/s',
    columns: ['disk_read_bytes_per_second', 'io_read_bytes_per_second'],
    show: rate,
  },
  {
    title: 'WRITE/s',
    columns: ['disk_write_bytes_per_second', 'io_write_bytes_per_second'],
    show: rate,
  },
  {title: 'BUSY', columns: ['disk_busy_ratio'], show: percent},
  {title: 'LATENCY', columns: ['disk_latency_seconds'], show: milliseconds},
  {title: 'RX/s', columns: ['network_receive_bytes_per_second'], show: rate},
  {title: 'TX/s', columns: ['network_transmit_bytes_per_second'], show: rate},
  {title: '°C', columns: ['temperature_celsius'], show: plain},
  {title: 'CE/s', columns: ['memory_corrected_errors_per_second'], show: plain},
  {title: 'REBOOT', columns: ['reboot_intentional_30m_probability'], show: percent},
  {title: 'CRASH', columns: ['reboot_crash_30m_probability'], show: percent},
];

const cellWidth = 8;
const linesBetweenTitles = 20;

/** Gives the lines of a table, titles again every {@link linesBetweenTitles} rows. */
export function createTable(entityWidth = 20): (reading: Reading) => string[] {
  let lines = 0;
  return ({entity, atMs, values}) => {
    const time = new Date(atMs).toISOString().slice(11, 19);
    const row = cells.map(({columns, show}) => {
      const value = values.get(columns.find(column => values.has(column)) ?? '') ?? Number.NaN;
      return (Number.isNaN(value) ? '-' : show(value)).padStart(cellWidth);
    });
    const titles = cells.map(({title}) => title.padStart(cellWidth));
    const heading = ['TIME    ', 'ENTITY'.padEnd(entityWidth), ...titles].join(' ');
    const line = [time, entity.padEnd(entityWidth), ...row].join(' ');
    return lines++ % linesBetweenTitles === 0 ? [heading, line] : [line];
  };
}
