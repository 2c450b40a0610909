import {ForestayError} from '../core/domain/errors.ts';
import type {BenchResult} from './verb.ts';

/** A condition on a metric: `predict.ratio.forest.256>=0.85`. */
export type Assertion = {text: string; metric: string; holds(value: number): boolean};

const relations: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
};

/** Errors: `INVALID_ARGUMENT` for anything but METRIC, one of < <= > >=, and a number. */
export function parseAssertion(text: string): Assertion {
  const match = /^\s*([\w.-]+)\s*(<=|>=|<|>)\s*(\S+)\s*$/.exec(text);
  const [, metric = '', sign = '', number = ''] = match ?? [];
  const relation = relations[sign];
  const limit = Number(number);
  if (relation === undefined || number === '' || !Number.isFinite(limit)) {
    throw new ForestayError(
      'INVALID_ARGUMENT',
      `--assert ${JSON.stringify(text)} is not METRIC<NUMBER, with one of < <= > >=`,
    );
  }
  return {text: text.trim(), metric, holds: value => relation(value, limit)};
}

/** What of the assertions does not hold, in words. Nothing holds of a result that is INVALID. */
export function failedAssertions(
  assertions: readonly Assertion[],
  {metrics, verdict}: Pick<BenchResult, 'metrics' | 'verdict'>,
): string[] {
  return assertions.flatMap(({text, metric, holds}) => {
    const value = metrics[metric];
    if (value === undefined) return [`${text}: ${metric} was not measured`];
    if (verdict === 'INVALID') return [`${text}: the result is INVALID`];
    return holds(value) ? [] : [`${text}: it is ${value}`];
  });
}
