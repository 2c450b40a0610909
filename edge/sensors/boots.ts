import type {Random} from '../ports.ts';
import {createProbe} from '../probe.ts';
import {createTool} from '../probe-tool.ts';
import type {Sensor} from '../sensor.ts';
import {hourAffinity, intendedTimes, summariseBoots, weekdayAffinity} from './boot-patterns.ts';
import {type Boots, bootsOfRecords} from './boot-records.ts';
import type {History} from './history.ts';
import {askJournalBoots} from './journal-boots.ts';
import {createLoadSpikes} from './load-spikes.ts';
import {createLocalTime} from './local-time.ts';
import {readLoginRecords} from './login-records.ts';
import {createAttempts, createDiscovery, listNames, readText} from './procfs.ts';
import {slowSensor} from './slow.ts';

export type BootsOptions = {
  root: string;
  history: History;
  random: Random;
  /** Path of journalctl, for hosts without wtmp; undefined: it is not asked. */
  journalctl: string | undefined;
};

const everyMs = 10_000;
/** What was before this boot does not change any more, but logs are rotated. */
const bootsEveryMs = 3_600_000;
const journalEveryMs = 6 * 3_600_000;
/** The clock may be set after the boot was recorded. */
const sameBootMs = 900_000;
const keepEveryMs = 300_000;
/** After a spike, which may come before a boot. */
const keepSoonMs = 60_000;

const columns = [
  'boot_age_seconds',
  'boots_per_day',
  'boots_unclean_per_day',
  'boot_last_unclean_ratio',
  'boot_last_downtime_seconds',
  'boot_hour_affinity_ratio',
  'boot_weekday_affinity_ratio',
  'boot_spike_affinity_ratio',
];

/**
 * When and how this host was started before: from wtmp, or the journal where wtmp does not know of
 * this boot. The end of a crash is the last that wtmp or this sensor (every five minutes) knows.
 */
export function bootsSensor({root, history, random, journalctl}: BootsOptions): Sensor {
  const offsetOf = createLocalTime(root);
  const {seenMs, spikes: keptSpikes} = Object(history.load());
  const spikes = createLoadSpikes(keptSpikes);
  const wtmp = createDiscovery(() => readWtmp(root), bootsEveryMs);
  const tool = journalctl === undefined ? undefined : createTool(journalctl);
  const journal = createProbe(journalEveryMs, random, async run =>
    tool ? await askJournalBoots(tool, run) : undefined,
  );
  let keptMs = Number.NaN;
  let isChanged = true;

  const sensor = slowSensor({name: 'boots', columns}, everyMs, (nowMs, row) => {
    const attempts = createAttempts();
    const uptime = firstNumber(`${root}/proc/uptime`);
    row.set('boot_age_seconds', uptime);
    const load = firstNumber(`${root}/proc/loadavg`);
    const cpus = listNames(`${root}/sys/devices/system/cpu`, /^cpu\d+$/).length || 1;
    if (spikes.add(load / cpus, nowMs)) isChanged = true;
    attempts.attempt(() => {
      const bootMs = nowMs - uptime * 1000;
      const known = wtmp.get(nowMs);
      const boots = isCurrent(known, bootMs) ? known : journal.read(nowMs);
      journal.rethrow();
      if (!isCurrent(boots, bootMs)) return;
      const seen = refine(boots, seenMs);
      const summary = summariseBoots(seen, nowMs);
      row.set('boots_per_day', summary.perDay);
      row.set('boots_unclean_per_day', summary.uncleanPerDay);
      row.set('boot_last_unclean_ratio', summary.lastUnclean);
      row.set('boot_last_downtime_seconds', summary.lastDowntimeSeconds);
      const times = intendedTimes(seen.boots);
      const offsetMs = offsetOf(nowMs);
      row.set('boot_hour_affinity_ratio', hourAffinity(times, nowMs, offsetMs));
      row.set('boot_weekday_affinity_ratio', weekdayAffinity(times, nowMs, offsetMs));
      row.set('boot_spike_affinity_ratio', spikes.bootAffinity(seen.boots, nowMs));
    });
    attempts.attempt(() => {
      // Also when nothing changed: it says that the host was alive.
      if (Number.isNaN(uptime) || Math.abs(nowMs - keptMs) < (isChanged ? keepSoonMs : keepEveryMs))
        return;
      keptMs = nowMs;
      isChanged = false;
      history.keep({seenMs: nowMs, spikes: spikes.toKeep()});
    });
    attempts.rethrow();
  });
  return {...sensor, close: () => journal.close()};
}

/** Of the current file and the one before; undefined if there is no record. */
function readWtmp(root: string): Boots | undefined {
  const records = ['wtmp.1', 'wtmp'].flatMap(
    name => readLoginRecords(`${root}/var/log/${name}`) ?? [],
  );
  return records.length > 0 ? bootsOfRecords(records) : undefined;
}

/** Whether the last boot that is known is this one: else nobody writes there any more. */
function isCurrent(boots: Boots | undefined, bootMs: number): boots is Boots {
  return Math.abs((boots?.boots.at(-1)?.atMs ?? Number.NaN) - bootMs) <= sameBootMs;
}

/** A host that this sensor saw later than anybody else was alive until then. */
function refine({boots, sinceMs}: Boots, seenMs: unknown): Boots {
  const last = boots.at(-1);
  if (last === undefined || last.isClean || typeof seenMs !== 'number' || seenMs > last.atMs)
    return {boots, sinceMs};
  const downMs = last.downMs >= seenMs ? last.downMs : seenMs;
  return {boots: [...boots.slice(0, -1), {...last, downMs}], sinceMs};
}

function firstNumber(path: string): number {
  return Number.parseFloat(readText(path) ?? 'NaN');
}
