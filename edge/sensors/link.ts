import {existsSync} from 'node:fs';
import type {Sensor} from '../sensor.ts';
import {createAttempts, createDiscovery, listNames, readNumber, readText} from './procfs.ts';
import {createRates} from './rate.ts';
import {Reduction} from './reduction.ts';
import {slowSensor} from './slow.ts';

/** Of the cable and of the port: what a bad one shows first. */
const errorFiles = ['rx_crc_errors', 'rx_frame_errors', 'rx_missed_errors', 'tx_carrier_errors'];
const everyMs = 5_000;

/**
 * Physical ports: errors of the link and changes of carrier, summed; the share of links that are
 * down among those that were up since boot: a port without a cable is no fault.
 */
export function linkSensor(root: string): Sensor {
  const folder = `${root}/sys/class/net`;
  const ports = createDiscovery(() =>
    listNames(folder).filter(name => existsSync(`${folder}/${name}/device`)),
  );
  const rates = createRates();
  const columns = [
    'network_link_errors_per_second',
    'network_carrier_changes_per_second',
    'network_links_down_ratio',
  ];
  return slowSensor({name: 'link', columns}, everyMs, (nowMs, row) => {
    const sums = new Reduction();
    const attempts = createAttempts();
    let used = 0;
    let down: string[] = [];
    const add = (column: string, port: string, file: string): void => {
      const total = readNumber(`${folder}/${port}/${file}`);
      sums.sum(column, rates.of(`${port} ${file}`)(total, nowMs), port);
    };
    for (const port of ports.get(nowMs))
      attempts.attempt(() => {
        const state = readText(`${folder}/${port}/operstate`)?.trim();
        if (state === undefined) ports.forget();
        for (const file of errorFiles)
          add('network_link_errors_per_second', port, `statistics/${file}`);
        add('network_carrier_changes_per_second', port, 'carrier_changes');
        const isUp = state === 'up' || state === 'unknown';
        if (!isUp && !(readNumber(`${folder}/${port}/carrier_up_count`) > 0)) return;
        used++;
        if (!isUp) down = [...down, port];
      });
    rates.sweep();
    sums.writeTo(row);
    if (used > 0) row.set('network_links_down_ratio', down.length / used, down[0]);
    attempts.rethrow();
  });
}
