/** Fleets to learn from: nobody acts on them, VMs come and go whatever their hosts' health. */
import type {Random} from '../ports.ts';
import {WEEK_MS} from './calendar.ts';
import {createChurn} from './churn.ts';
import {createDatacenter, type Datacenter} from './datacenter.ts';
import type {FaultKind} from './faults.ts';
import {maskSensors, maskSources} from './sensor-masks.ts';

/**
 * What the agents of a fleet conclude by themselves: how likely a host is rebooted, how odd it is.
 * Made once a fleet, called whenever all its hosts were sampled; writes into their samples.
 */
export type Conclude = (fleet: number, datacenter: Datacenter) => () => Promise<void> | undefined;

export type FleetOptions = {
  /** Of a seed as seeds.ts deals them out. */
  random: Random;
  fleets: number;
  /** 24 unless given. */
  hosts?: number;
  /** 7.5 a host unless given. */
  vms?: number;
  faults?: readonly FaultKind[] | 'all' | 'none';
  intents?: 'none' | 'usual';
  /** Multiplies all rates; a calibrated model carries its base rate with it. */
  rateFactor?: number;
  /** Share of hosts that lack whole sensors, as real ones do. 0.15 unless given. */
  maskedShare?: number;
};

export type TrainingFleet = {
  datacenter: Datacenter;
  startMs: number;
  hosts: number;
  /** Moves VMs about; to be called once a virtual second. */
  churn: () => void;
};

/** The first Monday of the year in which all fleets live. */
const FIRST_WEEK_MS = Date.UTC(2026, 0, 5);
const MASKED_SHARE = 0.15;
export const FLEET_HOSTS = 24;

/** Fleet number `fleet`. It begins at a drawn second of the week. */
export function createTrainingFleet(
  options: FleetOptions,
  fleet: number,
  durationMs: number,
  tempo: 'lapse' | 'life',
): TrainingFleet {
  const {hosts = FLEET_HOSTS, vms = Math.round(7.5 * hosts)} = options;
  const {maskedShare = MASKED_SHARE, faults = 'all', intents = 'usual', rateFactor = 1} = options;
  const random = options.random.fork(`fleets/${fleet}`);
  const weekSeconds = WEEK_MS / 1000;
  const startSecond = Math.floor(weekSeconds * random.fork('calendar').next());
  const startMs = FIRST_WEEK_MS + 1000 * startSecond;
  const datacenter = createDatacenter({
    random,
    startMs,
    durationMs,
    hosts,
    vms,
    faults,
    intents,
    rateFactor,
    tempo,
    ...(tempo === 'life' ? {repairFactor: 1} : {}),
  });
  maskSensors(datacenter, random.fork('masks'), maskedShare);
  maskSources(datacenter, random.fork('source-masks'), maskedShare);
  return {datacenter, startMs, hosts, churn: createChurn(datacenter.world, random.fork('churn'))};
}
