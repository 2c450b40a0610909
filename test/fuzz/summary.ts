/** What came of the cases, for programs and for people. */
import {countOf, formatCount} from '../support/progress.ts';
import type {Failure, TargetReport} from './run.ts';
import type {Watched} from './watch.ts';

export type Summary = {
  seed: string;
  cases: number;
  taken: number;
  seconds: number;
  slowestCaseMs: number;
  residentMebibytes: number;
  /** Cases that failed, and one if the thread died. */
  failed: number;
  died?: string;
  /** The first few of each target, with the command that repeats it. */
  failures: readonly {target: string; case: number; error: string; command: string}[];
  targets: Readonly<Record<string, Pick<TargetReport, 'cases' | 'taken' | 'failed' | 'slowestMs'>>>;
};

export function summaryOf(watched: Watched, seed: string, elapsedMs: number): Summary {
  const {reports, cases, failed, residentBytes, died} = watched;
  const all = [...reports];
  const failures = all.flatMap(([target, {failures: found}]) =>
    found.map(failure => ({
      target,
      ...failure,
      command: commandOf(target, seed, failure),
    })),
  );
  return {
    seed,
    cases,
    taken: all.reduce((sum, [, {taken}]) => sum + taken, 0),
    seconds: Math.round(elapsedMs / 100) / 10,
    slowestCaseMs: Math.round(Math.max(0, ...all.map(([, {slowestMs}]) => slowestMs))),
    residentMebibytes: Math.round(residentBytes / 2 ** 20),
    failed: failed + (died === undefined ? 0 : 1),
    ...(died === undefined ? {} : {died}),
    failures,
    targets: Object.fromEntries(
      all.map(([name, {failures: _, slowestMs, ...report}]) => [
        name,
        {...report, slowestMs: Math.round(slowestMs)},
      ]),
    ),
  };
}

/** What repeats a case. */
export const commandOf = (target: string, seed: string, {case: number}: Failure): string =>
  `npm run fuzz -- --target ${target} --seed ${seed} --case ${number}`;

/** A table of the targets that are through, the failures, and a last line of verdict. */
export function formatSummary(
  summary: Summary,
  asked: {cases: number; isStopped: boolean},
): string {
  const {seed, cases, failed, died, failures, targets} = summary;
  const lines = tableOf(targets);
  for (const {target, case: number, error, command} of failures) {
    lines.push(`${target}, case ${number}: ${error}`, `  again: ${command}`);
  }
  if (died !== undefined) lines.push(`ended early: ${died}`);
  lines.push(
    asked.isStopped
      ? `stopped after ${formatCount(cases)} of ${countOf(asked.cases, 'case')}, ` +
          `${formatCount(failed)} failed; seed ${seed}`
      : `${countOf(cases, 'case')}, ${formatCount(failed)} failed; seed ${seed}, ` +
          `${summary.seconds} s, at most ${summary.residentMebibytes} MiB`,
  );
  return `${lines.join('\n')}\n`;
}

const HEAD = ['target', 'cases', 'taken', 'refused', 'failed', 'slowest ms'] as const;

function tableOf(targets: Summary['targets']): string[] {
  const rows = Object.entries(targets).map(([name, {cases, taken, failed, slowestMs}]) => [
    name,
    ...[cases, taken, cases - taken - failed, failed, slowestMs].map(formatCount),
  ]);
  if (rows.length === 0) return [];
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0)));
  return all.map(row =>
    row
      .map((text, column) => {
        const width = widths[column] as number;
        return column === 0 ? text.padEnd(width) : text.padStart(width);
      })
      .join('  '),
  );
}
