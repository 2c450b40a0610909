import {readFileSync} from 'node:fs';
import {availableParallelism, cpus, totalmem} from 'node:os';
import {buildInfo} from '../core/build-info.ts';

/** Where figures come from: those of two machines are not compared. */
export type Machine = {
  cpu: string;
  cores: number;
  memoryBytes: number;
  node: string;
  version: string;
  commit: string;
};

export function describeMachine(): Machine {
  const {version, commit} = buildInfo();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.versions.node,
    version,
    commit,
  };
}

/**
 * Jiffies that other guests took from this machine, and all jiffies, so far; undefined where the
 * system does not tell (it is not Linux).
 */
function stealJiffies(): {steal: number; all: number} | undefined {
  try {
    const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
    const jiffies = line.trim().split(/\s+/).slice(1, 9).map(Number);
    return {steal: jiffies[7] ?? 0, all: jiffies.reduce((sum, one) => sum + one, 0)};
  } catch {
    return undefined;
  }
}

/** Starts watching; the function gives the share of CPU time stolen since, 0 if it is not known. */
export function watchSteal(): () => number {
  const before = stealJiffies();
  return () => {
    const after = stealJiffies();
    if (before === undefined || after === undefined) return 0;
    return (after.steal - before.steal) / Math.max(1, after.all - before.all);
  };
}
