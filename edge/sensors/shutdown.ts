import {existsSync, statSync} from 'node:fs';
import type {Sensor} from '../sensor.ts';
import {isNewerInstalled} from './kernel-version.ts';
import {
  createAttempts,
  createDiscovery,
  listNames,
  parseNumber,
  readNumber,
  readText,
} from './procfs.ts';
import {Reduction} from './reduction.ts';
import {slowSensor} from './slow.ts';

const everyMs = 2_000;
/** Markers and kernels are written by packages, which take longer than that. */
const markersEveryMs = 30_000;
/** A shutdown that should have been so long ago was forgotten, not carried out. */
const overdueMsMax = 600_000;

const columns = [
  'shutdown_scheduled_ratio',
  'shutdown_in_seconds',
  'reboot_required_ratio',
  'kernel_newer_installed_ratio',
  'kexec_loaded_ratio',
  'watchdog_left_ratio',
];

/**
 * What waits for a reboot: one that is scheduled and when, markers that one is needed, a newer
 * kernel than the running one, a kernel loaded for kexec, and how much of its time the most urgent
 * armed watchdog has left. A host that does not have the place where something would be: NaN.
 */
export function shutdownSensor(root: string): Sensor {
  const markers = createDiscovery(
    nowMs => ({
      required: isRebootRequired(root, nowMs),
      newer: isNewerKernelInstalled(root),
    }),
    markersEveryMs,
  );
  return slowSensor({name: 'shutdown', columns}, everyMs, (nowMs, row) => {
    const attempts = createAttempts();
    attempts.attempt(() => {
      if (!existsSync(`${root}/run/systemd`)) return;
      const dueMs = readScheduled(`${root}/run/systemd/shutdown/scheduled`);
      const isScheduled = dueMs > nowMs - overdueMsMax;
      row.set('shutdown_scheduled_ratio', Number(isScheduled));
      if (isScheduled) row.set('shutdown_in_seconds', Math.max(0, (dueMs - nowMs) / 1000));
    });
    attempts.attempt(() => {
      const {required, newer} = markers.get(nowMs);
      row.set('reboot_required_ratio', required);
      row.set('kernel_newer_installed_ratio', newer);
    });
    attempts.attempt(() =>
      row.set('kexec_loaded_ratio', readNumber(`${root}/sys/kernel/kexec_loaded`)),
    );
    attempts.attempt(() => {
      const left = new Reduction();
      for (const {device, ratio} of readWatchdogs(`${root}/sys/class/watchdog`))
        left.least('watchdog_left_ratio', ratio, device);
      left.writeTo(row);
    });
    attempts.rethrow();
  });
}

/** When systemd will shut down, in ms; NaN if it will not. Errors: `SENSOR_FAILED`. */
function readScheduled(path: string): number {
  const text = readText(path);
  const field = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text ?? '')?.[1];
  // Rehearsals are `dry-reboot` and the like.
  if (text === undefined || field('MODE')?.startsWith('dry')) return Number.NaN;
  return parseNumber(field('USEC'), path) / 1000;
}

const markerFiles = ['run/reboot-required', 'run/reboot-needed', 'var/run/reboot-required'];
/** Replaced by an update; whoever runs since before still has the old one. */
const coreFiles = [
  'usr/lib64/libc.so.6',
  'usr/lib/systemd/systemd',
  'usr/lib64/libssl.so.3',
  'usr/bin/dbus-broker',
];

/** By marker (Debian, SUSE), or because files of the core are newer than the boot (RPM). */
function isRebootRequired(root: string, nowMs: number): number {
  if (!existsSync(`${root}/run`)) return Number.NaN;
  if (markerFiles.some(file => existsSync(`${root}/${file}`))) return 1;
  const isRpm = ['var/lib/rpm', 'usr/lib/sysimage/rpm'].some(it => existsSync(`${root}/${it}`));
  const uptimeSeconds = Number(readText(`${root}/proc/uptime`)?.split(' ')[0] ?? Number.NaN);
  if (!isRpm || Number.isNaN(uptimeSeconds)) return 0;
  const bootMs = nowMs - uptimeSeconds * 1000;
  return Number(
    coreFiles.some(file => {
      // Packages carry the time of their build; the change of the inode is the installation.
      const stat = statSync(`${root}/${file}`, {throwIfNoEntry: false});
      return stat !== undefined && stat.ctimeMs > bootMs;
    }),
  );
}

/** NaN if no kernel is installed here: it came from elsewhere. */
function isNewerKernelInstalled(root: string): number {
  const running = readText(`${root}/proc/sys/kernel/osrelease`)?.trim();
  const images = listNames(`${root}/boot`, /^vmlinu[xz]-/).map(name => name.slice(8));
  const modules = listNames(`${root}/lib/modules`).filter(name =>
    existsSync(`${root}/lib/modules/${name}/modules.dep`),
  );
  const installed = images.length > 0 ? images : modules;
  if (running === undefined || installed.length === 0) return Number.NaN;
  return Number(isNewerInstalled(running, installed));
}

function readWatchdogs(folder: string): {device: string; ratio: number}[] {
  return listNames(folder, /^watchdog\d+$/).flatMap(device => {
    if (readText(`${folder}/${device}/state`)?.trim() !== 'active') return [];
    const left = readNumber(`${folder}/${device}/timeleft`);
    return [{device, ratio: left / readNumber(`${folder}/${device}/timeout`)}];
  });
}
