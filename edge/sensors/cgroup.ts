import {existsSync} from 'node:fs';
import type {FleetSensor, RowWriter} from '../sensor.ts';
import {createStall} from './pressure.ts';
import {createAttempts, garbled, listNames, parseNumber, readText} from './procfs.ts';
import {createRate, type Rate} from './rate.ts';

/**
 * What each virtual machine of libvirt uses of its allotment, from its cgroup (version 2). Where
 * no limit is set, the CPU allotment is the number of virtual CPUs; memory without a limit is NaN.
 */
export function cgroupSensor(root: string): FleetSensor {
  const hostCpus = listNames(`${root}/sys/devices/system/cpu`, /^cpu\d+$/).length;
  let readers = new Map<string, Reader>();
  return {
    name: 'cgroup',
    columns: [
      'cpu_used_ratio',
      'cpu_throttled_ratio',
      'memory_used_ratio',
      'io_read_bytes_per_second',
      'io_write_bytes_per_second',
      'pressure_cpu_ratio',
      'pressure_memory_ratio',
      'pressure_io_ratio',
    ],
    read(nowMs, row) {
      const found = new Map<string, Reader>();
      const attempts = createAttempts();
      for (const {vm, folder} of findVms(root)) {
        const reader = readers.get(folder) ?? createReader(folder, hostCpus);
        found.set(folder, reader);
        attempts.attempt(() => reader(nowMs, row(`vms/${vm}`)));
      }
      readers = found;
      attempts.rethrow();
    },
  };
}

/** VMs whose cgroup libvirt made, with its folder. Names as libvirt knows them. */
export function findVms(root: string): {vm: string; folder: string}[] {
  const slice = `${root}/sys/fs/cgroup/machine.slice`;
  return listNames(slice, /\.scope$/).flatMap(scope => {
    const vm = vmOfScope(scope);
    return vm === undefined ? [] : [{vm, folder: `${slice}/${scope}`}];
  });
}

/** `machine-qemu\x2d3\x2dweb.scope` → `web`; undefined for scopes of others. */
export function vmOfScope(scope: string): string | undefined {
  const plain = scope.replace(/\\x([0-9a-f]{2})/gi, (_, code) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  // Systemd escapes bytes; names beyond ASCII are UTF-8 made of several.
  const name = Buffer.from(plain, 'latin1').toString('utf8');
  return /^machine-qemu-\d+-(.+)\.scope$/s.exec(name)?.[1];
}

/** CPUs that a VM may use, from its limit or its virtual CPUs; NaN if neither is known. */
export function readCpuAllotment(folder: string, hostCpus: number): number {
  const limit = readText(`${folder}/cpu.max`)?.trim();
  if (limit !== undefined && !limit.startsWith('max')) {
    const [quota, period] = limit.split(' ');
    const cpus = parseNumber(quota, `${folder}/cpu.max`) / parseNumber(period, `${folder}/cpu.max`);
    if (!(cpus > 0)) throw garbled(`${folder}/cpu.max`, limit);
    return cpus;
  }
  return listNames(`${folder}/libvirt`, /^vcpu\d+$/).length || hostCpus || Number.NaN;
}

/** Bytes that a VM may use; NaN without a limit. */
export function readMemoryAllotment(folder: string): number {
  const limit = readText(`${folder}/memory.max`)?.trim();
  if (limit === undefined || limit === 'max') return Number.NaN;
  return parseNumber(limit, `${folder}/memory.max`);
}

type Reader = (nowMs: number, row: RowWriter) => void;

function createReader(folder: string, hostCpus: number): Reader {
  const rates: Record<'usage' | 'throttled' | 'periods' | 'read' | 'written', Rate> = {
    usage: createRate(),
    throttled: createRate(),
    periods: createRate(),
    read: createRate(),
    written: createRate(),
  };
  const stalls = {
    pressure_cpu_ratio: createStall(`${folder}/cpu.pressure`, 'some'),
    pressure_memory_ratio: createStall(`${folder}/memory.pressure`, 'full'),
    pressure_io_ratio: createStall(`${folder}/io.pressure`, 'some'),
  };
  return (nowMs, row) => {
    // Gone between the listing and now: the VM was stopped.
    if (!existsSync(folder)) return;
    const attempts = createAttempts();
    attempts.attempt(() => {
      const cpu = readFields(`${folder}/cpu.stat`);
      const used = rates.usage(cpu('usage_usec') / 1e6, nowMs);
      row.set('cpu_used_ratio', used / readCpuAllotment(folder, hostCpus));
      const periods = rates.periods(cpu('nr_periods'), nowMs);
      const throttled = rates.throttled(cpu('nr_throttled'), nowMs);
      // Without a limit there are no periods, and nothing is throttled.
      row.set('cpu_throttled_ratio', periods === 0 ? 0 : throttled / periods);
    });
    attempts.attempt(() => {
      const path = `${folder}/memory.current`;
      const text = readText(path);
      if (text === undefined) return;
      row.set('memory_used_ratio', parseNumber(text, path) / readMemoryAllotment(folder));
    });
    attempts.attempt(() => {
      const path = `${folder}/io.stat`;
      const text = readText(path);
      if (text === undefined) return;
      row.set('io_read_bytes_per_second', rates.read(sumOf(text, 'rbytes', path), nowMs));
      row.set('io_write_bytes_per_second', rates.written(sumOf(text, 'wbytes', path), nowMs));
    });
    for (const [column, stall] of Object.entries(stalls))
      attempts.attempt(() => row.set(column, stall(nowMs)));
    attempts.rethrow();
  };
}

/** `name value` lines; NaN for a name that is not there. */
function readFields(path: string): (name: string) => number {
  const lines = readText(path)?.split('\n') ?? [];
  return name => {
    const line = lines.find(candidate => candidate.startsWith(`${name} `));
    return line === undefined ? Number.NaN : parseNumber(line.slice(name.length + 1), path);
  };
}

/** Sum over devices of `key=value` in `8:0 rbytes=1 wbytes=2 …`. */
function sumOf(text: string, key: string, path: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const [device, ...pairs] = line.trim().split(' ');
    if (device === undefined || pairs.length === 0) continue;
    if (!/^\d+:\d+$/.test(device)) throw garbled(path, line);
    const pair = pairs.find(candidate => candidate.startsWith(`${key}=`));
    if (pair !== undefined) sum += parseNumber(pair.slice(key.length + 1), path);
  }
  return sum;
}
