/** What came of the seeds, for programs and for people. */
import {countOf, formatCount} from '../support/progress.ts';
import {INVARIANTS} from './oracle.ts';
import type {Outcome} from './run.ts';

export type Result = {
  seeds: number;
  failed: number;
  invariantsChecked: number;
  faultsInjected: number;
  checks: number;
  failures: readonly {
    seed: number;
    invariants: readonly string[];
    messages: readonly string[];
    repeat: string;
  }[];
  /** Of one seed: the hash of all that happened. */
  trace?: string;
};

/** What was asked for: not all of it is always done. */
export type Asked = {seeds: number; first: boolean; isStopped: boolean};

export function resultOf(outcomes: readonly Outcome[], plant: string): Result {
  const bad = outcomes.filter(({violations}) => violations.length > 0);
  const failures = bad.map(({seed, violations}) => ({
    seed,
    invariants: [...new Set(violations.map(({invariant}) => invariant))],
    messages: violations.slice(0, 3).map(({invariant, message}) => `${invariant}: ${message}`),
    repeat: repeatOf(seed, plant),
  }));
  const sum = (of: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const [only] = outcomes;
  return {
    seeds: outcomes.length,
    failed: bad.length,
    invariantsChecked: INVARIANTS.length,
    faultsInjected: sum(({faults}) => faults),
    checks: sum(({checks}) => checks),
    failures,
    ...(only !== undefined && outcomes.length === 1 ? {trace: only.trace} : {}),
  };
}

const repeatOf = (seed: number, plant: string): string =>
  `npm run simulate -- --seed ${seed}${plant === '' ? '' : ` --plant ${plant}`} --trace`;

/** The failures, each with the command that repeats it, and a last line of verdict. */
export function formatResult(result: Result, asked: Asked): string {
  const {seeds, failed, invariantsChecked, faultsInjected, checks, failures} = result;
  const lines = failures.flatMap(({seed, messages, repeat}) => [
    `seed ${seed} fails`,
    ...messages.map(message => `  ${message}`),
    `  again: ${repeat}`,
  ]);
  const all = countOf(asked.seeds, 'seed');
  if (asked.isStopped) {
    lines.push(`stopped after ${formatCount(seeds)} of ${all}, ${formatCount(failed)} failed`);
  } else {
    const ended =
      asked.first && failed > 0 ? ' (--first: ended early, with what ran beside it)' : '';
    const of = seeds < asked.seeds ? `${formatCount(seeds)} of ${all}` : all;
    lines.push(
      `${of}${ended}, ${formatCount(failed)} failed; ${invariantsChecked} invariants, ` +
        `${formatCount(checks)} checks, ${countOf(faultsInjected, 'fault')}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
