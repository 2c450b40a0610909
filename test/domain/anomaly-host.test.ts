import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {fitAnomalyModel, TRAINING_ROWS_MIN} from '../../core/domain/anomaly/host-fit.ts';
import type {AnomalyModel} from '../../core/domain/anomaly/host-model.ts';
import {createAnomalyState, observeAnomaly} from '../../core/domain/anomaly/host-score.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import fc from '../support/fast-check.ts';
import {drawRows, ROW_COLUMNS} from './anomaly-rows.ts';

const WIDTH = ROW_COLUMNS.length;
const RATIOS = {spans: [1, 1, 1, 1]};
const usual = drawRows(11, 1500);
const model = fitAnomalyModel(usual, ROW_COLUMNS, RATIOS);

/** Scores and blame of rows, one after another. */
function run(of: AnomalyModel, rows: Float64Array): {scores: number[]; blame: number[][]} {
  const width = of.columns.length;
  const state = createAnomalyState(of);
  const scores: number[] = [];
  const blame: number[][] = [];
  for (let from = 0; from < rows.length; from += width) {
    const verdict = observeAnomaly(of, state, rows.subarray(from, from + width));
    scores.push(verdict.score);
    blame.push([...verdict.byMetric]);
  }
  return {scores, blame};
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

test('scores and blame are those of an implementation in NumPy', t => {
  const {rows, scores, blame} = JSON.parse(
    readFileSync(join(import.meta.dirname, 'data/anomaly-host.json'), 'utf8'),
  ) as {rows: number[]; scores: number[]; blame: number[][]};
  const ran = run(model, drawRows(12, 300, 150, 160));
  for (const [at, row] of rows.entries()) {
    const apart = (ran.scores[row] as number) - (scores[at] as number);
    t.true(Math.abs(apart) < 1e-6, `row ${row}: ${apart}`);
    for (const [column, wanted] of (blame[at] as number[]).entries()) {
      const got = (ran.blame[row] as number[])[column] as number;
      t.true(Math.abs(got - wanted) < 1e-6, `row ${row}, ${ROW_COLUMNS[column]}: ${got - wanted}`);
    }
  }
});

test('a broken correlation is odd although each metric stays within its range, and the right metric is blamed', t => {
  const {scores, blame} = run(model, drawRows(13, 400, 200, 220));
  const before = scores.slice(20, 200);
  t.true(mean(scores.slice(200, 220)) > 2 * Math.max(...before));
  const first = blame[200] as number[];
  t.is(first.indexOf(Math.max(...first)), ROW_COLUMNS.indexOf('io'));
});

test('on rows like those learned from the score is seldom above the sum of the weights', t => {
  const {scores} = run(model, drawRows(14, 3000));
  t.true(scores.filter(score => score > 3.5).length < 60);
  t.true(mean(scores) > 0.5);
});

test('the score comes down again when all is usual', t => {
  const {scores} = run(model, drawRows(15, 400, 100, 110));
  t.true(Math.max(...scores.slice(160)) < 4);
});

test('a metric that never changed is odd when it does', t => {
  const rows = drawRows(16, 200);
  for (let row = 150; row < 153; row++) rows[row * WIDTH + 2] = 1;
  const {scores, blame} = run(model, rows);
  t.true((scores[150] as number) > 3 * Math.max(...scores.slice(0, 150)));
  const first = blame[150] as number[];
  t.is(first.indexOf(Math.max(...first)), 2);
});

test('missing and infinite values are not odd, and not blamed', t => {
  const whole = drawRows(17, 600);
  const holey = whole.map(
    (value, at) => (at % 7 === 0 ? [NaN, Infinity][at % 2] : value) as number,
  );
  const {scores, blame} = run(model, holey);
  t.true(Math.max(...scores) < 1.5 * Math.max(...run(model, whole).scores));
  for (const [row, metrics] of blame.entries()) {
    t.true(Number.isFinite(scores[row]));
    for (const [column, value] of metrics.entries()) {
      if ((row * WIDTH + column) % 7 === 0) t.is(value, 0);
    }
  }
});

test('a row without any value changes nothing', t => {
  const state = createAnomalyState(model);
  const rows = drawRows(18, 10);
  const nothing = new Float64Array(WIDTH).fill(Number.NaN);
  t.is(observeAnomaly(model, state, nothing).score, 0);
  for (let row = 0; row < 10; row++)
    observeAnomaly(model, state, rows.subarray(row * 4, row * 4 + 4));
  const before = structuredClone(state);
  t.is(observeAnomaly(model, state, nothing).score, before.verdict.score);
  t.deepEqual(state, before);
});

test('a metric that was never seen is never odd, and takes nothing from the others', t => {
  const seen = [0, 1, 3];
  const without = (rows: Float64Array) => rows.filter((_, at) => seen.includes(at % WIDTH));
  const blind = fitAnomalyModel(
    usual.map((value, at) => (at % WIDTH === 2 ? Number.NaN : value)),
    ROW_COLUMNS,
    RATIOS,
  );
  const rows = drawRows(19, 300, 100, 110).map((value, at) => (at % WIDTH === 2 ? 1000 : value));
  const {scores, blame} = run(blind, rows);
  t.true(blame.every(metrics => metrics[2] === 0));
  t.true(scores.every(Number.isFinite));
  t.true(mean(scores.slice(100, 110)) > 2 * mean(scores.slice(0, 100)));
  const narrow = run(
    fitAnomalyModel(without(usual), ['load', 'io', 'heat'], {spans: [1, 1, 1]}),
    without(rows),
  );
  t.deepEqual(
    blame.map(([load, io, , heat]) => [load, io, heat].map(x => x?.toFixed(9))),
    narrow.blame.map(of => of.map(x => x.toFixed(9))),
  );
});

test('units do not matter where the rows say how wide the ranges are', t => {
  const plain = run(fitAnomalyModel(usual, ROW_COLUMNS), drawRows(20, 200, 150, 155)).scores;
  fc.assert(
    fc.property(
      fc.double({min: 1e-3, max: 1e9, noNaN: true}),
      fc.integer({min: -5, max: 5}),
      (unit, offset) => {
        const change = (rows: Float64Array) =>
          rows.map((value, at) => (at % WIDTH === 2 ? value : unit * (value + offset)));
        const other = run(
          fitAnomalyModel(change(usual), ROW_COLUMNS),
          change(drawRows(20, 200, 150, 155)),
        );
        return other.scores.every((score, row) => Math.abs(score - (plain[row] as number)) < 1e-5);
      },
    ),
    {numRuns: 5},
  );
  t.pass();
});

test('equal rows give equal bits, also by a copy of the model on another thread', t => {
  const again = fitAnomalyModel(usual.slice(), ROW_COLUMNS, RATIOS);
  t.deepEqual(again, model);
  const rows = drawRows(21, 200, 100, 110);
  t.deepEqual(run(structuredClone(model), rows), run(model, rows));
});

test('duplicate rows and rows without values are learned from as far as they go', t => {
  const frozen = new Float64Array(1200 * WIDTH);
  for (let row = 0; row < 1200; row++) frozen.set([0.5, 0.3, 0, 0.4], row * WIDTH);
  frozen.fill(Number.NaN, 0, 8 * WIDTH);
  const still = fitAnomalyModel(frozen, ROW_COLUMNS, RATIOS);
  const {scores} = run(
    still,
    Float64Array.of(0.5, 0.3, 0, 0.4, 0.5, 0.3, 0, 0.4, 0.5, 0.9, 0, 0.4),
  );
  t.true((scores[1] as number) < 1e-6);
  t.true((scores[2] as number) > 10 && Number.isFinite(scores[2]));
});

test('too few rows with values are refused with their number', t => {
  const few = usual.slice();
  few.fill(Number.NaN, (TRAINING_ROWS_MIN - 1) * WIDTH);
  for (const [rows, columns] of [
    [few, ROW_COLUMNS],
    [usual.map(() => Number.NaN), ROW_COLUMNS],
    [usual, []],
  ] as const) {
    const error = t.throws(() => fitAnomalyModel(rows, columns));
    t.true(isForestayError(error, 'TRAINING_DATA_INVALID'));
  }
  t.regex(
    t.throws(() => fitAnomalyModel(few, ROW_COLUMNS))?.message ?? '',
    /from 999 rows of 4 metrics/,
  );
});
