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
  /** Sectors that go bad in a second. */
  diskDefects: number;
  /** Retried transfers between disk and controller, a second. */
  diskLinkErrors: number;
  /** The disk says of itself that it fails. */
  diskFailing: number;
  machineChecks: number;
  networkLinkErrors: number;
  carrierChanges: number;
  /** Share of the host's links, and of its power supplies, that are gone. */
  linksDown: number;
  suppliesFailed: number;
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
    diskDefects: 0,
    diskLinkErrors: 0,
    diskFailing: 0,
    machineChecks: 0,
    networkLinkErrors: 0,
    carrierChanges: 0,
    linksDown: 0,
    suppliesFailed: 0,
  };
}

/** How much a usual hot aisle warms the host that it is about; its rack feels half of it. */
const AISLE_CELSIUS = 13;

/** Degrees that a hot aisle adds to the inlets of the whole rack. */
export function rackCelsius(episode: Episode, level: number): number {
  return 0.5 * AISLE_CELSIUS * episode.strength * level;
}

/** Errors come in bursts: loud and quiet spells of fifteen seconds, longer when wear takes days. */
function burst(episode: Episode, second: number): number {
  const spellSeconds = Math.max(15, Math.floor(episode.rampMs / 100_000));
  return uniform(episode.noiseSeed, Math.floor(second / spellSeconds), 0) < 0.45 ? 1.9 : 0.25;
}

/** Bad sectors over the whole ramp of a usual failing disk, however long it takes. */
const DEFECTS_A_RAMP = 80;
const DISK_LINK_ERRORS_A_RAMP = 30;
/** A disk that only remaps a few sectors loses fewer. */
const FALSE_ALARM_SHARE = 0.3;
/** Two failing disks of three say anything by SMART; every third says that it fails. */
const SMART_SILENT_VARIANT = 0.67;
const SMART_FAILING_VARIANT = 0.33;

/** What the disk itself, rather than the system above it, notices. */
function addDefects(stress: Stress, episode: Episode, level: number): void {
  const {variant, strength, rampMs, kind} = episode;
  const loud = kind === 'disk' ? 1 : FALSE_ALARM_SHARE;
  const share = (loud * strength * level ** 0.7) / (rampMs / 1000);
  if (variant < SMART_SILENT_VARIANT) stress.diskDefects += 2 * DEFECTS_A_RAMP * share;
  else if (variant > 0.85) stress.diskLinkErrors += 2 * DISK_LINK_ERRORS_A_RAMP * share;
  if (kind === 'disk' && variant < SMART_FAILING_VARIANT && level > 0.7) stress.diskFailing = 1;
}

/** A bad cable or port: errors of the link, and a carrier that comes and goes. */
function addLinkErrors(stress: Stress, episode: Episode, level: number, second: number): void {
  stress.networkLinkErrors += 6 * episode.strength * level * burst(episode, second);
  if (level > 0.5 && episode.variant < 0.6) stress.carrierChanges += 0.02 * level;
  if (level > 0.8 && episode.variant < 0.3) stress.linksDown = 0.5;
}

/** Adds one episode's symptoms at a severity of 0 to 1. */
export function addSymptoms(stress: Stress, episode: Episode, level: number, second: number): void {
  const loud = episode.strength * level;
  switch (episode.kind) {
    case 'dimm':
    case 'scrubbed-page':
      stress.correctedErrors += 14 * loud * level ** 0.3 * burst(episode, second);
      if (level > 0.985) stress.uncorrectedErrors += 0.3;
      stress.machineChecks += 0.02 * loud;
      break;
    case 'disk':
    case 'remapped-sector':
      stress.diskErrors += 1.6 * loud * level ** 0.3 * burst(episode, second);
      stress.diskSlowdown += 9 * loud * level ** 0.5 * burst(episode, second);
      addDefects(stress, episode, level);
      break;
    case 'media-scan':
      stress.diskSlowdown += 5 * loud;
      stress.diskReadBytes += 4e8 * loud;
      break;
    case 'psu':
      stress.voltageRatio += 0.06 * loud * (1 + 0.25 * gaussian(episode.noiseSeed, second, 1));
      stress.fanLoss += (episode.variant < 0.5 ? 0.2 : -0.2) * level;
      if (level > 0.6 && episode.variant < 0.4) stress.suppliesFailed = 0.5;
      break;
    case 'grid-sag':
      stress.voltageRatio += 0.06 * loud * (1 + 0.25 * gaussian(episode.noiseSeed, second, 1));
      if (level > 0.3 && episode.variant < 0.2) stress.suppliesFailed = 0.5;
      break;
    case 'nic':
    case 'cable-reseated':
      stress.networkErrors += 14 * loud * level ** 0.3 * burst(episode, second);
      stress.networkDrops += 30 * loud * level ** 0.6 * burst(episode, second);
      addLinkErrors(stress, episode, level, second);
      break;
    case 'network-burst':
      stress.networkReceiveBytes += 5e8 * loud;
      stress.networkDrops += 30 * loud * level ** 0.6 * burst(episode, second);
      break;
    case 'overheat':
      stress.coolingLoss += 0.8 * level;
      // A worn fan slows down; behind a clogged filter it spins up and moves no air.
      stress.fanLoss += (episode.variant < 0.6 ? 0.85 : -0.35) * level;
      if (level > 0.7) stress.machineChecks += 0.05 * level;
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
