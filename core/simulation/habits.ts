/**
 * When people reboot hosts: each fleet has its hour and its weekday, each host mostly its fleet's.
 * So the hours of earlier boots tell of later ones.
 */
import type {Random} from '../ports.ts';
import {DAY_MS, HOUR_MS, hourOf, weekdayOf} from './calendar.ts';
import {pick} from './draws.ts';

/**
 * Share of planned outages that began in each hour: 1,543 at Los Alamos (LA-UR-05-7318); two thirds
 * between 6 and 9 or at 18 h.
 */
const PLANNED_BY_HOUR = [
  0.001, 0.001, 0.001, 0.001, 0.11, 0.031, 0.259, 0.228, 0.066, 0.01, 0.008, 0.01, 0.023, 0.005,
  0.016, 0.019, 0.03, 0.022, 0.123, 0.003, 0.001, 0.001, 0.03, 0.001,
];
/** … and on each weekday, from Monday. */
const PLANNED_BY_WEEKDAY = [0.148, 0.235, 0.272, 0.095, 0.229, 0.005, 0.016];

/** How much of a fleet's plans falls into its own hour and onto its own weekday. */
const OWN_HOUR_SHARE = 0.5;
const OWN_WEEKDAY_SHARE = 0.3;
/** Hosts that go their own way. */
const ODD_HOST_SHARE = 0.2;
/** Where people work, 50 of 168 hours hold four fifths of what they begin. */
const OFFICE_FACTOR = (0.8 * 168) / 50;
const OUT_OF_OFFICE_FACTOR = (0.2 * 168) / 118;

export type Habit = {readonly hour: number; readonly weekday: number};

const HOURS = PLANNED_BY_HOUR.map((share, hour) => ({share, hour}));
const WEEKDAYS = PLANNED_BY_WEEKDAY.map((share, weekday) => ({share, weekday}));

export function drawHabit(random: Random): Habit {
  return {
    hour: pick(random, HOURS, ({share}) => share).hour,
    weekday: pick(random, WEEKDAYS, ({share}) => share).weekday,
  };
}

/** A host's: its fleet's, or one of its own. */
export function drawHostHabit(random: Random, fleet: Habit): Habit {
  const own = drawHabit(random);
  return random.next() < ODD_HOST_SHARE ? own : fleet;
}

/** The largest value of {@link plannedFactor}, of any habit and hour. */
export const PLANNED_FACTOR_MAX =
  (24 * OWN_HOUR_SHARE + 24 * (1 - OWN_HOUR_SHARE) * Math.max(...PLANNED_BY_HOUR)) *
  (7 * OWN_WEEKDAY_SHARE + 7 * (1 - OWN_WEEKDAY_SHARE) * Math.max(...PLANNED_BY_WEEKDAY));

/** How much likelier than on average people with this habit plan a reboot for now; mean 1. */
export function plannedFactor(habit: Habit, atMs: number): number {
  const hour = hourOf(atMs);
  const weekday = weekdayOf(atMs);
  const ownHour = OWN_HOUR_SHARE * Number(hour === habit.hour);
  const ownWeekday = OWN_WEEKDAY_SHARE * Number(weekday === habit.weekday);
  const anyHour = (1 - OWN_HOUR_SHARE) * (PLANNED_BY_HOUR[hour] as number);
  const anyWeekday = (1 - OWN_WEEKDAY_SHARE) * (PLANNED_BY_WEEKDAY[weekday] as number);
  return 24 * (ownHour + anyHour) * 7 * (ownWeekday + anyWeekday);
}

/** How much likelier than on average somebody is at work now; mean 1. */
export function officeFactor(atMs: number): number {
  const hour = hourOf(atMs);
  const isOpen = weekdayOf(atMs) < 5 && hour >= 8 && hour < 18;
  return isOpen ? OFFICE_FACTOR : OUT_OF_OFFICE_FACTOR;
}

/** A time of an earlier plan of people with this habit, within `days` before `untilMs`. */
export function drawPlannedBefore(
  random: Random,
  habit: Habit,
  untilMs: number,
  days: number,
): number {
  const any = drawHabit(random);
  const hour = random.next() < OWN_HOUR_SHARE ? habit.hour : any.hour;
  const weekday = random.next() < OWN_WEEKDAY_SHARE ? habit.weekday : any.weekday;
  const day = Math.floor(untilMs / DAY_MS) - 1 - Math.floor(days * random.next());
  const back = (weekdayOf(day * DAY_MS) - weekday + 7) % 7;
  return (day - back) * DAY_MS + Math.floor((hour + random.next()) * HOUR_MS);
}
