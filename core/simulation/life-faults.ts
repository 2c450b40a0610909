/**
 * Faults of hosts that live for years: wear of hours to weeks before them, or none at all. What
 * happened before matters: a host that failed fails sooner again, because some hosts are worse than
 * others and because a repair does not always hold; what runs on it and when matters, too.
 *
 * Real hosts of large clusters fail 0.5 to 3 times a year (LA-UR-05-7318, systems 3 to 21, unplanned
 * outages a node and year). Here it is {@link FAULTS_PER_HOST_YEAR}: the upper end.
 */
import type {Random} from '../ports.ts';
import {DAY_MS, HOUR_MS, hourOf, weekdayOf} from './calendar.ts';
import {between, lognormal, normal, pick, weibull} from './draws.ts';
import {
  DISTURBANCE_KINDS,
  drawHangMs,
  drawLooks,
  drawRampMs,
  type Episode,
  FAULTS,
  type FaultKind,
  type FaultPlan,
  repairMs,
  WEIBULL_SHAPE,
} from './faults.ts';

const FAULTS_PER_HOST_YEAR = 3;
const DISTURBANCES_PER_HOST_YEAR = 6;
const YEAR_MS = 365.25 * DAY_MS;
const BURN_IN_MS = 1.5 * YEAR_MS;
/** A repair that does not hold: the same part fails again, so soon. */
const RELAPSE_RATIO = 0.4;
const RELAPSE_MS = 1.5 * DAY_MS;
/** How unequal hosts are: deviation of the logarithm of their rates. */
const FRAILTY = 0.7;

type Wearing = {
  /** Days from the first sign to the failure, at the median. */
  days: number;
  /** Failures that give no sign until minutes before. */
  sudden: number;
};

const WEARING: Readonly<Record<FaultKind, Wearing>> = {
  dimm: {days: 4, sudden: 0.3},
  disk: {days: 6, sudden: 0.35},
  psu: {days: 2, sudden: 0.5},
  nic: {days: 1.5, sudden: 0.4},
  overheat: {days: 5, sudden: 0.2},
  leak: {days: 1.5, sudden: 0.1},
  hang: {days: 0, sudden: 1},
};

/** What is known of a host that makes some faults likelier there. */
export type LifeContext = {batchRatio: number; diskAgeHours: number};

/** Episodes of one host, by onset. They reach `labelMs` beyond the run's end. */
export function drawLifeEpisodes(
  random: Random,
  plan: FaultPlan,
  context: LifeContext,
  labelMs: number,
): Episode[] {
  const untilMs = plan.startMs + plan.durationMs + labelMs;
  const episodes = [
    ...(plan.kinds.length === 0 ? [] : drawFaults(random.fork('faults'), plan, context, untilMs)),
    ...(plan.disturbances ? drawDisturbances(random.fork('disturbances'), plan, untilMs) : []),
  ];
  return episodes
    .filter(episode => episode.endMs > plan.startMs && episode.peakMs > plan.startMs + HOUR_MS)
    .sort((a, b) => a.onsetMs - b.onsetMs);
}

function drawFaults(
  random: Random,
  plan: FaultPlan,
  context: LifeContext,
  untilMs: number,
): Episode[] {
  const episodes: Episode[] = [];
  const frailty = Math.exp(FRAILTY * normal(random) - FRAILTY ** 2 / 2);
  const rate = FAULTS_PER_HOST_YEAR * plan.rateFactor * frailty * (1 - RELAPSE_RATIO);
  let atMs = plan.startMs - BURN_IN_MS;
  let relapses: FaultKind | undefined;
  for (let count = 0; ; count++) {
    const stream = random.fork(String(count));
    const gapMs = weibull(stream, YEAR_MS / rate, WEIBULL_SHAPE);
    const relapseMs = weibull(stream, RELAPSE_MS, 1);
    atMs += Math.ceil(relapses === undefined ? gapMs : relapseMs);
    if (atMs > untilMs) return episodes;
    const drawn = pick(
      stream,
      plan.kinds,
      kind => FAULTS[kind].share * factor(kind, atMs, context),
    );
    const kind = relapses ?? drawn;
    const episode = drawFault(stream, kind, atMs, relapses !== undefined, plan);
    episodes.push(episode);
    relapses = stream.next() < RELAPSE_RATIO ? kind : undefined;
    atMs = episode.endMs;
  }
}

function drawFault(
  random: Random,
  kind: FaultKind,
  atMs: number,
  isRelapse: boolean,
  {repairFactor}: FaultPlan,
): Episode {
  const {days, sudden} = WEARING[kind];
  const slowMs = DAY_MS * Math.min(21, lognormal(random, Math.max(days, 0.1), 0.7));
  const suddenMs = kind === 'hang' ? drawHangMs(random) : drawRampMs(random);
  const isSudden = random.next() < sudden;
  // What comes back does so faster.
  const rampMs = isSudden ? suddenMs : slowMs * (isRelapse ? 0.3 : 1);
  const peakMs = atMs + Math.ceil(rampMs);
  const {component, repairMinutes} = FAULTS[kind];
  const endMs = peakMs + repairMs(random, repairMinutes, repairFactor);
  return {kind, component, onsetMs: atMs, rampMs, peakMs, endMs, ...drawLooks(random)};
}

/** How much likelier a kind of fault is for what runs here, how old it is, and when it is. */
function factor(kind: FaultKind, atMs: number, {batchRatio, diskAgeHours}: LifeContext): number {
  const isWorking = weekdayOf(atMs) < 5 && hourOf(atMs) >= 8 && hourOf(atMs) < 18;
  if (kind === 'overheat') return (1 + 3 * batchRatio) * (hourOf(atMs) >= 12 ? 1.3 : 0.7);
  if (kind === 'hang' || kind === 'leak') return isWorking ? 2 : 0.6;
  if (kind === 'disk') return 0.5 + diskAgeHours / 20_000;
  return 1;
}

function drawDisturbances(random: Random, plan: FaultPlan, untilMs: number): Episode[] {
  const episodes: Episode[] = [];
  const meanGapMs = YEAR_MS / (DISTURBANCES_PER_HOST_YEAR * plan.rateFactor);
  let onsetMs = plan.startMs - 30 * DAY_MS;
  for (let count = 0; ; count++) {
    const stream = random.fork(String(count));
    onsetMs += Math.ceil(weibull(stream, meanGapMs, 1));
    if (onsetMs > untilMs) return episodes;
    const kind = pick(stream, DISTURBANCE_KINDS, () => 1);
    const rampMs = DAY_MS * Math.min(14, lognormal(stream, 2, 0.8));
    const peakMs = onsetMs + Math.ceil(rampMs * between(stream, 0.1, 0.8));
    const endMs = peakMs + Math.ceil(between(stream, 0.1, 1.5) * DAY_MS);
    const looks = drawLooks(stream);
    episodes.push({kind, component: undefined, onsetMs, rampMs, peakMs, endMs, ...looks});
    onsetMs = endMs;
  }
}
