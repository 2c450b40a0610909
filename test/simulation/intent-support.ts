import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {drawHabit} from '../../core/simulation/habits.ts';
import {drawOccasions, type IntentPlan} from '../../core/simulation/intents.ts';
import type {Occasion} from '../../core/simulation/occasions.ts';
import {LAPSE} from '../../core/simulation/tempo.ts';
import {HOUR_MS, START_MS} from './support.ts';

export const WEEK_HOURS = 7 * 24;

/** Occasions of every host of fleets of racks of four, over a whole week each. */
export function drawFleets(name: string, fleets: number, options: Partial<IntentPlan> = {}) {
  const plan: IntentPlan = {
    startMs: START_MS,
    durationMs: WEEK_HOURS * HOUR_MS,
    repairFactor: 12,
    rateFactor: 1,
    tempo: LAPSE,
    ...options,
  };
  const drawn: {host: string; rack: string; occasions: Occasion[]}[] = [];
  for (let fleet = 0; fleet < fleets; fleet++) {
    const root = seededRandom(`${name}/${fleet}`);
    const fleetHabit = drawHabit(root.fork('habit'));
    for (let index = 0; index < 8; index++) {
      const rack = `${fleet}/${Math.floor(index / 4)}`;
      const random = root.fork(`hosts/${index}`);
      const rackRandom = root.fork(`racks/${rack}`);
      const host = {random, rackRandom, fleetHabit, index, hasWatchdog: true};
      const occasions = drawOccasions(host, plan);
      drawn.push({host: `${fleet}/${index}`, rack, occasions});
    }
  }
  return drawn;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
