/**
 * When parts fail, and when something only looks like it. Drawn per host before the run from that
 * host's own stream; nothing that anybody does shifts a draw.
 *
 * Statistics follow ten years of node outages at Los Alamos (LA-UR-05-7318; credit to Los Alamos
 * National Laboratory): Weibull gaps of shape 0.75 between outages, so a host that just failed fails
 * sooner again; kinds in proportion to the square root of their recorded counts, flattened so that
 * an hour shows several; the recorded median downtimes, divided by a repair factor. Rates are raised
 * from years to an hour's demonstration: {@link FAULTS_PER_HOST_HOUR}.
 */
import type {Component} from '../domain/components.ts';
import type {Random} from '../ports.ts';
import {between, lognormal, noiseSeed, pick, weibull} from './draws.ts';

export const FAULT_KINDS = ['dimm', 'disk', 'psu', 'nic', 'overheat', 'hang', 'leak'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Look like faults at first, stop by themselves, never fail. */
export const DISTURBANCE_KINDS = [
  'scrubbed-page',
  'remapped-sector',
  'media-scan',
  'grid-sag',
  'cable-reseated',
  'network-burst',
  'hot-aisle',
  'load-spike',
  'cache-growth',
] as const;
export type DisturbanceKind = (typeof DISTURBANCE_KINDS)[number];

/** Over 24 hosts and an hour: about five failures that come with their ramp inside the hour. */
const FAULTS_PER_HOST_HOUR = 0.3;
const DISTURBANCES_PER_HOST_HOUR = 0.17;
/** Failures are known this far beyond a run's end, so that its last rows can be labelled. */
const LABEL_HORIZON_MS = 30 * 60_000;

const HOUR_MS = 3_600_000;
export const WEIBULL_SHAPE = 0.75;
/** Hosts age this long before the run, so that the run starts in the middle of their lives. */
const BURN_IN_MS = 24 * HOUR_MS;
/** Runs start in good health. */
const GRACE_MS = 60_000;
const REPAIR_MS_MIN = 60_000;

type FaultTraits = {component: Component; share: number; repairMinutes: number};

/** LANL counts: memory 1756, cpu and cooling 1775, network 968, power 638, disk 259, software 1875. */
export const FAULTS: Readonly<Record<FaultKind, FaultTraits>> = {
  dimm: {component: 'memory', share: Math.sqrt(1756), repairMinutes: 87},
  disk: {component: 'disk', share: Math.sqrt(259), repairMinutes: 165},
  psu: {component: 'power', share: Math.sqrt(638), repairMinutes: 118},
  nic: {component: 'network', share: Math.sqrt(968), repairMinutes: 47},
  overheat: {component: 'cpu', share: Math.sqrt(1775), repairMinutes: 46},
  hang: {component: 'cpu', share: 0.4 * Math.sqrt(1875), repairMinutes: 33},
  leak: {component: 'memory', share: 0.6 * Math.sqrt(1875), repairMinutes: 33},
};

/** Median of a repair after a cause that is none of the parts, in minutes (LANL, software). */
export const RESTART_MINUTES = 33;

/** One fault or disturbance of one host. */
export type Episode = {
  kind: FaultKind | DisturbanceKind;
  /** The part that fails; undefined for a disturbance. */
  component: Component | undefined;
  onsetMs: number;
  /** When it would reach full severity. */
  rampMs: number;
  /** When it stops growing: the failure, or where a disturbance turns. */
  peakMs: number;
  /** Repaired, or faded away. */
  endMs: number;
  /** Exponent of the ramp: below 1 early and flat, above 1 late and steep. */
  steepness: number;
  /** How loud its symptoms are; 1 is usual. */
  strength: number;
  /** Uniform in [0, 1): which of a kind's variants it is. */
  variant: number;
  noiseSeed: number;
};

export type FaultPlan = {
  startMs: number;
  durationMs: number;
  repairFactor: number;
  kinds: readonly FaultKind[];
  disturbances: boolean;
  /** Multiplies both rates; 1 is what the model is calibrated to. */
  rateFactor: number;
};

/** Episodes of one host, by onset. Reaches {@link LABEL_HORIZON_MS} beyond the run's end. */
export function drawEpisodes(random: Random, plan: FaultPlan): Episode[] {
  const episodes = [
    ...(plan.kinds.length === 0 ? [] : drawFaults(random.fork('faults'), plan)),
    ...(plan.disturbances ? drawDisturbances(random.fork('disturbances'), plan) : []),
  ];
  return episodes.sort((a, b) => a.onsetMs - b.onsetMs);
}

/** 0 before the onset, 1 at failure; a disturbance turns on its way and fades. */
export function severity(episode: Episode, atMs: number): number {
  if (atMs <= episode.onsetMs || atMs >= episode.endMs) return 0;
  const grownMs = Math.min(atMs, episode.peakMs) - episode.onsetMs;
  const grown = (grownMs / episode.rampMs) ** episode.steepness;
  if (atMs <= episode.peakMs || episode.component !== undefined) return grown;
  return grown * ((episode.endMs - atMs) / (episode.endMs - episode.peakMs));
}

/** How long a repair takes: a recorded median, a spread of half a unit of the logarithm. */
export function repairMs(random: Random, medianMinutes: number, repairFactor: number): number {
  const ms = (lognormal(random, medianMinutes, 0.5) * 60_000) / repairFactor;
  return Math.round(Math.max(REPAIR_MS_MIN, ms));
}

/** A fault of software that a change brings: it begins some time after `afterMs`. */
export function drawRegression(
  random: Random,
  afterMs: number,
  {regressionMs, repairFactor}: {regressionMs: number; repairFactor: number},
): Episode {
  const kind = random.next() < 0.5 ? 'hang' : 'leak';
  const onsetMs = afterMs + Math.ceil(weibull(random, regressionMs, 1));
  const rampMs = kind === 'hang' ? drawHangMs(random) : regressionMs * between(random, 0.25, 1.25);
  const peakMs = onsetMs + Math.ceil(rampMs);
  const {component, repairMinutes} = FAULTS[kind];
  const endMs = peakMs + repairMs(random, repairMinutes, repairFactor);
  return {kind, component, onsetMs, rampMs, peakMs, endMs, ...drawLooks(random)};
}

/** A hang announces itself by seconds of stalling. */
export function drawHangMs(random: Random): number {
  return between(random, 1000, 6000);
}

function drawFaults(random: Random, plan: FaultPlan): Episode[] {
  const episodes: Episode[] = [];
  const horizonMs = plan.startMs + plan.durationMs + LABEL_HORIZON_MS;
  const meanGapMs = HOUR_MS / (FAULTS_PER_HOST_HOUR * plan.rateFactor);
  let onsetMs = plan.startMs - BURN_IN_MS;
  for (let count = 0; ; count++) {
    const stream = random.fork(String(count));
    onsetMs += Math.ceil(weibull(stream, meanGapMs, WEIBULL_SHAPE));
    if (onsetMs > horizonMs) return episodes;
    const kind = pick(stream, plan.kinds, one => FAULTS[one].share);
    const rampMs = kind === 'hang' ? drawHangMs(stream) : drawRampMs(stream);
    const peakMs = onsetMs + Math.ceil(rampMs);
    const endMs = peakMs + repairMs(stream, FAULTS[kind].repairMinutes, plan.repairFactor);
    const {component} = FAULTS[kind];
    if (onsetMs >= plan.startMs + GRACE_MS) {
      episodes.push({kind, component, onsetMs, rampMs, peakMs, endMs, ...drawLooks(stream)});
    }
    onsetMs = endMs;
  }
}

function drawDisturbances(random: Random, plan: FaultPlan): Episode[] {
  const episodes: Episode[] = [];
  const horizonMs = plan.startMs + plan.durationMs + LABEL_HORIZON_MS;
  const meanGapMs = HOUR_MS / (DISTURBANCES_PER_HOST_HOUR * plan.rateFactor);
  let onsetMs = plan.startMs + GRACE_MS;
  for (let count = 0; ; count++) {
    const stream = random.fork(String(count));
    onsetMs += Math.ceil(weibull(stream, meanGapMs, 1));
    if (onsetMs > horizonMs) return episodes;
    const kind = pick(stream, DISTURBANCE_KINDS, () => 1);
    const rampMs = drawRampMs(stream);
    const peakMs = onsetMs + Math.ceil(rampMs * between(stream, 0.2, 0.8));
    const endMs = peakMs + Math.ceil(between(stream, 20_000, 120_000));
    episodes.push({
      kind,
      component: undefined,
      onsetMs,
      rampMs,
      peakMs,
      endMs,
      ...drawLooks(stream),
    });
    onsetMs = endMs;
  }
}

/** In time lapse. */
export function drawRampMs(random: Random): number {
  return between(random, 5, 25) * 60_000;
}

/** How one episode differs from the next of its kind; five draws. */
export function drawLooks(random: Random) {
  return {
    steepness: between(random, 0.6, 1.8),
    strength: lognormal(random, 1, 0.4),
    variant: random.next(),
    noiseSeed: noiseSeed(random),
  };
}
