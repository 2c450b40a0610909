/** What a host remembers of its boots, and what that says of the next one. */
import {affinity} from '../domain/affinity.ts';
import type {Random} from '../ports.ts';
import {DAY_MS, hourOf, type Moment, weekdayOf} from './calendar.ts';
import {hostColumn} from './columns.ts';
import {between, lognormal} from './draws.ts';
import {drawPlannedBefore, type Habit} from './habits.ts';

type Boot = {atMs: number; unclean: boolean; downSeconds: number};

export type BootHistory = {
  readonly boots: Boot[];
  /** Boots that somebody wanted, by hour of the day and by weekday. */
  readonly byHour: Float64Array;
  readonly byWeekday: Float64Array;
  /** Share of earlier boots that came out of a spike of load like one that is there now. */
  readonly spikeShare: number;
  /** How often a boot followed what people did, by class of command (`COMMANDS`). */
  readonly commandShare: Float64Array;
};

const AGE = hostColumn('boot_age_seconds');
const PER_DAY = hostColumn('boots_per_day');
const UNCLEAN_PER_DAY = hostColumn('boots_unclean_per_day');
const LAST_UNCLEAN = hostColumn('boot_last_unclean_ratio');
const LAST_DOWNTIME = hostColumn('boot_last_downtime_seconds');
const HOUR_AFFINITY = hostColumn('boot_hour_affinity_ratio');
const WEEKDAY_AFFINITY = hostColumn('boot_weekday_affinity_ratio');
const SPIKE_AFFINITY = hostColumn('boot_spike_affinity_ratio');

/** Boots are counted over this long. */
const RECENT_DAYS = 30;
const REMEMBERED_DAYS = 365;
/** Of LANL's recorded downtimes, in seconds. */
const DOWN_SECONDS = 1800;

/** Shares of {@link BootHistory.commandShare}: power, package, service, kernel, storage, vm, other. */
const USUAL_COMMAND_SHARE = [0.8, 0.25, 0.06, 0.45, 0.12, 0.1, 0.05];

export function drawBootHistory(random: Random, habit: Habit, startMs: number): BootHistory {
  const count = 5 + Math.floor(20 * random.next());
  const boots: Boot[] = Array.from({length: count}, (_, index) => {
    const stream = random.fork(`boots/${index}`);
    const unclean = stream.next() < 0.25;
    const anyMs = startMs - Math.floor(between(stream, 0.1, REMEMBERED_DAYS) * DAY_MS);
    const plannedMs = drawPlannedBefore(stream, habit, startMs, REMEMBERED_DAYS);
    const downSeconds = lognormal(stream, unclean ? DOWN_SECONDS : 240, 0.8);
    return {atMs: unclean ? anyMs : plannedMs, unclean, downSeconds};
  });
  const history: BootHistory = {
    boots: [],
    byHour: new Float64Array(24),
    byWeekday: new Float64Array(7),
    spikeShare: 0.6 * random.next() ** 2,
    commandShare: Float64Array.from(USUAL_COMMAND_SHARE, share =>
      Math.min(0.95, lognormal(random, share, 0.3)),
    ),
  };
  boots.sort((a, b) => a.atMs - b.atMs);
  for (const boot of boots) noteBoot(history, boot);
  return history;
}

export function noteBoot({boots, byHour, byWeekday}: BootHistory, boot: Boot): void {
  boots.push(boot);
  if (boot.unclean) return;
  const hour = hourOf(boot.atMs);
  const weekday = weekdayOf(boot.atMs);
  byHour[hour] = (byHour[hour] as number) + 1;
  byWeekday[weekday] = (byWeekday[weekday] as number) + 1;
}

/** Affinities are those of hours about now, as agents have them. */
export function senseBoots(
  history: BootHistory,
  {nowMs, hour, weekday}: Moment,
  hasSpike: boolean,
  values: Float32Array,
): void {
  const {boots, byHour, byWeekday} = history;
  const last = boots.at(-1);
  if (last === undefined) return;
  let recent = 0;
  let unclean = 0;
  for (let at = boots.length - 1; at >= 0; at--) {
    const boot = boots[at] as Boot;
    if (nowMs - boot.atMs > RECENT_DAYS * DAY_MS) break;
    recent++;
    if (boot.unclean) unclean++;
  }
  const around = (offset: number) => byHour[(hour + 24 + offset) % 24] as number;
  values[AGE] = (nowMs - last.atMs) / 1000;
  values[PER_DAY] = recent / RECENT_DAYS;
  values[UNCLEAN_PER_DAY] = unclean / RECENT_DAYS;
  values[LAST_UNCLEAN] = Number(last.unclean);
  values[LAST_DOWNTIME] = last.downSeconds;
  const wanted = byWeekday.reduce((sum, count) => sum + count, 0);
  values[HOUR_AFFINITY] = affinity(around(-1) + around(0) + around(1), wanted, 3 / 24);
  values[WEEKDAY_AFFINITY] = affinity(byWeekday[weekday] as number, wanted, 1 / 7);
  values[SPIKE_AFFINITY] = hasSpike ? history.spikeShare : 0;
}
