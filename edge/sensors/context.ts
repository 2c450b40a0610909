import {statSync} from 'node:fs';
import type {Sensor} from '../sensor.ts';
import type {History} from './history.ts';
import {createLocalTime} from './local-time.ts';
import {createAttempts, createDiscovery, readText} from './procfs.ts';
import {slowSensor} from './slow.ts';
import {createVmChanges} from './vm-changes.ts';

const everyMs = 15_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const columns = [
  'time_of_day_sine',
  'time_of_day_cosine',
  'time_weekend_ratio',
  'workload_batch_ratio',
  'workload_steady_ratio',
  'change_kernel_age_hours',
  'change_firmware_age_hours',
  'change_package_age_hours',
  'change_resize_age_hours',
  'change_migration_age_hours',
];

/**
 * Time in the host's zone, what its VMs are like ({@link createVmChanges}), and how long ago it was
 * changed last: running kernel installed, firmware built, packages touched, a VM resized, a VM come
 * or gone. The last two are what this sensor saw, over restarts; NaN until it saw one.
 */
export function contextSensor(root: string, history: History): Sensor {
  const offsetOf = createLocalTime(root);
  const {resizedMs, movedMs} = Object(history.load());
  const vms = createVmChanges(root, {resizedMs: toTime(resizedMs), movedMs: toTime(movedMs)});
  const changed = createDiscovery(() => ({
    kernelMs: kernelTime(root),
    firmwareMs: firmwareTime(root),
    packageMs: newestTime(root, packageFiles),
  }));
  let kept = `${vms.resizedMs} ${vms.movedMs}`;
  return slowSensor({name: 'context', columns}, everyMs, (nowMs, row) => {
    const attempts = createAttempts();
    const localMs = nowMs + offsetOf(nowMs);
    const angle = ((localMs % dayMs) / dayMs) * 2 * Math.PI;
    row.set('time_of_day_sine', Math.sin(angle));
    row.set('time_of_day_cosine', Math.cos(angle));
    const weekday = new Date(localMs).getUTCDay();
    row.set('time_weekend_ratio', Number(weekday === 0 || weekday === 6));
    const ageHours = (column: string, atMs: number): void =>
      // A clock that was set back makes changes of the future: they are of now.
      row.set(column, Math.max(0, nowMs - atMs) / hourMs);
    attempts.attempt(() => {
      const {kernelMs, firmwareMs, packageMs} = changed.get(nowMs);
      ageHours('change_kernel_age_hours', kernelMs);
      ageHours('change_firmware_age_hours', firmwareMs);
      ageHours('change_package_age_hours', packageMs);
    });
    attempts.attempt(() => vms.look(nowMs));
    row.set('workload_batch_ratio', vms.shareOf('batch'));
    row.set('workload_steady_ratio', vms.shareOf('steady'));
    ageHours('change_resize_age_hours', vms.resizedMs);
    ageHours('change_migration_age_hours', vms.movedMs);
    attempts.attempt(() => {
      const now = `${vms.resizedMs} ${vms.movedMs}`;
      if (now === kept) return;
      kept = now;
      history.keep({resizedMs: vms.resizedMs, movedMs: vms.movedMs});
    });
    attempts.rethrow();
  });
}

const toTime = (kept: unknown): number => (typeof kept === 'number' ? kept : Number.NaN);

/** Written by every package manager when it changes something. */
const packageFiles = [
  'var/lib/dpkg/status',
  'var/lib/dpkg/info',
  'var/lib/rpm/rpmdb.sqlite',
  'var/lib/rpm/Packages',
  'usr/lib/sysimage/rpm/rpmdb.sqlite',
  'lib/apk/db/installed',
  'var/lib/pacman/local',
];

function kernelTime(root: string): number {
  const release = readText(`${root}/proc/sys/kernel/osrelease`)?.trim();
  return release === undefined
    ? Number.NaN
    : newestTime(root, [`lib/modules/${release}`, `boot/vmlinuz-${release}`]);
}

/** `MM/DD/YYYY`, the day it was built: when it was installed is not told. */
function firmwareTime(root: string): number {
  const text = readText(`${root}/sys/class/dmi/id/bios_date`);
  const [, month, day, year] = /^(\d{2})\/(\d{2})\/(\d{4})\s*$/.exec(text ?? '') ?? [];
  return year === undefined ? Number.NaN : Date.UTC(Number(year), Number(month) - 1, Number(day));
}

function newestTime(root: string, files: readonly string[]): number {
  const times = files.flatMap(
    file => statSync(`${root}/${file}`, {throwIfNoEntry: false})?.mtimeMs ?? [],
  );
  return times.length > 0 ? Math.max(...times) : Number.NaN;
}
