/**
 * When people reboot hosts, and when it only looks like it. Drawn per host before the run from that
 * host's own stream, and for what a rack goes through together from the rack's; nothing that anybody
 * does shifts a draw.
 *
 * Planned outages follow those of ten years at Los Alamos (LA-UR-05-7318): their hours and weekdays,
 * a median of 123 minutes divided by the repair factor, 55 % together with a neighbour. How often
 * each kind happens is assumed: {@link RATES}. In time lapse planned outages are so dense that chance
 * adds neighbours: 73 % have one there.
 */
import type {Random} from '../ports.ts';
import {HOUR_MS} from './calendar.ts';
import {
  drawHostHabit,
  type Habit,
  officeFactor,
  PLANNED_FACTOR_MAX,
  plannedFactor,
} from './habits.ts';
import {drawOccasion, type Occasion, type OccasionPlan} from './occasions.ts';
import type {Tempo} from './tempo.ts';

export type IntentPlan = {
  startMs: number;
  durationMs: number;
  repairFactor: number;
  rateFactor: number;
  tempo: Tempo;
};

type Rate = {
  readonly kind: Occasion['kind'];
  /** Per host and hour of time lapse, and per host and year of life. */
  readonly lapse: number;
  readonly life: number;
  /** Share that falls into the planned hours; the rest into those in which people work. */
  readonly planned: number;
};

/**
 * Rates. In time lapse intended reboots come to 0.21 a host and hour, in life to 14 a year: about
 * once a month for patches, plus what breaks. So time lapse raises them 130-fold; it raises failures
 * 900-fold (0.3 an hour against three a year).
 */
export const RATES: readonly Rate[] = [
  {kind: 'maintenance', lapse: 0.05, life: 2, planned: 1},
  {kind: 'upgrade', lapse: 0.05, life: 4, planned: 0.4},
  {kind: 'kernel-update', lapse: 0.03, life: 3, planned: 0.8},
  {kind: 'scheduled', lapse: 0.03, life: 1.5, planned: 0.6},
  {kind: 'kexec', lapse: 0.01, life: 0.5, planned: 0.3},
  {kind: 'ad-hoc', lapse: 0.04, life: 3, planned: 0.1},
  {kind: 'watchdog', lapse: 0.02, life: 0.3, planned: 0},
  {kind: 'look-around', lapse: 0.25, life: 150, planned: 0.1},
  {kind: 'plain-upgrade', lapse: 0.08, life: 24, planned: 0.5},
  {kind: 'lingering', lapse: 0.04, life: 5, planned: 0.5},
  {kind: 'cancelled', lapse: 0.03, life: 1.5, planned: 0.5},
  {kind: 'deployment', lapse: 0.15, life: 60, planned: 0.1},
  {kind: 'kexec-prepared', lapse: 0.01, life: 0.5, planned: 0.2},
];

const YEAR_HOURS = 8766;
/** Nobody maintains a host twice in a day. */
const MAINTENANCE_GAP_MS = 20 * HOUR_MS;
/** Of maintenance: what one host goes through alone; of the rest most come as a rack. */
const ALONE_SHARE = 0.44;
/** How many hosts of a rack take part when it is its turn. */
const RACK_MEMBER_SHARE = 0.75;
/** A rack is taken down at once, or one host after the other. */
const AT_ONCE_SHARE = 0.6;

/** Who is asked: the host's own stream and habit, its rack's, and where in the rack it is. */
export type IntentHost = {
  random: Random;
  rackRandom: Random;
  fleetHabit: Habit;
  index: number;
  hasWatchdog: boolean;
};

/** A host's habit; also where its earlier boots are drawn from. */
export function habitOf({random, fleetHabit}: IntentHost): Habit {
  return drawHostHabit(random.fork('habit'), fleetHabit);
}

/** Occasions of one host, by their beginning: all that show in the run, or in its last labels. */
export function drawOccasions(host: IntentHost, plan: IntentPlan): Occasion[] {
  const habit = habitOf(host);
  const random = host.random.fork('intents');
  const occasions = RATES.flatMap(rate => {
    if (rate.kind === 'watchdog' && !host.hasWatchdog) return [];
    const own = random.fork(rate.kind);
    if (rate.kind === 'maintenance') return drawMaintenance(own, host, habit, rate, plan);
    return drawTimes(own, habit, rate, 1, plan).map(({atMs, stream}) =>
      drawOccasion(stream, rate.kind, atMs, occasionPlan(plan)),
    );
  });
  return occasions.sort((a, b) => a.beginsMs - b.beginsMs);
}

function drawMaintenance(
  random: Random,
  host: IntentHost,
  habit: Habit,
  rate: Rate,
  plan: IntentPlan,
): Occasion[] {
  const alone = drawTimes(random, habit, rate, ALONE_SHARE, plan);
  const rackShare = (1 - ALONE_SHARE) / RACK_MEMBER_SHARE;
  const rack = host.rackRandom.fork('maintenance');
  const together = drawTimes(rack, host.fleetHabit, rate, rackShare, plan).flatMap(
    ({atMs, stream}) => {
      const isAtOnce = stream.next() < AT_ONCE_SHARE;
      const gapMs = 60_000 * (4 + 6 * stream.next());
      const own = stream.fork(`hosts/${host.index}`);
      if (own.next() >= RACK_MEMBER_SHARE) return [];
      const delayMs = isAtOnce ? 60_000 * own.next() : (host.index % 4) * gapMs;
      return [{atMs: atMs + Math.round(delayMs), stream: own}];
    },
  );
  let lastMs = Number.NEGATIVE_INFINITY;
  return [...alone, ...together]
    .sort((a, b) => a.atMs - b.atMs)
    .filter(({atMs}) => {
      if (atMs - lastMs < MAINTENANCE_GAP_MS) return false;
      lastMs = atMs;
      return true;
    })
    .map(({atMs, stream}) => drawOccasion(stream, 'maintenance', atMs, occasionPlan(plan)));
}

/**
 * Times of a Poisson process whose rate follows the hours and weekdays.
 *
 * @see P. A. W. Lewis, G. S. Shedler, "Simulation of nonhomogeneous Poisson processes by thinning",
 *   Naval Research Logistics 26(3), 1979.
 */
function drawTimes(
  random: Random,
  habit: Habit,
  {lapse, life, planned, kind}: Rate,
  share: number,
  {startMs, durationMs, rateFactor, tempo}: IntentPlan,
): {atMs: number; stream: Random}[] {
  const perHour = share * rateFactor * (tempo.isLapse ? lapse : life / YEAR_HOURS);
  const factorAt = (atMs: number) =>
    kind === 'watchdog'
      ? 1
      : planned * plannedFactor(habit, atMs) + (1 - planned) * officeFactor(atMs);
  const factorMax = kind === 'watchdog' ? 1 : planned * PLANNED_FACTOR_MAX + (1 - planned) * 3;
  const times: {atMs: number; stream: Random}[] = [];
  let atMs = startMs + tempo.graceMs;
  for (let count = 0; ; count++) {
    const stream = random.fork(String(count));
    atMs += (-Math.log(1 - stream.next()) * HOUR_MS) / (perHour * factorMax);
    if (atMs > startMs + durationMs + tempo.labelMs + tempo.leadMs) return times;
    if (stream.next() * factorMax < factorAt(atMs)) times.push({atMs: Math.round(atMs), stream});
  }
}

function occasionPlan({repairFactor, tempo}: IntentPlan): OccasionPlan {
  return {repairFactor, ...tempo};
}
