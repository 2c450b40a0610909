/**
 * Two results of one verb, judged by effect size: a figure is worse when its median moved by more
 * than five hundredths and by more than three times what it moves from run to run. Pooled samples
 * would make everything significant.
 */
import {readFile} from 'node:fs/promises';
import {ForestayError} from '../core/domain/errors.ts';
import type {Machine} from './machine.ts';
import {resultOf} from './result.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

const CHANGE_MIN = 0.05;
const SPREADS_MIN = 3;

/** Figures of which more is better; of all others less is. */
const MORE_IS_BETTER = /(^|\.)ratio(\.|$)|PerSecond|PerCpuSecond|samplesPer/;
/** The only figures that mean the same on two machines. */
const RATIO = /(^|\.)ratio(\.|$)/;
/** What was asked for, not what came of it. */
const ASKED = /asked|Interval|messagesPerSecond/;

export type Judgement = {
  metric: string;
  before: number;
  after: number;
  /** (after − before) / before. */
  change: number;
  /** Standard deviation from run to run, as a share of the median; NaN: there was one run. */
  spread: number;
  verdict: 'same' | 'better' | 'worse' | 'unknown';
};

type Stored = Pick<BenchResult, 'verdict' | 'metrics' | 'runs' | 'machine'>;

/** Judges every figure that both have; of two machines only ratios. */
export function judge(before: Stored, after: Stored): Judgement[] {
  const comparable = sameMachine(before.machine, after.machine);
  return Object.keys(before.metrics)
    .filter(metric => metric in after.metrics && !ASKED.test(metric))
    .filter(metric => comparable || RATIO.test(metric))
    .map(metric => judgeOne(metric, before, after));
}

/** Figures of the one that the other does not have: nobody judges them. */
function onlyIn(one: Stored, other: Stored): string[] {
  return Object.keys(one.metrics).filter(
    metric => !(metric in other.metrics) && !ASKED.test(metric),
  );
}

function judgeOne(metric: string, before: Stored, after: Stored): Judgement {
  const [a, b] = [before.metrics[metric] as number, after.metrics[metric] as number];
  const change = a === 0 ? (b === 0 ? 0 : Number.POSITIVE_INFINITY) : (b - a) / Math.abs(a);
  const spread = Math.max(spreadOf(before.runs[metric]), spreadOf(after.runs[metric]));
  const found = {metric, before: a, after: b, change, spread};
  if (Number.isNaN(spread)) return {...found, verdict: 'unknown'};
  if (Math.abs(change) <= Math.max(CHANGE_MIN, SPREADS_MIN * spread)) {
    return {...found, verdict: 'same'};
  }
  const isBetter = change > 0 === MORE_IS_BETTER.test(metric);
  return {...found, verdict: isBetter ? 'better' : 'worse'};
}

function spreadOf(values: readonly number[] | undefined): number {
  if (values === undefined || values.length < 2) return Number.NaN;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return mean === 0 ? 0 : Math.sqrt(squares / (values.length - 1)) / Math.abs(mean);
}

const sameMachine = (a: Machine, b: Machine): boolean =>
  a.cpu === b.cpu && a.cores === b.cores && a.node === b.node;

export const compare: BenchVerb = {
  name: 'compare',
  summary: 'judge two results that were written with -o json; exit code 10 if anything is worse',
  operands: '<before> <after>',
  options: [
    {flags: '--only <text>', description: 'judge the figures with this in their name', default: ''},
  ],
  run: compareFiles,
};

async function compareFiles({options, operands}: BenchArgs): Promise<BenchResult> {
  const [before, after] = await Promise.all(operands.map(readResult));
  if (before === undefined || after === undefined) throw unreadable('two files are compared');
  const only = String(options.only);
  const judgements = judge(before, after).filter(({metric}) => metric.includes(only));
  const reasons = [before, after].flatMap(({verdict}, index) =>
    verdict === 'VALID' ? [] : [`${operands[index]} is itself ${verdict}`],
  );
  if (judgements.length === 0) reasons.push('the two have no figure in common that can be judged');
  const notes = judgements.map(describe);
  for (const [path, one, other] of [
    [operands[0], before, after],
    [operands[1], after, before],
  ] as const) {
    const names = onlyIn(one, other).filter(metric => metric.includes(only));
    if (names.length > 0) notes.push(`only in ${path} (${names.length}): ${names.join(', ')}`);
  }
  if (!sameMachine(before.machine, after.machine)) notes.unshift('two machines: ratios alone');
  return resultOf({
    metrics: Object.fromEntries(
      judgements
        .filter(({change}) => Number.isFinite(change))
        .map(({metric, change}) => [`compare.${metric}`, change]),
    ),
    reasons,
    notes,
    failures: judgements.filter(({verdict}) => verdict === 'worse').map(describe),
  });
}

function describe({metric, before, after, change, spread, verdict}: Judgement): string {
  const moved = `${before} → ${after} (${percent(change)}, spread ${percent(spread)})`;
  return `${metric}: ${moved} ${verdict}`;
}

const percent = (share: number): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '-';

async function readResult(path: string): Promise<Stored> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw unreadable(`${path} cannot be read`, cause);
  });
  try {
    const result = JSON.parse(text) as Stored;
    if (typeof result.metrics === 'object' && typeof result.machine === 'object') return result;
  } catch (cause) {
    throw unreadable(`${path} is not JSON`, cause);
  }
  throw unreadable(`${path} is no result of a bench`);
}

function unreadable(why: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot compare: ${why}; give two files written by forestay bench VERB -o json`,
    {cause},
  );
}
