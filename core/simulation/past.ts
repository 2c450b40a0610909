/** What a host brings along when a run starts: boots, changes, a disk with an age. */
import type {Random} from '../ports.ts';
import {drawBootHistory} from './boots.ts';
import {HOUR_MS} from './calendar.ts';
import {hostColumn} from './columns.ts';
import {lognormal} from './draws.ts';
import type {Habit} from './habits.ts';
import {type Change, type ChangeTimes, nobody, type People} from './people.ts';
import {drawWear} from './wear.ts';

/** Hours since the last change of each kind, at the median. */
const USUAL_AGE_HOURS: Readonly<Record<Change, number>> = {
  kernel: 700,
  firmware: 4000,
  package: 200,
  resize: 1500,
  migration: 60,
};
/** Hosts on which a reboot has been due for long. */
const OVERDUE_SHARE = 0.12;

/** What boards, drivers and permissions leave out, in groups, and how often. */
const SENSOR_GROUPS: readonly (readonly [share: number, prefix: readonly string[]])[] = [
  [0.08, ['disk_failing', 'disk_reallocated', 'disk_pending', 'disk_uncorrectable', 'disk_new']],
  [0.15, ['disk_wear', 'disk_age', 'disk_link', 'disk_temperature']],
  [0.2, ['power_supplies', 'power_draw', 'ipmi']],
  [0.05, ['cpu_machine_checks', 'cpu_throttled_ratio']],
  [0.04, ['network_link_errors', 'network_carrier', 'network_links']],
  [0.25, ['application_']],
  [0.05, ['sessions_', 'commands_', 'package_manager']],
  [0.05, ['log_', 'services_']],
  [0.05, ['boots_', 'boot_last', 'boot_hour', 'boot_weekday', 'boot_spike']],
  [0.3, ['change_firmware', 'change_resize']],
];

export function drawPast(random: Random, habit: Habit, startMs: number) {
  const changes = {} as ChangeTimes;
  for (const [change, hours] of Object.entries(USUAL_AGE_HOURS)) {
    changes[change as Change] = startMs - Math.round(HOUR_MS * lognormal(random, hours, 1));
  }
  const history = drawBootHistory(random, habit, startMs);
  // A kernel begins to run with a boot.
  const bootedMs = history.boots.at(-1)?.atMs ?? changes.kernel;
  changes.kernel = Math.min(changes.kernel, bootedMs);
  return {changes, history, wear: drawWear(random.fork('wear'))};
}

/** Whom a run finds at work: nobody, but a reboot may be due for long. */
export function drawPeople(random: Random): People {
  const isOverdue = random.next() < OVERDUE_SHARE;
  const hasKernel = random.next() < 0.5;
  const people = nobody();
  people.rebootRequired = Number(isOverdue);
  people.kernelNewer = Number(isOverdue && hasKernel);
  return people;
}

/** Marks what this host has no sensors for. */
export function drawMissing(random: Random, columns: readonly string[], missing: Uint8Array): void {
  for (const [share, prefixes] of SENSOR_GROUPS) {
    if (random.next() >= share) continue;
    for (const column of columns) {
      if (prefixes.some(prefix => column.startsWith(prefix))) missing[hostColumn(column)] = 1;
    }
  }
}
