import {createRate} from './rate.ts';

const stepMs = 60_000;
const stepsMax = 60;
/** Less is too little to call it anything. */
const stepsMin = 15;
const steadyDeviationMax = 0.3;
const batchHigh = 0.7;
const batchLow = 0.3;
const batchShare = 0.1;

export type WorkloadKind = 'steady' | 'batch' | 'other';

/**
 * What a VM's CPU use looks like, one value a minute as a share of its allotment: steady when its
 * deviation is below 30 % of its mean, batch when it is above 70 % for a tenth of the time and
 * below 30 % for another; undefined with less than 15 minutes.
 */
export function classifyWorkload(usage: readonly number[]): WorkloadKind | undefined {
  if (usage.length < stepsMin) return undefined;
  const mean = usage.reduce((sum, value) => sum + value, 0) / usage.length;
  const variance = usage.reduce((sum, value) => sum + (value - mean) ** 2, 0) / usage.length;
  const shareOf = (test: (value: number) => boolean) => usage.filter(test).length / usage.length;
  const isHigh = shareOf(value => value > batchHigh) >= batchShare;
  if (isHigh && shareOf(value => value < batchLow) >= batchShare) return 'batch';
  return Math.sqrt(variance) <= steadyDeviationMax * mean ? 'steady' : 'other';
}

/** Remembers an hour of one VM. */
export type WorkloadMeter = {
  /** Takes the CPU seconds it has used in all, and how many CPUs it may use. */
  add(cpuSeconds: number, allotment: number, nowMs: number): void;
  kind(): WorkloadKind | undefined;
};

export function createWorkloadMeter(): WorkloadMeter {
  const rate = createRate();
  let usage: number[] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    add(cpuSeconds, allotment, nowMs) {
      if (Math.abs(nowMs - lastMs) < stepMs) return;
      lastMs = nowMs;
      const ratio = rate(cpuSeconds, nowMs) / allotment;
      if (!Number.isNaN(ratio)) usage = [...usage, ratio].slice(-stepsMax);
    },
    kind: () => classifyWorkload(usage),
  };
}
