/** What disks remember: bad sectors and retried transfers, until they are replaced. */
import type {Random} from '../ports.ts';
import {DAY_MS} from './calendar.ts';
import {between, lognormal} from './draws.ts';
import {poisson} from './noise.ts';
import type {Stress} from './symptoms.ts';

export type Wear = {
  reallocated: number;
  pending: number;
  uncorrectable: number;
  /** Of the last day, faded. */
  newDefects: number;
  linkErrors: number;
  wearRatio: number;
  ageHours: number;
};

/** Share of hosts whose disks have a past, and live with it. */
const SCARRED_SHARE = 0.12;
const RECABLED_SHARE = 0.1;
/** Of bad sectors: those that were found by a read that failed. */
const UNREADABLE_SHARE = 0.25;
const DEFECT_CHANNEL = 30;
const LINK_CHANNEL = 31;
/** Wear of flash in a year of usual writing. */
const WEAR_A_YEAR = 0.08;
const YEAR_HOURS = 8766;

export function drawWear(random: Random): Wear {
  const isScarred = random.next() < SCARRED_SHARE;
  const sectors = Math.round(lognormal(random, 8, 0.9));
  const isRecabled = random.next() < RECABLED_SHARE;
  const linkErrors = Math.round(lognormal(random, 6, 0.9));
  const ageHours = between(random, 500, 45_000);
  return {
    ...newDisk(),
    reallocated: isScarred ? sectors : 0,
    linkErrors: isRecabled ? linkErrors : 0,
    ageHours,
    wearRatio: Math.min(1, (ageHours / YEAR_HOURS) * WEAR_A_YEAR * between(random, 0.3, 1.7)),
  };
}

export function newDisk(): Wear {
  return {
    reallocated: 0,
    pending: 0,
    uncorrectable: 0,
    newDefects: 0,
    linkErrors: 0,
    wearRatio: 0,
    ageHours: 0,
  };
}

/** Lets `seconds` pass at today's stress. Bad sectors are pending first; some cannot be read. */
export function wearOut(
  wear: Wear,
  {diskDefects, diskLinkErrors}: Stress,
  noiseSeed: number,
  second: number,
  seconds: number,
): void {
  const hours = seconds / 3600;
  wear.ageHours += hours;
  wear.wearRatio = Math.min(1, wear.wearRatio + (hours / YEAR_HOURS) * WEAR_A_YEAR);
  if (wear.newDefects > 0) wear.newDefects *= Math.exp((-seconds * 1000) / DAY_MS);
  if (diskDefects > 0) {
    const defects = poisson(diskDefects * seconds, noiseSeed, second, DEFECT_CHANNEL);
    wear.newDefects += defects;
    wear.pending += defects;
    wear.uncorrectable += UNREADABLE_SHARE * defects;
  }
  if (diskLinkErrors > 0) {
    wear.linkErrors += poisson(diskLinkErrors * seconds, noiseSeed, second, LINK_CHANNEL);
  }
  if (wear.pending === 0) return;
  // A sector is remapped when it is written next: after ten minutes on average.
  const remapped = wear.pending * -Math.expm1(-seconds / 600);
  wear.pending -= remapped;
  wear.reallocated += remapped;
  if (wear.pending >= 0.01) return;
  wear.reallocated += wear.pending;
  wear.pending = 0;
}
