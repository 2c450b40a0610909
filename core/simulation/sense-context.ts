/** Applications on the host, the time of people around it, and what was changed lately. */
import {HOUR_MS, type Moment} from './calendar.ts';
import {hostColumn} from './columns.ts';
import {gaussian, uniform} from './noise.ts';
import {CHANGES} from './people.ts';
import type {SimulatedHost} from './world.ts';

const LATENCY = hostColumn('application_latency_seconds');
const ERRORS = hostColumn('application_errors_ratio');
const CONNECTIONS = hostColumn('application_connections');
const SINE = hostColumn('time_of_day_sine');
const COSINE = hostColumn('time_of_day_cosine');
const WEEKEND = hostColumn('time_weekend_ratio');
const BATCH = hostColumn('workload_batch_ratio');
const STEADY = hostColumn('workload_steady_ratio');
const CHANGED = CHANGES.map(change => hostColumn(`change_${change}_age_hours`));
const CPU = hostColumn('cpu_utilisation_ratio');
const FREQUENCY = hostColumn('cpu_frequency_ratio');
const SWAP = hostColumn('swap_used_ratio');

/** A connection lasts this long: connections are requests a second times seconds. */
const CONNECTION_SECONDS = 2;
const RESTART_ERRORS_RATIO = 0.02;
const RESTARTED = hostColumn('services_restarted_per_minute');

/** Reads what is read after load, heat and people: `host.values` holds those already. */
export function senseContext(host: SimulatedHost, moment: Moment, second: number): void {
  const {values, traits, changes} = host;
  values[SINE] = moment.sine;
  values[COSINE] = moment.cosine;
  values[WEEKEND] = moment.weekend;
  const cores = host.guestCores;
  values[BATCH] = cores === 0 ? 0 : host.batchCores / cores;
  values[STEADY] = cores === 0 ? 0 : host.steadyCores / cores;
  CHANGES.forEach((change, at) => {
    values[CHANGED[at] as number] = (moment.nowMs - changes[change]) / HOUR_MS;
  });
  senseApplications(host, moment.nowMs, second, traits.noiseSeed);
}

function senseApplications(host: SimulatedHost, nowMs: number, second: number, seed: number): void {
  const {values, stress, traits} = host;
  const swap = values[SWAP] as number;
  const crowd = Math.max(0, (values[CPU] as number) - 0.6);
  const slowness = (1 + 3 * crowd) * (1 + 0.2 * stress.diskSlowdown) * (1 + 8 * swap);
  const jitter = Math.exp(0.1 * gaussian(seed, second, 50));
  const stall = 2 * stress.stallRatio + 0.01 * Math.min(1, stress.networkDrops / 60);
  const frequency = values[FREQUENCY] as number;
  values[LATENCY] = (traits.latencySeconds * slowness * jitter) / frequency + stall;
  const restarts = Math.min(5, values[RESTARTED] as number);
  values[ERRORS] = Math.min(
    1,
    0.002 * uniform(seed, second, 51) ** 4 +
      0.04 * Math.min(1, stress.networkDrops / 60) +
      0.3 * stress.stallRatio +
      0.05 * swap +
      RESTART_ERRORS_RATIO * restarts,
  );
  const open =
    CONNECTION_SECONDS * host.requestsPerSecond * (1 + 0.03 * gaussian(seed, second, 52));
  values[CONNECTIONS] = Math.round(Math.max(0, open) * drained(host, nowMs));
}

/** Share of the connections that the balancer has left here. */
function drained({people}: SimulatedHost, nowMs: number): number {
  const {drainFromMs, drainUntilMs} = people;
  if (Number.isNaN(drainUntilMs) || nowMs <= drainFromMs) return 1;
  return Math.max(0.02, 1 - (1.5 * (nowMs - drainFromMs)) / (drainUntilMs - drainFromMs));
}
