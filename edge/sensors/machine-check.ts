import type {Sensor} from '../sensor.ts';
import {
  createAttempts,
  createDiscovery,
  listNames,
  parseNumber,
  readNumber,
  readText,
} from './procfs.ts';
import {createRate, createRates} from './rate.ts';
import {Reduction} from './reduction.ts';
import {slowSensor} from './slow.ts';

/** Interrupts of faults: exceptions, thresholds of corrected errors, deferred errors; not polls. */
const machineCheckLine = /^\s*(?:MCE|THR|DFR):/;
/** A file of hundreds of kilobytes where there are hundreds of CPUs. */
const everyMs = 10_000;

/**
 * Machine checks from /proc/interrupts, and the largest share of time that a core or package was
 * held back by its temperature (thermal_throttle; Intel only).
 */
export function machineCheckSensor(root: string): Sensor {
  const checks = createRate();
  const throttled = createRates();
  const files = createDiscovery(() => findTimes(`${root}/sys/devices/system/cpu`));
  const columns = ['cpu_machine_checks_per_second', 'cpu_throttled_ratio'];
  return slowSensor({name: 'machine-check', columns}, everyMs, (nowMs, row) => {
    const worst = new Reduction();
    const attempts = createAttempts();
    attempts.attempt(() => {
      const path = `${root}/proc/interrupts`;
      row.set(
        'cpu_machine_checks_per_second',
        checks(countMachineChecks(readText(path), path), nowMs),
      );
    });
    for (const {path, device} of files.get(nowMs))
      attempts.attempt(() => {
        const ratio = throttled.of(path)(readNumber(path) / 1000, nowMs);
        worst.most('cpu_throttled_ratio', Math.min(1, ratio), device);
      });
    throttled.sweep();
    worst.writeTo(row);
    attempts.rethrow();
  });
}

/** Of all CPUs since boot; NaN where the kernel does not count them. Errors: `SENSOR_FAILED`. */
export function countMachineChecks(text: string | undefined, path: string): number {
  let total = Number.NaN;
  for (const line of text?.split('\n') ?? []) {
    if (!machineCheckLine.test(line)) continue;
    const counts = /^\s*\w+:((?:\s+\d+)+)/.exec(line)?.[1];
    for (const count of counts?.trim().split(/\s+/) ?? [''])
      total = (Number.isNaN(total) ? 0 : total) + parseNumber(count, path);
  }
  return total;
}

function findTimes(folder: string): {path: string; device: string}[] {
  return listNames(folder, /^cpu\d+$/).flatMap(cpu =>
    ['core', 'package']
      .map(part => `${folder}/${cpu}/thermal_throttle/${part}_throttle_total_time_ms`)
      .filter(path => !Number.isNaN(readNumber(path)))
      .map(path => ({path, device: cpu})),
  );
}
