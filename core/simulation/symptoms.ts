import type {Episode} from './faults.ts';
import {gaussian, uniform} from './noise.ts';

/** What faults and disturbances do to a host's physics in one second; all zero in good health. */
export type Stress = {
  /** Added share of the CPU in use. */
  cpuRatio: number;
  /** Share of the way from what is used to more memory than there is. */
  memoryShare: number;
  correctedErrors: number;
  uncorrectedErrors: number;
  /** Added multiple of the usual disk latency. */
  diskSlowdown: number;
  diskErrors: number;
  diskReadBytes: number;
  networkErrors: number;
  networkDrops: number;
  networkReceiveBytes: number;
  voltageRatio: number;
  /** Share of the fans' speed that is lost; negative: they spin up. */
  fanLoss: number;
  /** Share of the cooling that is lost. */
  coolingLoss: number;
  inletCelsius: number;
  /** Share of the time in which nothing gets on. */
  stallRatio: number;
};

export function noStress(): Stress {
  return {
    cpuRatio: 0,
    memoryShare: 0,
    correctedErrors: 0,
    uncorrectedErrors: 0,
    diskSlowdown: 0,
    diskErrors: 0,
    diskReadBytes: 0,
    networkErrors: 0,
    networkDrops: 0,
    networkReceiveBytes: 0,
    voltageRatio: 0,
    fanLoss: 0,
    coolingLoss: 0,
    inletCelsius: 0,
    stallRatio: 0,
  };
}

/** How much a usual hot aisle warms the host that it is about; its rack feels half of it. */
const AISLE_CELSIUS = 13;

/** Degrees that a hot aisle adds to the inlets of the whole rack. */
export function rackCelsius(episode: Episode, level: number): number {
  return 0.5 * AISLE_CELSIUS * episode.strength * level;
}

/** Errors come in bursts: loud and quiet spells of fifteen seconds. */
function burst(episode: Episode, second: number): number {
  return uniform(episode.noiseSeed, Math.floor(second / 15), 0) < 0.45 ? 1.9 : 0.25;
}

/** Adds one episode's symptoms at a severity of 0 to 1. */
export function addSymptoms(stress: Stress, episode: Episode, level: number, second: number): void {
  const loud = episode.strength * level;
  switch (episode.kind) {
    case 'dimm':
    case 'scrubbed-page':
      stress.correctedErrors += 14 * loud * level ** 0.3 * burst(episode, second);
      if (level > 0.985) stress.uncorrectedErrors += 0.3;
      break;
    case 'disk':
    case 'remapped-sector':
      stress.diskErrors += 1.6 * loud * level ** 0.3 * burst(episode, second);
      stress.diskSlowdown += 9 * loud * level ** 0.5 * burst(episode, second);
      break;
    case 'media-scan':
      stress.diskSlowdown += 5 * loud;
      stress.diskReadBytes += 4e8 * loud;
      break;
    case 'psu':
      stress.voltageRatio += 0.06 * loud * (1 + 0.25 * gaussian(episode.noiseSeed, second, 1));
      stress.fanLoss += (episode.variant < 0.5 ? 0.2 : -0.2) * level;
      break;
    case 'grid-sag':
      stress.voltageRatio += 0.06 * loud * (1 + 0.25 * gaussian(episode.noiseSeed, second, 1));
      break;
    case 'nic':
    case 'cable-reseated':
      stress.networkErrors += 14 * loud * level ** 0.3 * burst(episode, second);
      stress.networkDrops += 30 * loud * level ** 0.6 * burst(episode, second);
      break;
    case 'network-burst':
      stress.networkReceiveBytes += 5e8 * loud;
      stress.networkDrops += 30 * loud * level ** 0.6 * burst(episode, second);
      break;
    case 'overheat':
      stress.coolingLoss += 0.8 * level;
      // A worn fan slows down; behind a clogged filter it spins up and moves no air.
      stress.fanLoss += (episode.variant < 0.6 ? 0.85 : -0.35) * level;
      break;
    case 'hot-aisle':
      stress.inletCelsius += AISLE_CELSIUS * loud;
      break;
    case 'load-spike':
      stress.cpuRatio += Math.min(0.5, 0.4 * loud);
      break;
    case 'leak':
    case 'cache-growth':
      stress.memoryShare += level;
      break;
    case 'hang':
      stress.stallRatio += 0.6 * level;
      break;
  }
}
