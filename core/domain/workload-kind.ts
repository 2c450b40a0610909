/**
 * What kind a VM is of, by thresholds from 4,082 VM-days of PlanetLab and 797 of Google's cluster
 * (means of 5 minutes), and for the time of day from the six servers of ASD.
 */
import type {WorkloadKind} from './workload-profile.ts';

/** Mean and two deviations of CPU stay below: hardly ever so much. */
const IDLE_RATIO = 0.08;
/** CPU says little of a VM that moves data: idle ones move less than this. */
const IDLE_BYTES_PER_SECOND = 100_000;
/**
 * Deviation ÷ mean: nine in ten of PlanetLab's VMs are above, nine in ten of Google's jobs below; the
 * halves of a day agree for 98 % and 92 % of them.
 */
const BURSTY_VARIATION = 0.3;
/**
 * At the limit of its CPU for such a share of the time, and so long at a stretch: nine in ten of those
 * that were so in one half of the day were so in the other.
 */
const FULL_RATIO = 0.7;
const FULL_SHARE = 0.2;
const FULL_STRETCH_SLOTS = 6;
/** A kind is left only by this margin of its threshold. */
const MARGIN = 1.5;
/**
 * Share of the variance that a wave of 24 hours explains. ASD's metrics, watched for a month, are at
 * 0.38 and more or at 0.26 and less; without a rhythm 99 in 100 are below 0.07.
 */
const DAILY_SHARE = 0.3;
const DAILY_SHARE_LEFT = 0.2;

/** Of the last hours, CPU as a ratio of the VM's own; stretches in slots of five minutes. */
export type Behaviour = {
  mean: number;
  deviation: number;
  /** Read, written, received and sent. */
  bytesPerSecond: number;
  /** Share of the slots that were full, and how many came one after another on average. */
  fullShare: number;
  stretchSlots: number;
  isDaily: boolean;
};

export function isFull(cpuRatio: number): boolean {
  return cpuRatio >= FULL_RATIO;
}

/** @param share NaN: not known. `before`: whether it followed the time of day so far. */
export function isDailyAt(share: number, before: boolean): boolean {
  return share >= (before ? DAILY_SHARE_LEFT : DAILY_SHARE);
}

/** What it looks like; what it was `before` is left only by a margin. */
export function kindOf(behaviour: Behaviour, before: WorkloadKind): WorkloadKind {
  const {mean, deviation, bytesPerSecond, fullShare, stretchSlots, isDaily} = behaviour;
  /** Whether a value reaches the threshold of a kind. */
  const reaches = (value: number, threshold: number, kind: WorkloadKind) => {
    if (before === 'unknown') return value >= threshold;
    return value >= (before === kind ? threshold / MARGIN : threshold * MARGIN);
  };
  const isQuiet = reaches(IDLE_RATIO / (mean + 2 * deviation), 1, 'idle');
  if (isQuiet && bytesPerSecond < IDLE_BYTES_PER_SECOND) return 'idle';
  const isStretched = stretchSlots >= FULL_STRETCH_SLOTS;
  if (isStretched && !isDaily && reaches(fullShare, FULL_SHARE, 'batch')) return 'batch';
  return reaches(deviation / mean, BURSTY_VARIATION, 'bursty') ? 'bursty' : 'steady';
}
