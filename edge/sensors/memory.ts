import type {Sensor} from '../sensor.ts';
import {garbled, readNumber, readText} from './procfs.ts';

/**
 * Share of memory that new work could not have, what of it is not the VMs', and of swap; no swap at
 * all counts as none used.
 */
export function memorySensor(root: string): Sensor {
  const path = `${root}/proc/meminfo`;
  const vmsPath = `${root}/sys/fs/cgroup/machine.slice/memory.current`;
  return {
    name: 'memory',
    columns: ['memory_used_ratio', 'memory_system_ratio', 'swap_used_ratio'],
    read(_nowMs, row) {
      const memory = readMemory(path);
      if (memory === undefined) return;
      const used = 1 - memory.availableKib / memory.totalKib;
      row.set('memory_used_ratio', used);
      // No slice: no VMs.
      const vmBytes = readText(vmsPath) === undefined ? 0 : readNumber(vmsPath);
      row.set('memory_system_ratio', Math.max(0, used - vmBytes / (1024 * memory.totalKib)));
      row.set(
        'swap_used_ratio',
        memory.swapTotalKib === 0 ? 0 : 1 - memory.swapFreeKib / memory.swapTotalKib,
      );
    },
  };
}

export type Memory = {
  totalKib: number;
  availableKib: number;
  swapTotalKib: number;
  swapFreeKib: number;
};

/** /proc/meminfo, undefined where there is none. Errors: `SENSOR_FAILED`. */
export function readMemory(path: string): Memory | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  const field = (name: string): number => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text);
    if (match === null) throw garbled(`${name} in ${path}`, text);
    return Number(match[1]);
  };
  return {
    totalKib: field('MemTotal'),
    availableKib: field('MemAvailable'),
    swapTotalKib: field('SwapTotal'),
    swapFreeKib: field('SwapFree'),
  };
}
