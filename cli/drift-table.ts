/** What a watch says of drift, for people. */
import type {FeatureDrift} from '../core/domain/drift/input-drift.ts';
import type {ClassDrift, DriftReport} from '../core/domain/drift/report.ts';
import {tellNumber, tellRange} from '../core/domain/drift/told.ts';
import type {LossDrift} from '../core/domain/drift/verdict.ts';
import {formatTable} from './table.ts';

export const NOTHING_YET = 'no host has been heard for long enough yet';
/** More are counted, not shown. */
const INPUTS_SHOWN = 15;
const PERCENT = 100;
const ACTIONS = {none: 'as ever', warn: 'look', wait: 'retrain later', retrain: 'retrain'} as const;

type ClassInput = {readonly hardware: string; readonly input: FeatureDrift};

/**
 * Classes of hardware, the worst first; then their inputs that are not what they were, the furthest
 * first; then what is to be done, and why.
 */
export function driftText(report: DriftReport): string {
  const {classes, knowsInputs, verdict, outcomes} = report;
  const remarks = remarksOf(report);
  if (classes.length === 0 && outcomes === 0) {
    return [NOTHING_YET, ...remarks].join('\n');
  }
  const parts = [
    classTable(classes, knowsInputs),
    inputTable(classes),
    verdictText(report),
    verdict.reasons.map(each => `- ${each}`).join('\n'),
    remarks.join('\n'),
  ];
  return parts.filter(part => part !== '').join('\n\n');
}

function classTable(classes: readonly ClassDrift[], knowsInputs: boolean): string {
  return formatTable<ClassDrift>(
    [
      {title: 'HARDWARE', cell: ({hardware}) => nameOf(hardware)},
      {title: 'HOSTS', cell: ({hosts}) => String(hosts)},
      {title: 'ROWS', cell: ({rows}) => String(rows)},
      {title: 'INPUTS MOVED', cell: ({inputs}) => (knowsInputs ? String(inputs.length) : '?')},
      {title: 'LOSS', cell: ({losses}) => tellLoss(losses)},
      {title: 'VERDICT', cell: ({verdict}) => ACTIONS[verdict.action]},
    ],
    classes,
  );
}

function inputTable(classes: readonly ClassDrift[]): string {
  const all = classes
    .flatMap(({hardware, inputs}) => inputs.map((input): ClassInput => ({hardware, input})))
    .sort((a, b) => b.input.index - a.input.index);
  if (all.length === 0) return '';
  const table = formatTable<ClassInput>(
    [
      {title: 'INPUT', cell: ({input}) => input.name},
      {title: 'HARDWARE', cell: ({hardware}) => nameOf(hardware)},
      {title: 'USUALLY', cell: ({input: {usual, unit}}) => rangeIn(usual, unit)},
      {title: 'NOW', cell: ({input: {now, unit}}) => rangeIn(now, unit)},
      {title: 'MISSING', cell: ({input}) => missingOf(input)},
      {title: 'INDEX', cell: ({input}) => tellNumber(input.index)},
      {title: 'BY CHANCE', cell: ({input}) => tellNumber(input.chance)},
    ],
    all.slice(0, INPUTS_SHOWN),
  );
  const more = all.length - INPUTS_SHOWN;
  return more > 0 ? `${table}\n… and ${more} more` : table;
}

function verdictText({verdict, losses, outcomes}: DriftReport): string {
  const loss =
    losses.length === 0 ? 'the loss has not risen' : `the loss rose from ${tellLoss(losses)}`;
  return `verdict: ${ACTIONS[verdict.action]}; ${loss}, over ${outcomes} outcomes`;
}

function remarksOf({knowsInputs, classesDropped, rowsForeign}: DriftReport): string[] {
  return [
    ...(knowsInputs ? [] : ['the model says nothing of its training rows: inputs are not watched']),
    ...(classesDropped > 0 ? [`${classesDropped} times a class went: there are too many`] : []),
    ...(rowsForeign > 0
      ? [`${rowsForeign} rows of another feature contract were not counted`]
      : []),
  ];
}

function nameOf(hardware: string): string {
  return hardware === '' ? '(not told)' : hardware;
}

/** Of the detector that saw the larger rise; a dash if none did. */
function tellLoss(losses: readonly LossDrift[]): string {
  const rise = ({before, after}: LossDrift) => after - before;
  const [most] = losses.toSorted((a, b) => rise(b) - rise(a));
  return most === undefined
    ? '-'
    : `${tellNumber(most.before)} to ${tellNumber(most.after)} over ${most.outcomes}`;
}

function rangeIn(range: FeatureDrift['now'], unit: string): string {
  if (range === null) return '-';
  return unit === '' ? tellRange(range) : `${tellRange(range)} ${unit}`;
}

function missingOf({missingUsual, missingNow}: FeatureDrift): string {
  const [usual, now] = [missingUsual, missingNow].map(share => Math.round(PERCENT * share));
  return usual === now ? `${now} %` : `${usual} to ${now} %`;
}
