/** Which faults a seed has, and how hard. Half of them are off: those left meet undiluted. */
import {DEFAULT_POLICY, type Policy} from '../../core/domain/policy.ts';
import type {Random} from '../../core/ports.ts';
import {CALM_LINKS, type LinkFaults} from './link.ts';
import {CALM_NETWORK, type NetworkFaults} from './network.ts';
import {type ScorerFaults, SOUND_SCORER} from './scorer.ts';
import {SOUND_STORE, type StoreFaults} from './store.ts';

/** Things that happen now and then, each at random intervals. */
export const INCIDENTS = [
  'crash-core',
  'restart-core',
  'pause-core',
  'cut-core',
  'crash-broker',
  'crash-edge',
  'lose-power',
  'cut-edge',
  'crash-services',
  'fill-broker-disk',
  'fill-edge-disk',
  'break-edge-disk',
  'slow-broker-disk',
  'flip-spool-bit',
  'jump-clock',
  'fail-host',
  'fail-rack',
  'alarm',
  'command',
] as const;
export type Incident = (typeof INCIDENTS)[number];

export type Swarm = {
  cores: number;
  faultMs: number;
  network: NetworkFaults;
  links: LinkFaults;
  scorer: ScorerFaults;
  store: StoreFaults;
  driver: {fail: number; hang: number; slow: number; slowMsMax: number};
  /** Crash at a file call, on hosts and on the broker. */
  diskCrash: number;
  torn: boolean;
  checkpointMs: number;
  incidents: readonly Incident[];
  policy: Policy;
};

/** Minutes where the defaults take longer: a run is short. */
const POLICY: Policy = {
  ...DEFAULT_POLICY,
  mode: 'auto',
  band: {enter: 0.3, enterHoldMs: 1_000, leave: 0.2, leaveHoldMs: 4_000},
  costs: {...DEFAULT_POLICY.costs, cordonMinutesPerHour: 0.5, moveMinutes: 0.3, ghostMinutes: 0.3},
  target: {...DEFAULT_POLICY.target, riskLimit: 0.25, memoryLimitRatio: 1},
  dwellMs: 30_000,
  cooldownMs: 10_000,
  probationMs: 10_000,
};

export type Wanted = {incidents?: readonly Incident[]; swarm?: Partial<Swarm>};

/** @param wanted What a planted bug needs to show. */
export function drawSwarm(random: Random, {incidents: wanted = [], swarm = {}}: Wanted): Swarm {
  const chance = (share: number): boolean => random.next() < share;
  const upTo = (max: number): number => random.next() * max;
  /** Off in half of the seeds. */
  const maybe = (max: number): number => (chance(0.5) ? upTo(max) : 0);
  const incidents = INCIDENTS.filter(
    incident =>
      chance(incident === 'fail-host' || incident === 'alarm' ? 0.9 : 0.45) ||
      wanted.includes(incident),
  );
  return {
    cores: chance(0.3) ? 3 : 2,
    faultMs: 100_000 + upTo(60_000),
    network: chance(0.75)
      ? {
          lose: maybe(0.04),
          late: maybe(0.02),
          duplicate: maybe(0.04),
          delay: maybe(0.2),
          delayMsMax: upTo(1_500),
          crash: maybe(0.002),
        }
      : CALM_NETWORK,
    links: chance(0.6)
      ? {
          break: maybe(0.02),
          halfOpen: maybe(0.01),
          delay: maybe(0.3),
          delayMsMax: upTo(2_000),
          duplicate: maybe(0.05),
        }
      : CALM_LINKS,
    scorer: chance(0.5)
      ? {fail: maybe(0.2), slow: maybe(0.2), slowMsMax: upTo(6_000)}
      : SOUND_SCORER,
    store: chance(0.5)
      ? {fail: maybe(0.4), slow: maybe(0.4), slowMsMax: upTo(30_000)}
      : SOUND_STORE,
    driver: {
      fail: maybe(0.3),
      hang: maybe(0.2),
      slow: maybe(0.3),
      slowMsMax: 5_000 + upTo(20_000),
    },
    diskCrash: chance(0.3) ? upTo(0.002) : 0,
    torn: chance(0.5),
    checkpointMs: 10_000 + upTo(60_000),
    incidents,
    policy: {
      ...POLICY,
      // Where moves are dear, ghosts are armed.
      costs: {...POLICY.costs, moveMinutes: chance(0.5) ? 30 : POLICY.costs.moveMinutes},
      budgets: {
        ...POLICY.budgets,
        concurrentPerHost: chance(0.5) ? 1 : 2,
        concurrentPerCell: chance(0.5) ? 2 : 6,
        movesPerHourPerCell: chance(0.4) ? 2 + Math.floor(upTo(4)) : 120,
        ghostMemoryRatio: 0.8,
        ghostCriticalityMin: 0.05,
      },
    },
    ...swarm,
  };
}
