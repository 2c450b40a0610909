/**
 * What is told to a model about a host's outages: each input once, with its name and its usual
 * value and spread, which make inputs of different cells alike without a look at any of them.
 *
 * Rates are logarithms of (rate + usual ÷ 2) ÷ (1.5 × usual): 0 at the cell's usual rate, and no
 * less than −1.1 without an outage.
 */
import {
  CELL_HALF_LIFE_DAYS,
  DAY_MS,
  HALF_LIFE_DAYS,
  KIND_COUNT,
  kindOf,
  type OutageKind,
  weekdayOf,
} from './outage-history.ts';
import {
  cellRate,
  hostCount,
  hostRate,
  nearRate,
  type OutageView,
  rackRate,
  simpleRate,
  usualRate,
} from './outage-view.ts';

export type OutageInput = {
  readonly name: string;
  /** Subtracted from the value, then it is divided by `spread`. */
  readonly centre: number;
  readonly spread: number;
  of(view: OutageView, host: number): number;
};

/** Which outages are foretold, and how far ahead. */
export type OutageQuestion = {
  readonly kind: OutageKind;
  readonly horizonDays: number;
  /** Counts only if no other outage of the host comes before it within the horizon. */
  readonly firstOnly: boolean;
};

/** Inputs are cut off there, in spreads. */
const INPUT_MAX = 8;
/** The simple method's log-odds: the input that a model without any training relies upon. */
export const SIMPLE = {name: 'simple method', centre: -4, spread: 1.3} as const;

const ANY = kindOf('unplanned');
const PLANNED = kindOf('planned');
const CAUSES = [
  'cpu',
  'memory',
  'disk',
  'power',
  'network',
  'software',
  'other-hardware',
  'unknown',
] as const;
const lifeOf = (days: number) => HALF_LIFE_DAYS.indexOf(days);
const cellLifeOf = (days: number) => CELL_HALF_LIFE_DAYS.indexOf(days);
const FOREVER = Number.POSITIVE_INFINITY;

/** The inputs of the model that answers a question, the simple method's first. */
export function outageInputs({kind, horizonDays}: OutageQuestion): OutageInput[] {
  const target = kindOf(kind);
  const first: OutageInput[] = [
    {...SIMPLE, of: (view, host) => simpleLogOdds(view, host, target, horizonDays)},
    {
      name: `usual rate, ${kind}`,
      centre: -4,
      spread: 1.3,
      of: view => Math.log(usualRate(view, target)),
    },
    {name: 'age of the cell', centre: 4.5, spread: 0.8, of: view => Math.log1p(view.ageWeeks)},
    {name: 'down now', centre: 0, spread: 0.15, of: (view, host) => isDown(view, host)},
  ];
  if (kind === 'planned') return [...first, ...plannedInputs()];
  return [...first, ...unplannedInputs(), ...(kind === 'unplanned' ? [] : causeInputs(kind))];
}

/** Inputs of all hosts at a time, standardised, with a last one that is 1; host × (inputs + 1). */
export function fillInputs(inputs: readonly OutageInput[], view: OutageView): Float64Array {
  const width = inputs.length + 1;
  const rows = new Float64Array(view.history.hosts * width).fill(1);
  for (const [column, {centre, spread, of}] of inputs.entries()) {
    for (let host = 0; host < view.history.hosts; host++) {
      const value = (of(view, host) - centre) / spread;
      rows[host * width + column] = Math.min(Math.max(value, -INPUT_MAX), INPUT_MAX);
    }
  }
  return rows;
}

/** Weights that give the simple method's risk, whatever the other inputs; the intercept is last. */
export function simpleWeights(inputs: readonly OutageInput[]): Float64Array {
  const weights = new Float64Array(inputs.length + 1);
  weights[inputs.findIndex(({name}) => name === SIMPLE.name)] = SIMPLE.spread;
  weights[inputs.length] = SIMPLE.centre;
  return weights;
}

function unplannedInputs(): OutageInput[] {
  return [
    ...HALF_LIFE_DAYS.map((days, life) => ({
      name: `outages, ${daysText(days)}`,
      centre: 0.4,
      spread: 0.6,
      of: (view: OutageView, host: number) => Math.log1p(hostCount(view, host, ANY, life)),
    })),
    ...HALF_LIFE_DAYS.map(days => hostInput('unplanned', days)),
    ...[14, 60, FOREVER].map(days => nearInput('unplanned', days)),
    ...[3, 14, 60].map(days => rackInput('unplanned', days)),
    ...[1, 3, 14, 60, 365].map(days => cellInput('unplanned', days)),
    ...[1, 7, 30].map(days => recentInput('unplanned', days)),
    {name: 'last time down', centre: 0.7, spread: 1, of: lastDown},
    ...CAUSES.map(cause => hostInput(cause, 60)),
    {
      name: 'rank in the cell',
      centre: 0,
      spread: 0.3,
      of: ({ranks}: OutageView, host: number) => ranks[host] as number,
    },
  ];
}

