import type {Sensor} from '../sensor.ts';
import {createDiscovery, garbled, listNames, parseNumber, readNumber, readText} from './procfs.ts';
import {createRate} from './rate.ts';

/** Frequencies are the average of at most this many evenly spread CPUs: reading one costs a trap. */
const frequenciesMax = 16;

type Files = {
  frequencies: {current: string; maximumHz: number}[];
  throttleCounts: string[];
};

/**
 * Utilisation and steal from /proc/stat, mean frequency over the maximum from cpufreq, and
 * throttling events of every core and package from thermal_throttle.
 */
export function cpuSensor(root: string): Sensor {
  const files = createDiscovery(() => findFiles(`${root}/sys/devices/system/cpu`));
  const throttleRate = createRate();
  let last: Times | undefined;
  return {
    name: 'cpu',
    columns: [
      'cpu_utilisation_ratio',
      'cpu_steal_ratio',
      'cpu_frequency_ratio',
      'cpu_throttle_events_per_second',
    ],
    read(nowMs, row) {
      const {frequencies, throttleCounts} = files.get(nowMs);
      row.set('cpu_frequency_ratio', meanFrequency(frequencies));
      row.set('cpu_throttle_events_per_second', throttleRate(sum(throttleCounts), nowMs));

      const times = readTimes(`${root}/proc/stat`);
      const total = times && last ? times.total - last.total : Number.NaN;
      const idle = times && last ? times.idle - last.idle : Number.NaN;
      const steal = times && last ? times.steal - last.steal : Number.NaN;
      last = times;
      // A counter that went back (a CPU was taken away) says nothing about this interval.
      if (!(total > 0 && idle >= 0 && steal >= 0)) return;
      row.set('cpu_utilisation_ratio', Math.max(0, (total - idle - steal) / total));
      row.set('cpu_steal_ratio', steal / total);
    },
  };
}

/** In clock ticks since boot. Guest time is part of user time. */
type Times = {total: number; idle: number; steal: number};

function readTimes(path: string): Times | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  const line = text.slice(0, text.indexOf('\n') + 1 || text.length);
  const [label, ...fields] = line.trim().split(/\s+/);
  if (label !== 'cpu' || fields.length < 4) throw garbled(path, line);
  const ticks = fields.slice(0, 8).map(field => parseNumber(field, path));
  const [idle = 0, ioWait = 0, steal = 0] = [ticks[3], ticks[4], ticks[7]];
  return {total: ticks.reduce((a, b) => a + b, 0), idle: idle + ioWait, steal};
}

function meanFrequency(frequencies: Files['frequencies']): number {
  if (frequencies.length === 0) return Number.NaN;
  let ratios = 0;
  for (const {current, maximumHz} of frequencies) ratios += readNumber(current) / maximumHz;
  return ratios / frequencies.length;
}

function sum(paths: readonly string[]): number {
  if (paths.length === 0) return Number.NaN;
  let total = 0;
  for (const path of paths) total += readNumber(path);
  return total;
}

function findFiles(folder: string): Files {
  const cpus = listNames(folder, /^cpu\d+$/).map(name => `${folder}/${name}`);
  const step = Math.max(1, Math.ceil(cpus.length / frequenciesMax));
  const frequencies = cpus
    .filter((_, index) => index % step === 0)
    .map(cpu => ({
      current: `${cpu}/cpufreq/scaling_cur_freq`,
      maximumHz: readNumber(`${cpu}/cpufreq/cpuinfo_max_freq`),
    }))
    .filter(({maximumHz}) => maximumHz > 0);

  // Siblings show the same count: one file for each core, and one for each package.
  const throttleCounts = new Map<string, string>();
  for (const cpu of cpus) {
    const core = `${cpu}/thermal_throttle/core_throttle_count`;
    if (Number.isNaN(readNumber(core))) continue;
    const packageId = readNumber(`${cpu}/topology/physical_package_id`);
    const coreId = readNumber(`${cpu}/topology/core_id`);
    throttleCounts.set(Number.isNaN(coreId) ? cpu : `${packageId}/${coreId}`, core);
    const whole = `${cpu}/thermal_throttle/package_throttle_count`;
    if (!Number.isNaN(readNumber(whole))) throttleCounts.set(`package ${packageId}`, whole);
  }
  return {frequencies, throttleCounts: [...throttleCounts.values()]};
}
