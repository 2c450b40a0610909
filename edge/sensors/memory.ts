import type {Sensor} from '../sensor.ts';
import {garbled, readText} from './procfs.ts';

/** Share of memory that new work could not have, and of swap; no swap at all counts as none used. */
export function memorySensor(root: string): Sensor {
  const path = `${root}/proc/meminfo`;
  return {
    name: 'memory',
    columns: ['memory_used_ratio', 'swap_used_ratio'],
    read(_nowMs, row) {
      const memory = readMemory(path);
      if (memory === undefined) return;
      row.set('memory_used_ratio', 1 - memory.availableKib / memory.totalKib);
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