function causeInputs(kind: OutageKind): OutageInput[] {
  return [
    ...[14, 60, 365, FOREVER]
      .filter(days => days !== 60 || !CAUSES.some(cause => cause === kind))
      .map(days => hostInput(kind, days)),
    ...[60, FOREVER].map(days => nearInput(kind, days)),
    ...[14, 60].map(days => rackInput(kind, days)),
    ...[14, 60].map(days => cellInput(kind, days)),
    recentInput(kind, 14),
  ];
}

function plannedInputs(): OutageInput[] {
  const sinceCell = (view: OutageView) =>
    (view.atMs - (view.history.cellLastAtMs[PLANNED] as number)) / DAY_MS;
  return [
    {name: 'share of the weekday', centre: 0, spread: 0.7, of: weekdayShare},
    ...HALF_LIFE_DAYS.map(days => hostInput('planned', days)),
    ...[1, 3, 14, 60, 365].map(days => cellInput('planned', days)),
    ...[1, 7, 30].map(days => recentInput('planned', days)),
    ...[1, 7, 30].map(days => ({
      name: `planned in the cell lately, ${days} d`,
      centre: 0,
      spread: 0.25,
      of: (view: OutageView) => Math.exp(-sinceCell(view) / days),
    })),
    cellInput('unplanned', 3),
    hostInput('unplanned', 14),
    {name: 'share of hosts down', centre: 0, spread: 0.25, of: view => view.downShare},
  ];
}

function hostInput(kind: OutageKind, days: number): OutageInput {
  return ratioInput(`${kind} rate, ${daysText(days)}`, kind, (view, host, index) =>
    hostRate(view, host, index, lifeOf(days)),
  );
}

function nearInput(kind: OutageKind, days: number): OutageInput {
  return ratioInput(`${kind} rate of neighbours, ${daysText(days)}`, kind, (view, host, index) =>
    nearRate(view, host, index, lifeOf(days)),
  );
}

function rackInput(kind: OutageKind, days: number): OutageInput {
  return ratioInput(`${kind} rate of the rack, ${daysText(days)}`, kind, (view, host, index) =>
    rackRate(view, host, index, lifeOf(days)),
  );
}

function cellInput(kind: OutageKind, days: number): OutageInput {
  return ratioInput(`${kind} rate of the cell, ${daysText(days)}`, kind, (view, _, index) =>
    cellRate(view, index, cellLifeOf(days)),
  );
}

function ratioInput(
  name: string,
  kind: OutageKind,
  rateOf: (view: OutageView, host: number, kind: number) => number,
): OutageInput {
  const index = kindOf(kind);
  const of = (view: OutageView, host: number) => {
    const usual = usualRate(view, index);
    return Math.log((rateOf(view, host, index) + usual / 2) / (1.5 * usual));
  };
  return {name, centre: -0.3, spread: 1, of};
}

/** 1 at an outage, 1/e so many days after it. */
function recentInput(kind: OutageKind, days: number): OutageInput {
  const index = kindOf(kind);
  const of = ({atMs, history}: OutageView, host: number) =>
    Math.exp(-(atMs - (history.lastAtMs[host * KIND_COUNT + index] as number)) / DAY_MS / days);
  return {name: `${kind} lately, ${days} d`, centre: 0, spread: 0.25, of};
}

function simpleLogOdds(view: OutageView, host: number, kind: number, horizonDays: number): number {
  // log(p ÷ (1 − p)) of p = 1 − e^−x.
  const expected = Math.max((simpleRate(view, host, kind) * horizonDays) / 7, 1e-7);
  return Math.log(Math.expm1(expected));
}

function isDown({history}: OutageView, host: number): number {
  return (history.open[host] as number) > 0 ? 1 : 0;
}

function lastDown({history}: OutageView, host: number): number {
  const downMs = history.lastDownMs[host] as number;
  return Number.isNaN(downMs) ? 0 : Math.log1p(downMs / 3_600_000);
}

/** Planned outages that began on the weekday of this time, against an even week; a logarithm. */
function weekdayShare({atMs, history}: OutageView): number {
  const total = history.plannedByWeekday.reduce((sum, count) => sum + count, 0);
  const here = history.plannedByWeekday[weekdayOf(atMs)] as number;
  return Math.log((7 * (here + 2)) / (total + 14));
}

function daysText(days: number): string {
  return days === FOREVER ? 'ever' : `${days} d`;
}
