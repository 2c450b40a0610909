import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {checkpointTarget} from './checkpoint-target.ts';
import {codecTargets} from './codec-targets.ts';
import {diskTargets} from './disk-targets.ts';
import {mutate} from './mutate.ts';
import type {Target} from './target.ts';
import {textTargets} from './text-targets.ts';
import {wireTargets} from './wire-targets.ts';

export type Failure = {case: number; error: string};

export type TargetReport = {
  cases: number;
  /** Cases whose bytes were taken for valid. */
  taken: number;
  failed: number;
  /** The first few. */
  failures: Failure[];
  slowestMs: number;
};

/** Told of each case as it begins, and of each that fails. */
export type Watcher = {begins(number: number): void; failed(failure: Failure): void};

const failuresMax = 5;

export async function allTargets(): Promise<readonly Target[]> {
  return [
    ...codecTargets,
    ...textTargets,
    ...wireTargets,
    ...diskTargets,
    await checkpointTarget(),
  ];
}

/** How many of the cases a target gets, at least one. */
export function shareOf(target: Target, targets: readonly Target[], cases: number): number {
  const weights = targets.reduce((sum, {weight}) => sum + weight, 0);
  return Math.max(1, Math.ceil((cases * target.weight) / weights));
}

/** A case depends on seed, target and number alone: each can be run again by itself. */
export async function runCases(
  target: Target,
  {seed, from, to}: {seed: string; from: number; to: number},
  watcher: Watcher = {begins() {}, failed() {}},
): Promise<TargetReport> {
  const report: TargetReport = {cases: 0, taken: 0, failed: 0, failures: [], slowestMs: 0};
  for (let number = from; number < to; number++) {
    watcher.begins(number);
    const random = seededRandom(`${seed}/${target.name}/${number}`);
    const bytes = mutate(random, target.samples);
    const startedMs = performance.now();
    try {
      if (await target.feed(bytes, random)) report.taken++;
    } catch (error) {
      const failure = {case: number, error: describe(error)};
      watcher.failed(failure);
      if (report.failed++ < failuresMax) report.failures.push(failure);
    }
    report.cases++;
    report.slowestMs = Math.max(report.slowestMs, performance.now() - startedMs);
  }
  return report;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
