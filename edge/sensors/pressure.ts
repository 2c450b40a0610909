import type {Sensor} from '../sensor.ts';
import {garbled, readText} from './procfs.ts';
import {createRate} from './rate.ts';

/**
 * Pressure stall information: the share of the interval in which some task waited for a CPU or for
 * I/O, or all tasks waited for memory. From the running total, so no average hides a spike.
 */
export function pressureSensor(root: string): Sensor {
  const cpu = createStall(`${root}/proc/pressure/cpu`, 'some');
  const memory = createStall(`${root}/proc/pressure/memory`, 'full');
  const io = createStall(`${root}/proc/pressure/io`, 'some');
  return {
    name: 'pressure',
    columns: ['pressure_cpu_ratio', 'pressure_memory_ratio', 'pressure_io_ratio'],
    read(nowMs, row) {
      row.set('pressure_cpu_ratio', cpu(nowMs));
      row.set('pressure_memory_ratio', memory(nowMs));
      row.set('pressure_io_ratio', io(nowMs));
    },
  };
}

/** Reads the stalled share (0 to 1) since the previous call from a PSI file. */
export function createStall(path: string, line: 'some' | 'full'): (nowMs: number) => number {
  const rate = createRate();
  const pattern = new RegExp(`^${line} .*\\btotal=(\\d+)$`, 'm');
  return nowMs => {
    const text = readText(path);
    if (text === undefined) return rate(Number.NaN, nowMs);
    const match = pattern.exec(text);
    if (match === null) throw garbled(path, text);
    return Math.min(1, rate(Number(match[1]), nowMs) / 1e6);
  };
}
