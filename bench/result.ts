import {ForestayError} from '../core/domain/errors.ts';
import {describeMachine} from './machine.ts';
import type {BenchResult} from './verb.ts';

/** Above this share of stolen CPU time, figures are those of the neighbours. */
const STEAL_MAX = 0.05;

/** The middle one of an odd number, the mean of the middle two of an even one; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Four significant digits: what noise leaves of any figure here. */
export function significant(value: number): number {
  return Number(value.toPrecision(4));
}

export type Findings = {
  runs?: Readonly<Record<string, readonly number[]>>;
  metrics?: Readonly<Record<string, number>>;
  reasons?: readonly string[];
  failures?: readonly string[];
  notes?: readonly string[];
  /** Share of CPU time that other guests took meanwhile. */
  steal?: number;
};

/** A result of these findings: of several runs the median. */
export function resultOf(findings: Findings): BenchResult {
  const {runs = {}, metrics = {}, failures = [], notes = [], steal} = findings;
  const reasons = [...(findings.reasons ?? [])];
  if (steal !== undefined && steal > STEAL_MAX) {
    const percent = (100 * steal).toFixed(1);
    reasons.push(`other guests took ${percent} % of the CPU, ${100 * STEAL_MAX} % are allowed`);
  }
  const medians = Object.entries(runs).map(([name, values]) => [name, median(values)] as const);
  const all = [...medians, ...Object.entries(metrics)];
  for (const [name, value] of all) {
    if (!Number.isFinite(value)) reasons.push(`${name} was not measured`);
  }
  const measured = all.filter(([, value]) => Number.isFinite(value));
  return {
    verdict: reasons.length === 0 ? 'VALID' : 'INVALID',
    reasons,
    failures,
    machine: describeMachine(),
    metrics: Object.fromEntries(measured.map(([name, value]) => [name, significant(value)])),
    runs: Object.fromEntries(
      Object.entries(runs).map(([name, values]) => [name, values.map(significant)]),
    ),
    notes,
  };
}

/** An option's number. Errors: `INVALID_ARGUMENT` unless it is finite and at least `least`. */
export function numberOf(value: string | boolean | undefined, name: string, least = 0): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (Number.isFinite(number) && number >= least) return number;
  throw new ForestayError(
    'INVALID_ARGUMENT',
    `--${name} is ${value}; it must be a number of at least ${least}`,
    {details: {option: name}},
  );
}

type OptionValue = string | boolean | undefined;

/** An option's word. Errors: `INVALID_ARGUMENT` for one that is not known. */
export function wordOf<Word extends string>(
  value: OptionValue,
  name: string,
  known: readonly Word[],
): Word {
  const word = known.find(one => one === value);
  if (word !== undefined) return word;
  throw new ForestayError(
    'INVALID_ARGUMENT',
    `--${name} has "${value}"; it must be of ${known.join(', ')}`,
    {details: {option: name}},
  );
}

/** The same for several, separated by commas: a bench of nothing would be valid. */
export function wordsOf<Word extends string>(
  value: OptionValue,
  name: string,
  known: readonly Word[],
): Word[] {
  return String(value)
    .split(',')
    .map(word => wordOf(word, name, known));
}
