/**
 * Rows of hosts with which part fails within a day or a week: fleets over weeks as hosts live, with
 * wear of hours to weeks, relapses after repairs, changes, batch loads and the time of the week.
 *
 * The physics, the windows and the features are those of the fast data: nobody looks for hours, and
 * then for half an hour, in whose last five minutes every second is sampled. So a row has the
 * averages that a live host has. Agents conclude from those samples only: the intent model begins
 * anew with each row and has 30 steps, after which it says what it says of a host that was watched
 * for two hours (correlation of the log-odds 0.96 for intended reboots within 30 minutes, 0.99 for
 * crashes; with samples every 10 s it would be 0.86 and 0.92).
 *
 * Base rates (life-faults.ts, `RATES`): three failures a host and year, which is the upper end of
 * what large clusters had at Los Alamos and one to six times what most had, relapses included; half
 * a one more that changes bring; 14 intended reboots a year.
 */

import type {FeatureContract} from '../domain/features.ts';
import {HOUR_MS} from './calendar.ts';
import {type ComponentRows, createRowTaking, type RowTaking} from './component-dataset.ts';
import {LIFE} from './tempo.ts';
import {
  type Conclude,
  createTrainingFleet,
  type FleetOptions,
  type TrainingFleet,
} from './training-fleet.ts';

export type SlowDatasetOptions = FleetOptions & {
  daysEach: number;
  /** Hours between two rows of a host; 7 unless given, so that every hour of the day comes up. */
  rowEveryHours?: number;
  /** What is read of a host; COMPONENT_CONTRACT unless given. */
  contract?: FeatureContract & {family: 'averages'};
  /** Columns that agents conclude are missing unless given. */
  conclude?: Conclude;
};

const DAY_SECONDS = 24 * 3600;
const HORIZONS_SECONDS = [DAY_SECONDS, 7 * DAY_SECONDS];
const ROW_EVERY_HOURS = 7;
/** Nobody looks for so long at most: wear grows in straight lines meanwhile. */
const LEAP_MS = HOUR_MS / 2;
/** Half an hour of samples for the long averages, then seconds for the short ones. */
const COARSE_SAMPLES = 25;
const COARSE_MS = 60_000;
const FINE_SAMPLES = 300;
const WATCHED_MS = COARSE_SAMPLES * COARSE_MS + FINE_SAMPLES * 1000;
/** VMs come and go as often as in so many busy seconds, between two rows. */
const CHURN_SECONDS = 60;

/**
 * Runs fleets one after the other and gives each one's rows. A week more is simulated without rows,
 * so that every label is known. About 0.8 ms a row, or 20 ms a host and week.
 */
export async function* simulateSlowDataset(
  options: SlowDatasetOptions,
): AsyncGenerator<ComponentRows> {
  for (let fleet = 0; fleet < options.fleets; fleet++) yield await simulateFleet(options, fleet);
}

async function simulateFleet(options: SlowDatasetOptions, fleet: number): Promise<ComponentRows> {
  const {daysEach, rowEveryHours = ROW_EVERY_HOURS} = options;
  const durationMs = daysEach * DAY_SECONDS * 1000;
  const everyMs = rowEveryHours * HOUR_MS;
  const training = createTrainingFleet(options, fleet, durationMs, 'life');
  const {datacenter, startMs, hosts} = training;
  const conclude = options.conclude?.(fleet, datacenter);
  const times = Math.floor(durationMs / everyMs);
  const taking = createRowTaking(options.contract, hosts * times, hosts, startMs, fleet * hosts);
  for (let time = 1; time <= times; time++) {
    const atMs = startMs + time * everyMs;
    for (let second = 0; second < CHURN_SECONDS; second++) training.churn();
    leapUntil(training, atMs - WATCHED_MS);
    await watchUntil(training, atMs, taking, conclude);
    for (const host of datacenter.hosts) taking.take(host, atMs);
  }
  const endMs = datacenter.nowMs;
  leapUntil(training, endMs + LIFE.labelMs);
  return taking.finish(datacenter.hosts, endMs, HORIZONS_SECONDS);
}

function leapUntil({datacenter}: TrainingFleet, untilMs: number): void {
  while (datacenter.nowMs < untilMs) {
    datacenter.leap(Math.min(datacenter.nowMs + LEAP_MS, untilMs));
  }
}

async function watchUntil(
  {datacenter}: TrainingFleet,
  atMs: number,
  taking: RowTaking,
  conclude: ReturnType<Conclude> | undefined,
): Promise<void> {
  for (const host of datacenter.hosts) taking.forget(host);
  while (datacenter.nowMs < atMs) {
    const isFine = atMs - datacenter.nowMs <= FINE_SAMPLES * 1000;
    datacenter.leap(datacenter.nowMs + (isFine ? 1000 : COARSE_MS));
    await conclude?.();
    for (const host of datacenter.hosts) taking.watch(host, datacenter.nowMs);
  }
}
