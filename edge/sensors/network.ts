import {existsSync} from 'node:fs';
import type {Sensor} from '../sensor.ts';
import {createDiscovery, garbled, listNames, parseNumber, readText} from './procfs.ts';
import {createRates} from './rate.ts';
import {Reduction} from './reduction.ts';

/** Column of the metric set, and its fields (receive, transmit) in /proc/net/dev after the name. */
const fieldsOfColumn = {
  network_receive_bytes_per_second: [0],
  network_transmit_bytes_per_second: [8],
  network_errors_per_second: [2, 10],
  network_drops_per_second: [3, 11],
} as const;

/**
 * Traffic, errors and drops of the network, summed over its ports; the one with most is named.
 * Only physical ports count: what passes a bridge, bond or tunnel passes a port as well.
 */
export function networkSensor(root: string): Sensor {
  const physical = createDiscovery(() => findPorts(`${root}/sys/class/net`));
  const rates = createRates();
  return {
    name: 'network',
    columns: Object.keys(fieldsOfColumn),
    read(nowMs, row) {
      const path = `${root}/proc/net/dev`;
      const text = readText(path);
      if (text === undefined) return;
      const isPort = physical.get(nowMs);
      const ports = new Reduction();
      // Two lines of headings.
      for (const line of text.split('\n').slice(2)) {
        if (line.trim() === '') continue;
        const colon = line.indexOf(':');
        const name = line.slice(0, colon).trim();
        const fields = line
          .slice(colon + 1)
          .trim()
          .split(/\s+/);
        if (colon < 0 || fields.length < 16) throw garbled(path, line);
        if (!isPort(name)) continue;
        for (const [column, indexes] of Object.entries(fieldsOfColumn)) {
          let total = 0;
          for (const index of indexes) total += parseNumber(fields[index], `${name} in ${path}`);
          ports.sum(column, rates.of(`${name} ${column}`)(total, nowMs), name);
        }
      }
      rates.sweep();
      ports.writeTo(row);
    },
  };
}

function findPorts(folder: string): (name: string) => boolean {
  if (!existsSync(folder)) return name => name !== 'lo';
  const ports = new Set(listNames(folder).filter(name => existsSync(`${folder}/${name}/device`)));
  return name => ports.has(name);
}
