import {affinity} from '../../core/domain/affinity.ts';
import type {Boot, Boots} from './boot-records.ts';

const dayMs = 86_400_000;
const daysCounted = 30;
const hoursAround = 1;

export type BootSummary = {
  perDay: number;
  uncleanPerDay: number;
  /** NaN when it is not known. */
  lastUnclean: number;
  lastDowntimeSeconds: number;
};

/** Of the last 30 days, or as many as are recorded, but at least one. */
export function summariseBoots({boots, sinceMs}: Boots, nowMs: number): BootSummary {
  const fromMs = nowMs - daysCounted * dayMs;
  const days = Math.max(1, Math.min(daysCounted, (nowMs - sinceMs) / dayMs || 1));
  const counted = boots.filter(({atMs}) => atMs >= fromMs && atMs <= nowMs);
  const last = boots.at(-1);
  return {
    perDay: counted.length / days,
    uncleanPerDay: counted.filter(({isClean}) => isClean === false).length / days,
    lastUnclean: last?.isClean === undefined ? Number.NaN : Number(!last.isClean),
    lastDowntimeSeconds:
      last === undefined ? Number.NaN : Math.max(0, last.atMs - last.downMs) / 1000,
  };
}

/** Times of boots that somebody wanted: when the host went down. */
export function intendedTimes(boots: readonly Boot[]): number[] {
  return boots.filter(({isClean}) => isClean).map(({downMs}) => downMs);
}

/**
 * How much more often than evenly reboots came within an hour of this time of day: 1 is evenly, and
 * near 1 while there are few; at most 12. Times are of the host's zone, `offsetMs` from UTC.
 */
export function hourAffinity(times: readonly number[], nowMs: number, offsetMs: number): number {
  const now = hourOf(nowMs + offsetMs);
  const near = times.filter(atMs => {
    const apart = Math.abs(hourOf(atMs + offsetMs) - now);
    return Math.min(apart, 24 - apart) <= hoursAround;
  });
  return affinity(near.length, times.length, (2 * hoursAround) / 24);
}

/** The same for the day of the week; at most 7. */
export function weekdayAffinity(times: readonly number[], nowMs: number, offsetMs: number): number {
  const today = weekdayOf(nowMs + offsetMs);
  const same = times.filter(atMs => weekdayOf(atMs + offsetMs) === today);
  return affinity(same.length, times.length, 1 / 7);
}

const hourOf = (localMs: number): number => (localMs % dayMs) / 3_600_000;
/** 0 is Thursday, the first day of the epoch. */
const weekdayOf = (localMs: number): number => Math.floor(localMs / dayMs) % 7;
