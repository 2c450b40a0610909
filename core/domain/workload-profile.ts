/** What is known of how a VM works, what follows from it for its criticality, and for copying it. */

export const WORKLOAD_KINDS = ['unknown', 'idle', 'steady', 'bursty', 'batch'] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

/** How fast memory changes, against the link over which it would be copied. */
export const DIRTY_CLASSES = ['unknown', 'low', 'medium', 'high'] as const;
export type DirtyClass = (typeof DIRTY_CLASSES)[number];

/** Where a dirty rate is from; `writes`: it is at least what the VM writes to its disks. */
export const DIRTY_SOURCES = ['unknown', 'inventory', 'migration', 'writes'] as const;
export type DirtySource = (typeof DIRTY_SOURCES)[number];

/** Means are of about the last day; NaN: never measured. */
export type WorkloadProfile = {
  kind: WorkloadKind;
  /** How long it was watched. */
  observedMs: number;
  /** Ratios are of the VM's own allotment. */
  cpuRatio: number;
  memoryRatio: number;
  readBytesPerSecond: number;
  writeBytesPerSecond: number;
  receiveBytesPerSecond: number;
  transmitBytesPerSecond: number;
  /** Deviation ÷ mean of its CPU over the last hours. */
  variation: number;
  /** Share of the time at the limit of its CPU. */
  fullShare: number;
  /** Whether its CPU follows the time of day … */
  isDaily: boolean;
  /** … and the share of the variance that a wave of 24 hours explains; NaN: not known yet. */
  dailyShare: number;
  dirtyClass: DirtyClass;
  /** NaN: not known. */
  dirtyBytesPerSecond: number;
  dirtySource: DirtySource;
};

export const UNKNOWN_WORKLOAD: WorkloadProfile = {
  kind: 'unknown',
  observedMs: 0,
  cpuRatio: Number.NaN,
  memoryRatio: Number.NaN,
  readBytesPerSecond: Number.NaN,
  writeBytesPerSecond: Number.NaN,
  receiveBytesPerSecond: Number.NaN,
  transmitBytesPerSecond: Number.NaN,
  variation: Number.NaN,
  fullShare: Number.NaN,
  isDaily: false,
  dailyShare: Number.NaN,
  dirtyClass: 'unknown',
  dirtyBytesPerSecond: Number.NaN,
  dirtySource: 'unknown',
};

/** What was learned moves a declared criticality by this factor at most, either way. */
const LEARNED_FACTOR_MAX = 1.25;

/** What a VM's behaviour says about its criticality; 1 where it says nothing. */
export function learnedCriticality({kind, isDaily}: WorkloadProfile): {
  factor: number;
  because: string;
} {
  if (kind === 'idle') {
    return {factor: 1 / LEARNED_FACTOR_MAX, because: 'idle: hardly anybody would notice'};
  }
  if (isDaily)
    return {factor: LEARNED_FACTOR_MAX, because: 'follows the time of day: people use it'};
  if (kind === 'batch') {
    return {factor: 1 / LEARNED_FACTOR_MAX, because: 'batch: nobody waits for an answer'};
  }
  return {factor: 1, because: ''};
}

/** Declared × learned; at most 1, or what was declared if that is more. */
export function weighedCriticality(declared: number, workload: WorkloadProfile): number {
  const {factor} = learnedCriticality(workload);
  return Math.min(Math.max(1, declared), declared * factor);
}

/**
 * The best known dirty rate: what the hypervisor measured, or else what the last migration had to
 * send again, or else what the VM writes, which passes through its memory: at least that much.
 *
 * @param known 0 or NaN: not known.
 */
export function dirtyRate(known: {
  inventory: number;
  migration: number;
  writes: number;
}): Pick<WorkloadProfile, 'dirtyBytesPerSecond' | 'dirtySource'> {
  for (const dirtySource of ['inventory', 'migration', 'writes'] as const) {
    const dirtyBytesPerSecond = known[dirtySource];
    if (dirtyBytesPerSecond > 0) return {dirtyBytesPerSecond, dirtySource};
  }
  return {dirtyBytesPerSecond: Number.NaN, dirtySource: 'unknown'};
}

/**
 * Bytes a second that a copy has to reckon with: of a bursty VM those of a burst, a deviation above
 * its mean and twice that mean at most. 0: the rate is not known.
 */
export function plannedDirtyRate({dirtyBytesPerSecond, kind, variation}: WorkloadProfile): number {
  if (Number.isNaN(dirtyBytesPerSecond)) return 0;
  return dirtyBytesPerSecond * (kind === 'bursty' ? 1 + Math.min(1, variation) : 1);
}

/**
 * Shares of a link. Pre-copy of memory M at bandwidth B and dirty rate D takes M ÷ (B − D): from the
 * first it takes a quarter longer than copying alone, from the second twice as long.
 */
const MEDIUM_SHARE = 0.2;
const HIGH_SHARE = 0.5;
/** A class is left only below this part of where it began. */
const LEAVE_RATIO = 0.8;

/** @param before The class so far. `share` NaN: the rate is not known. */
export function dirtyClassOf(share: number, before: DirtyClass): DirtyClass {
  if (Number.isNaN(share)) return 'unknown';
  const high = HIGH_SHARE * (before === 'high' ? LEAVE_RATIO : 1);
  if (share >= high) return 'high';
  const isAbove = before === 'medium' || before === 'high';
  return share >= MEDIUM_SHARE * (isAbove ? LEAVE_RATIO : 1) ? 'medium' : 'low';
}
