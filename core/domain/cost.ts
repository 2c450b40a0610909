import {type RiskCurve, riskBy} from './lead-time.ts';
import type {CostPolicy} from './policy.ts';

const GIB = 2 ** 30;

/** How much an interruption of this VM counts: 1 is an ordinary VM. */
export function vmWeight(criticality: number, costs: CostPolicy): number {
  return costs.weightBase + costs.weightCritical * criticality;
}

/** VM-minutes that an unplanned loss of its host costs this VM. */
export function interruptionCost(
  vm: {criticality: number; ghostArmed: boolean},
  costs: CostPolicy,
): number {
  const weight = vmWeight(vm.criticality, costs);
  // A ghost keeps the memory: what remains is the takeover, and a fraction of the disturbance.
  return vm.ghostArmed
    ? weight * (costs.ghostTakeoverMinutes + 0.2 * costs.interruptionMinutes)
    : weight * (costs.restartMinutes + costs.interruptionMinutes);
}

/**
 * Probability that an action which takes `finishesInMs` is done before the host goes down, if that
 * happens within the horizon.
 *
 * @param curve When it happens; absent: at a time about which nothing more is known.
 */
export function effectiveness(finishesInMs: number, horizonMs: number, curve?: RiskCurve): number {
  const whole = curve?.at(-1)?.risk ?? 0;
  const missed =
    curve === undefined || whole === 0
      ? finishesInMs / horizonMs
      : riskBy(curve, finishesInMs) / whole;
  return Math.min(1, Math.max(0, 1 - missed));
}

export type MigrationEstimate = {converges: boolean; finishesInMs: number; downtimeMs: number};

/** Setting up, checking and switching over, besides the transfer. */
const MIGRATION_OVERHEAD_MS = 3000;
/** Pre-copy is not tried when the memory is dirtied at more than this share of the bandwidth. */
const DIRTY_RATIO_MAX = 0.8;

/**
 * Pre-copy live migration: memory ÷ (bandwidth − dirty rate), if that converges.
 *
 * @see C. Clark et al., "Live Migration of Virtual Machines", NSDI 2005.
 */
export function estimateMigration(
  vm: {memoryBytes: number; dirtyBytesPerSecond: number},
  bytesPerSecond: number,
): MigrationEstimate {
  if (bytesPerSecond <= 0 || vm.dirtyBytesPerSecond > DIRTY_RATIO_MAX * bytesPerSecond) {
    return {converges: false, finishesInMs: Number.POSITIVE_INFINITY, downtimeMs: 0};
  }
  const transferMs = (vm.memoryBytes / (bytesPerSecond - vm.dirtyBytesPerSecond)) * 1000;
  return {converges: true, finishesInMs: transferMs + MIGRATION_OVERHEAD_MS, downtimeMs: 300};
}

/** What a VM loses of each second in which its memory is copied, in seconds of interruption. */
const COPY_SLOWDOWN_RATIO = 0.1;

/**
 * VM-minutes that moving a VM costs. Copying its memory once is part of any move; while what it
 * changes meanwhile is copied again, it is slowed down on top of that.
 *
 * @see W. Voorsluys et al., "Cost of Virtual Machine Live Migration in Clouds", CloudCom 2009: about
 * a tenth.
 */
export function moveCost(
  vm: {criticality: number; memoryBytes: number; dirtyBytesPerSecond: number},
  bytesPerSecond: number,
  costs: CostPolicy,
): number {
  const {finishesInMs, downtimeMs} = estimateMigration(vm, bytesPerSecond);
  const calmMs = estimateMigration({...vm, dirtyBytesPerSecond: 0}, bytesPerSecond).finishesInMs;
  const slowedMs = COPY_SLOWDOWN_RATIO * (finishesInMs - calmMs);
  return costs.moveMinutes + (downtimeMs + vmWeight(vm.criticality, costs) * slowedMs) / 60_000;
}

/** Loading a twin: one copy of the memory, then the first synchronisation. */
export function estimateGhost(vm: {memoryBytes: number}, bytesPerSecond: number): number {
  if (bytesPerSecond <= 0) return Number.POSITIVE_INFINITY;
  return (vm.memoryBytes / bytesPerSecond) * 1000 + 2000;
}

/** VM-minutes that holding a ghost costs over the horizon. */
export function ghostCost(vm: {memoryBytes: number}, horizonMs: number, costs: CostPolicy): number {
  return (vm.memoryBytes / GIB) * (horizonMs / 3_600_000) * costs.ghostMinutesPerGibHour;
}
