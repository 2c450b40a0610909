import type {BandPolicy} from './risk.ts';

/** The modes of trust, from the least; the default is observe. */
export const MODES = ['observe', 'advise', 'approve', 'auto'] as const;
export type Mode = (typeof MODES)[number];

/**
 * What an operator decides. All costs are in VM-minutes of interruption, the one currency in which
 * acting and not acting are compared.
 */
export type Policy = {
  version: number;
  mode: Mode;
  band: BandPolicy;
  /**
   * A reboot on purpose counts as a risk of its host once it is as likely as this; what is then done
   * about it is decided by cost. Many are announced; before that every host of a fleet that reboots
   * at eight in the morning is a little at risk at a quarter to eight, and nothing can be done
   * about all of them. On simulated fleets (docs/how-to/operate.md) 0.5 has a tenth less
   * downtime for a quarter more moves: in VM-minutes neither is better.
   */
  reboot: {threshold: number};
  /** Whether what a cell has learned of its own hosts moves the risks that it is served. */
  learning: {enabled: boolean};
  holdBack: HoldBackPolicy;
  /** How far ahead the risk looks. */
  horizonMs: number;
  costs: CostPolicy;
  budgets: BudgetPolicy;
  target: TargetPolicy;
  silence: SilencePolicy;
  breaker: BreakerPolicy;
  /** A VM that was moved stays this long. */
  dwellMs: number;
  /** After an effect failed, its entity is left alone this long. */
  cooldownMs: number;
  /** A cleared host stays cordoned this long before VMs may return. */
  probationMs: number;
};

export type CostPolicy = {
  /** What an unplanned interruption costs besides its downtime: lost memory, reconnects, people. */
  interruptionMinutes: number;
  /** Downtime of ordinary HA: detection, fencing, boot. */
  restartMinutes: number;
  /** Downtime when a ghost takes over. */
  ghostTakeoverMinutes: number;
  /** What moving a VM costs although nothing goes wrong. */
  moveMinutes: number;
  /** What arming a ghost costs, taken over or not. */
  ghostMinutes: number;
  /** Per GiB and hour that a ghost holds. */
  ghostMinutesPerGibHour: number;
  /** Per hour that a host takes no new VMs. */
  cordonMinutesPerHour: number;
  /** Weight of a VM of criticality 0 and what criticality 1 adds to it. */
  weightBase: number;
  weightCritical: number;
};

export type BudgetPolicy = {
  /** Migrations and ghosts under way from or to one host. */
  concurrentPerHost: number;
  concurrentPerCell: number;
  movesPerHourPerCell: number;
  /** Share of a host's memory that ghosts may hold. */
  ghostMemoryRatio: number;
  /** VMs less critical than this get no ghost. */
  ghostCriticalityMin: number;
};

export type TargetPolicy = {
  /** Forecast use (95th percentile) of a target's CPU and memory stays below these. */
  cpuLimitRatio: number;
  memoryLimitRatio: number;
  /** A target's own risk stays below this. */
  riskLimit: number;
};

export type SilencePolicy = {
  /** Without telemetry this long, what is known of a host is stale: nothing is done to it … */
  staleAfterMs: number;
  /** … this long, and it is fenced, if it was not thought at risk; … */
  fenceAfterMs: number;
  /** … or this long, if it was: the silence was announced. */
  fenceAtRiskAfterMs: number;
};

/** A randomised trial of what acting ahead of failures does (skill/hold-back.ts). */
export type HoldBackPolicy = {
  /** Of the VMs that may be held back, this share is not acted upon; 0: there is no trial. */
  share: number;
  /** VMs that were declared more critical than this are never held back. */
  criticalityMax: number;
};

/** More is not held back, whatever a trial would gain by it. */
export const HOLD_BACK_SHARE_MAX = 0.2;

export type BreakerPolicy = {
  /** Larger share of a cell's hosts at risk at once: suspect the model, do no harm. */
  hostsAtRiskRatio: number;
  /** In cells of fewer hosts than this at risk the breaker never trips. */
  hostsAtRiskMin: number;
};

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const DEFAULT_POLICY: Policy = {
  version: 1,
  mode: 'observe',
  band: {enter: 0.2, enterHoldMs: 10 * SECOND, leave: 0.12, leaveHoldMs: 2 * MINUTE},
  reboot: {threshold: 0.75},
  learning: {enabled: true},
  holdBack: {share: 0, criticalityMax: 0.3},
  horizonMs: 30 * MINUTE,
  costs: {
    interruptionMinutes: 5,
    restartMinutes: 1.5,
    ghostTakeoverMinutes: 0.3,
    moveMinutes: 1.2,
    ghostMinutes: 1.5,
    ghostMinutesPerGibHour: 0.02,
    cordonMinutesPerHour: 3,
    weightBase: 0.25,
    weightCritical: 1.25,
  },
  budgets: {
    concurrentPerHost: 2,
    concurrentPerCell: 6,
    movesPerHourPerCell: 120,
    ghostMemoryRatio: 0.25,
    ghostCriticalityMin: 0.7,
  },
  target: {cpuLimitRatio: 0.85, memoryLimitRatio: 0.95, riskLimit: 0.2},
  silence: {staleAfterMs: 10 * SECOND, fenceAfterMs: 30 * SECOND, fenceAtRiskAfterMs: 12 * SECOND},
  breaker: {hostsAtRiskRatio: 0.4, hostsAtRiskMin: 3},
  dwellMs: 10 * MINUTE,
  cooldownMs: 2 * MINUTE,
  probationMs: 2 * MINUTE,
};
