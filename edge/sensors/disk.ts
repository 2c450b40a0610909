import {existsSync} from 'node:fs';
import type {Sensor} from '../sensor.ts';
import {createDiscovery, garbled, listNames, parseNumber, readNumber, readText} from './procfs.ts';
import {createRates, type Rates} from './rate.ts';
import {Reduction} from './reduction.ts';

/** /proc/diskstats counts in these, whatever the device's own sectors are. */
const sectorBytes = 512;

/**
 * Disks: traffic and errors summed, utilisation, latency and queue of the worst one, which is
 * named. Only whole physical devices count: partitions, loop, RAM and mapped devices would count
 * the same work twice. An idle disk has no latency: NaN if all were idle.
 */
export function diskSensor(root: string): Sensor {
  const physical = createDiscovery(() => findDisks(`${root}/sys/block`));
  const rates = createRates();
  return {
    name: 'disk',
    columns: [
      'disk_busy_ratio',
      'disk_read_bytes_per_second',
      'disk_write_bytes_per_second',
      'disk_latency_seconds',
      'disk_queue_depth',
      'disk_errors_per_second',
    ],
    read(nowMs, row) {
      const path = `${root}/proc/diskstats`;
      const text = readText(path);
      if (text === undefined) return;
      const isDisk = physical.get(nowMs);
      const devices = new Reduction();
      for (const line of text.split('\n')) {
        const fields = line.trim().split(/\s+/);
        const name = fields[2];
        if (name === undefined || !isDisk(name)) continue;
        const disk = readDisk(fields, `${name} in ${path}`, rates, nowMs);
        devices.sum('disk_read_bytes_per_second', disk.readBytes, name);
        devices.sum('disk_write_bytes_per_second', disk.writeBytes, name);
        devices.most('disk_busy_ratio', disk.busy, name);
        devices.most('disk_latency_seconds', disk.latencySeconds, name);
        devices.most('disk_queue_depth', disk.queueDepth, name);
        const errors = readNumber(`${root}/sys/block/${name}/device/ioerr_cnt`);
        devices.sum('disk_errors_per_second', rates.of(`${name} errors`)(errors, nowMs), name);
      }
      rates.sweep();
      devices.writeTo(row);
    },
  };
}

type Disk = {
  readBytes: number;
  writeBytes: number;
  busy: number;
  latencySeconds: number;
  queueDepth: number;
};

/** @see https://docs.kernel.org/admin-guide/iostats.html for the fields. */
function readDisk(fields: readonly string[], where: string, rates: Rates, nowMs: number): Disk {
  if (fields.length < 14) throw garbled(where, fields.join(' '));
  const rate = (index: number): number => {
    const total = parseNumber(fields[index], where);
    return rates.of(`${fields[2]} ${index}`)(total, nowMs);
  };
  const operations = rate(3) + rate(7);
  const waitedMs = rate(6) + rate(10);
  return {
    readBytes: rate(5) * sectorBytes,
    writeBytes: rate(9) * sectorBytes,
    busy: Math.min(1, rate(12) / 1000),
    latencySeconds: operations > 0 ? waitedMs / operations / 1000 : Number.NaN,
    queueDepth: rate(13) / 1000,
  };
}

function findDisks(folder: string): (name: string) => boolean {
  if (!existsSync(folder)) return name => /^(sd[a-z]+|vd[a-z]+|xvd[a-z]+|nvme\d+n\d+)$/.test(name);
  const names = listNames(folder).filter(name => existsSync(`${folder}/${name}/device`));
  const disks = new Set(names);
  return name => disks.has(name);
}
