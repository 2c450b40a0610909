import {mkdir, readdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fitAnomalyModel} from '../../core/domain/anomaly/host-fit.ts';
import {createAnomalyState, observeAnomaly} from '../../core/domain/anomaly/host-score.ts';
import {VALUE_MAX} from '../../core/domain/anomaly/scales.ts';
import {readTableAt, type TextTable} from '../data/table.ts';
import type {Backtest} from './backtest.ts';
import {invalidRecording} from './invalid-recording.ts';

const TEST_FILE = /^(.+)_test\.csv(\.gz)?$/;

/**
 * How odd each row of a host is and which metrics make it so. For every `NAME_train.csv` and
 * `NAME_test.csv` of the folder, gzipped or not, learns from the first alone, then takes the rows of
 * the second one after another; writes `score/NAME.csv` and `metrics/NAME.csv`. Nothing is drawn and
 * nothing else is read, neither labels nor other hosts.
 *
 * Errors: `TRAINING_DATA_INVALID` for a folder without such files, and for files that cannot be read
 * to their end, are too short or do not have the same columns.
 */
export const backtestAnomaly: Backtest = async ({data, out, train, note}) => {
  if (train !== undefined) note('--train is not used: each host has a train file of its own');
  const names = await listHosts(data);
  await mkdir(join(out, 'score'), {recursive: true});
  await mkdir(join(out, 'metrics'), {recursive: true});
  const files: string[] = [];
  let rows = 0;
  for (const name of names) {
    const usual = await readTableAt(join(data, `${name}_train.csv`));
    const live = await readTableAt(join(data, `${name}_test.csv`));
    checkColumns(usual, live);
    const {scores, blame} = predict(usual, live);
    await writeFile(join(out, 'score', `${name}.csv`), `score\n${scores.join('\n')}\n`);
    await writeFile(
      join(out, 'metrics', `${name}.csv`),
      `${usual.header.join(',')}\n${blame.join('\n')}\n`,
    );
    files.push(`score/${name}.csv`, `metrics/${name}.csv`);
    rows += live.rows;
    note(`${name}: ${usual.rows} rows learned from, ${live.rows} predicted`);
  }
  return {files, rows};
};

async function listHosts(folder: string): Promise<string[]> {
  const found = await readdir(folder).catch(cause => {
    throw invalidRecording(folder, 'it cannot be listed', cause);
  });
  const names = found.flatMap(file => TEST_FILE.exec(file)?.[1] ?? []);
  if (names.length === 0)
    throw invalidRecording(folder, 'there is no NAME_test.csv or NAME_test.csv.gz');
  return [...new Set(names)].sort();
}

function checkColumns(usual: TextTable, live: TextTable): void {
  const twice = usual.header.filter((name, at) => usual.header.indexOf(name) < at);
  if (twice.length > 0)
    throw invalidRecording(usual.path, `it has columns twice: ${twice.join(', ')}`);
  if (usual.header.join() === live.header.join()) return;
  const missing = usual.header.filter(name => !live.header.includes(name));
  const more = live.header.filter(name => !usual.header.includes(name));
  throw invalidRecording(
    live.path,
    `its columns are not those of ${usual.path}: ${missing.length} missing (${missing.join(', ')}), ` +
      `${more.length} more (${more.join(', ')}), or in another order`,
  );
}

function predict(usual: TextTable, live: TextTable): {scores: string[]; blame: string[]} {
  const rows = readRows(usual);
  const model = fitAnomalyModel(rows, usual.header, {spans: findSpans(rows, usual.header.length)});
  const state = createAnomalyState(model);
  const width = usual.header.length;
  const next = readRows(live);
  const scores: string[] = [];
  const blame: string[] = [];
  for (let row = 0; row < live.rows; row++) {
    const verdict = observeAnomaly(model, state, next.subarray(row * width, (row + 1) * width));
    scores.push(verdict.score.toPrecision(9));
    blame.push(Array.from(verdict.byMetric, value => value.toFixed(4)).join(','));
  }
  return {scores, blame};
}

function readRows(table: TextTable): Float64Array {
  const width = table.header.length;
  const rows = new Float64Array(table.rows * width);
  for (const [column, name] of table.header.entries()) {
    for (const [row, value] of table.numbers(name).entries()) rows[row * width + column] = value;
  }
  return rows;
}

/** 1 each where all values lie within 0 to 1: they are ratios. Else let the rows say it. */
function findSpans(rows: Float64Array, width: number): Float64Array | undefined {
  const ratios = rows.every(value => !(value < 0 || value > 1) || Math.abs(value) > VALUE_MAX);
  return ratios ? new Float64Array(width).fill(1) : undefined;
}
