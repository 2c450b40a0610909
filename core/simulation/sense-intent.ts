/** What shows of people and programs that are about to reboot a host, and of its logs. */
import {senseBoots} from './boots.ts';
import type {Moment} from './calendar.ts';
import {hostColumn} from './columns.ts';
import {poisson, uniform} from './noise.ts';
import {WATCHDOG_MS} from './occasions.ts';
import {COMMANDS, COUNTERS, count, fadeCounts} from './people.ts';
import type {SimulatedHost} from './world.ts';

const SCHEDULED = hostColumn('shutdown_scheduled_ratio');
const SHUTDOWN_IN = hostColumn('shutdown_in_seconds');
const REBOOT_REQUIRED = hostColumn('reboot_required_ratio');
const KERNEL_NEWER = hostColumn('kernel_newer_installed_ratio');
const KEXEC = hostColumn('kexec_loaded_ratio');
const WATCHDOG = hostColumn('watchdog_left_ratio');
const PACKAGE_MANAGER = hostColumn('package_manager_active_ratio');
const SESSIONS = hostColumn('sessions_open');
const PRIVILEGED = hostColumn('sessions_privileged');
const REBOOT_AFFINITY = hostColumn('commands_reboot_affinity_ratio');
const CPU = hostColumn('cpu_utilisation_ratio');

/** Columns of {@link COUNTERS}, in their order. */
const COUNTED = [
  'commands_power_per_minute',
  'commands_package_per_minute',
  'commands_service_per_minute',
  'commands_kernel_per_minute',
  'commands_storage_per_minute',
  'commands_vm_per_minute',
  'commands_other_per_minute',
  'log_errors_per_minute',
  'log_cpu_faults_per_minute',
  'log_memory_faults_per_minute',
  'log_disk_faults_per_minute',
  'log_network_faults_per_minute',
  'log_power_faults_per_minute',
  'log_stalls_per_minute',
  'services_restarted_per_minute',
  'services_failed_per_minute',
].map(hostColumn);

/** Error lines that any host writes, a second, and lines of each class of fault without one. */
const CHATTER = 0.004;
const SPURIOUS = 0.0002;
/** Every seventh host writes twenty times as much: it has a driver that complains. */
const TALKATIVE_SHARE = 0.14;
const TALKATIVE_FACTOR = 20;
/** Hot processors are held back, and say so. */
const HOT_CELSIUS = 88;
/** A watchdog is fed every so often. */
const FEED_SECONDS = 10;
const BUSY_RATIO = 0.9;

/** Writes this second's log lines, from what the parts go through. */
export function writeLog(host: SimulatedHost, second: number, seconds: number): void {
  const {people, stress, traits} = host;
  fadeCounts(people, seconds);
  const note = (counter: Parameters<typeof count>[1], perSecond: number, channel: number) => {
    // More than the last minute's is forgotten already.
    const mean = perSecond * Math.min(60, seconds);
    const events = poisson(mean, traits.noiseSeed, second, channel);
    if (events > 0) count(people, counter, events);
  };
  const isTalkative = uniform(traits.noiseSeed, 0, 48) < TALKATIVE_SHARE;
  const factor = isTalkative ? TALKATIVE_FACTOR : 1;
  const spurious = SPURIOUS * factor;
  const heat = host.temperatureCelsius > HOT_CELSIUS ? 0.05 : 0;
  note('errors', CHATTER * factor + 0.05 * stress.diskErrors + 0.5 * stress.stallRatio, 40);
  const corrected = 0.01 * Math.min(20, stress.correctedErrors);
  note('memory-faults', spurious + corrected + stress.uncorrectedErrors, 41);
  const fan = 0.1 * Math.max(0, stress.coolingLoss - 0.6);
  note('cpu-faults', spurious + heat + fan + stress.machineChecks, 42);
  note('disk-faults', spurious + 0.3 * stress.diskErrors + 0.02 * stress.diskDefects, 43);
  note('network-faults', spurious + stress.carrierChanges + 0.002 * stress.networkLinkErrors, 44);
  const sag = Math.max(0, stress.voltageRatio - 0.04);
  note('power-faults', spurious + 0.04 * stress.suppliesFailed + 0.4 * sag, 45);
  const waits = 0.004 * Math.max(0, stress.diskSlowdown - 4);
  note('stalls', SPURIOUS + 0.4 * stress.stallRatio + waits, 46);
  note('services-failed', SPURIOUS + 0.3 * Math.max(0, stress.memoryShare - 0.85), 47);
}

/** Reads `host.people`; load and heat are in `host.values` already. */
export function senseIntent(host: SimulatedHost, moment: Moment, second: number): void {
  const {values, people, history, traits} = host;
  const {nowMs} = moment;
  const {shutdownsMs, watchdogAtMs, minute} = people;
  const shutdownAtMs = shutdownsMs.length === 0 ? Number.NaN : Math.min(...shutdownsMs);
  const isScheduled = shutdownAtMs >= nowMs;
  values[SCHEDULED] = Number(isScheduled);
  values[SHUTDOWN_IN] = isScheduled ? (shutdownAtMs - nowMs) / 1000 : Number.NaN;
  values[REBOOT_REQUIRED] = people.rebootRequired;
  values[KERNEL_NEWER] = people.kernelNewer;
  values[KEXEC] = people.kexecLoaded;
  const fedAgoMs = 1000 * ((second + host.index) % FEED_SECONDS);
  const leftMs = Number.isNaN(watchdogAtMs) ? WATCHDOG_MS - fedAgoMs : watchdogAtMs - nowMs;
  values[WATCHDOG] = traits.hasWatchdog ? Math.max(0, leftMs / WATCHDOG_MS) : Number.NaN;
  values[PACKAGE_MANAGER] = Number(people.packageManagers > 0);
  values[SESSIONS] = people.sessions;
  values[PRIVILEGED] = people.privileged;
  let affinity = 0;
  for (let at = 0; at < COUNTERS.length; at++) {
    const events = minute[at] as number;
    values[COUNTED[at] as number] = events;
    if (at < COMMANDS && events > 0.05) {
      affinity = Math.max(affinity, history.commandShare[at] as number);
    }
  }
  values[REBOOT_AFFINITY] = affinity;
  const hasSpike = (values[CPU] as number) > BUSY_RATIO || people.packageManagers > 0;
  senseBoots(history, moment, hasSpike, values);
}
