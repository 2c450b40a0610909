/**
 * Outages of hosts of clusters that have been recorded for years: who goes down within a week, by
 * component, and whether tomorrow brings planned work or a crash.
 */
import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import {join} from 'node:path';
import {finished} from 'node:stream/promises';
import {ForestayError} from '../../core/domain/errors.ts';
import type {OutageQuestion} from '../../core/domain/outage-features.ts';
import type {OutageKind} from '../../core/domain/outage-history.ts';
import type {Backtest, BacktestOptions} from './backtest.ts';
import {PooledModel, predictSystem, type SystemRisks} from './failure-learning.ts';
import {type Cadence, FIRST_SCORED_DAYS, LAST_SCORED_DAYS} from './failure-replay.ts';
import {readSystems, type System} from './failure-systems.ts';

const WEEKLY: Cadence = {everyDays: 7, minuteOfDay: 8 * 60};
const DAILY: Cadence = {everyDays: 1, minuteOfDay: 0};
const WEEKLY_OUTAGES_MIN = 200;
const DAILY_PLANNED_MIN = 15;
const WEEKLY_COLUMNS: readonly [column: string, kind: OutageKind][] = [
  ['any', 'unplanned'],
  ['cpu', 'cpu'],
  ['memory', 'memory'],
  ['disk', 'disk'],
  ['power', 'power'],
  ['network', 'network'],
  ['software', 'software'],
];
const DAILY_COLUMNS: readonly [column: string, kind: OutageKind][] = [
  ['planned', 'planned'],
  ['crash', 'unplanned'],
];
/** What is left for a quiet day. */
const NORMAL_MIN = 1e-4;

type Columns = readonly (readonly [column: string, kind: OutageKind])[];
/** Risks of each system, by column. */
type Predictions = Map<System, SystemRisks[]>;

/**
 * Writes `weekly.csv` and `daily.csv` of the systems that have outages enough to be judged. Without
 * a folder to learn from, what a system is told beforehand is learned from the other systems of
 * the same folder; a single one begins with the simple method. Nothing is drawn, so the seed has no
 * say.
 */
export const backtestFailure: Backtest = async options => {
  const {data, out, train, note} = options;
  const systems = await readSystems(data);
  const teachers = train === undefined ? systems : await readTeachers(train, systems, note);
  const weekly = systems.filter(({outages}) => outages.length >= WEEKLY_OUTAGES_MIN);
  const daily = systems.filter(
    ({outages}) => outages.filter(({cause}) => cause === 'planned').length >= DAILY_PLANNED_MIN,
  );
  if (weekly.length + daily.length === 0) {
    throw new ForestayError(
      'TRAINING_DATA_INVALID',
      `cannot predict ${data}: none of its ${systems.length} systems has ${WEEKLY_OUTAGES_MIN} ` +
        `outages, or ${DAILY_PLANNED_MIN} planned ones; give recordings of a longer time`,
      {details: {systems: systems.length}},
    );
  }
  const weeklyRisks = predict(weekly, teachers, WEEKLY, WEEKLY_COLUMNS, options);
  const weeklyRows = await write(
    join(out, 'weekly.csv'),
    WEEKLY_COLUMNS.map(([column]) => column),
    weeklyRisks,
    risks => risks,
  );
  const dailyRisks = predict(daily, teachers, DAILY, DAILY_COLUMNS, options);
  const dailyRows = await write(
    join(out, 'daily.csv'),
    ['normal', 'planned', 'crash'],
    dailyRisks,
    toThreeClasses,
  );
  const written = [
    {file: 'weekly.csv', rows: weeklyRows, systems: weekly},
    {file: 'daily.csv', rows: dailyRows, systems: daily},
  ];
  const empty = written.filter(({rows}) => rows === 0);
  for (const {file, systems} of empty) note(`${file} has no rows: ${whyEmpty(systems)}`);
  return {
    files: written.map(({file}) => file),
    rows: weeklyRows + dailyRows,
    ...(empty.length > 0 && {empty: empty.map(({file}) => file)}),
  };
};

function whyEmpty(systems: readonly System[]): string {
  if (systems.length === 0) return 'no system has outages enough to be judged by it';
  return (
    `too short a time was recorded of its ${systems.length} systems: rows begin ` +
    `${FIRST_SCORED_DAYS} days after the first outage and end ${LAST_SCORED_DAYS} before the last`
  );
}

/** Systems to learn from: none that is predicted, or it would be taught by its own future. */
async function readTeachers(
  train: string,
  predicted: readonly System[],
  note: (line: string) => void,
): Promise<readonly System[]> {
  const names = new Set(predicted.map(({name}) => name));
  const all = await readSystems(train);
  const others = all.filter(({name}) => !names.has(name));
  if (others.length < all.length) {
    note(
      `${all.length - others.length} systems of ${train} are predicted: nothing is learned from them`,
    );
  }
  return others;
}

function predict(
  systems: readonly System[],
  teachers: readonly System[],
  cadence: Cadence,
  columns: Columns,
  {learning = true, note}: Pick<BacktestOptions, 'learning' | 'note'>,
): Predictions {
  const predictions: Predictions = new Map(systems.map(system => [system, []]));
  if (systems.length === 0) return predictions;
  for (const [column, kind] of columns) {
    const horizonDays = cadence.everyDays;
    // Of a day it counts what comes first.
    const question: OutageQuestion = {kind, horizonDays, firstOnly: cadence === DAILY};
    const pooled = new PooledModel(question, cadence, teachers);
    for (const [system, risks] of predictions) {
      const prior = pooled.weightsWithout(system);
      risks.push(predictSystem(system, question, cadence, {prior, learning}));
    }
    note(`${column} within ${cadence.everyDays} d: ${systems.length} systems predicted`);
  }
  return predictions;
}

/** A day is quiet, or what comes first is planned or a crash; more than certain is scaled down. */
function toThreeClasses([planned, crash]: readonly number[]): number[] {
  const either = (planned as number) + (crash as number);
  const scale = Math.min(1, (1 - NORMAL_MIN) / either);
  return [1 - either * scale, (planned as number) * scale, (crash as number) * scale];
}

async function write(
  path: string,
  columns: readonly string[],
  predictions: Predictions,
  toColumns: (risks: readonly number[]) => readonly number[],
): Promise<number> {
  const file = createWriteStream(path);
  const done = finished(file);
  file.write(`${['system', 'node', 't', ...columns].join(',')}\n`);
  let rows = 0;
  for (const [system, byColumn] of predictions) {
    for (const [index, atMs] of (byColumn[0] as SystemRisks).atMs.entries()) {
      const lines = [];
      for (let host = 0; host < system.hosts; host++) {
        const risks = byColumn.map(({risks}) => (risks[index] as Float64Array)[host] as number);
        const texts = toColumns(risks).map(risk => risk.toPrecision(7));
        lines.push(`${system.name},${host},${atMs / 60_000},${texts.join(',')}\n`);
      }
      rows += lines.length;
      if (!file.write(lines.join(''))) await Promise.race([once(file, 'drain'), done]);
    }
  }
  file.end();
  await done;
  return rows;
}
