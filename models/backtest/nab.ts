import {readdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createSurprise, SURPRISE_MAX} from '../../core/domain/anomaly/stream-surprise.ts';
import {parseTime} from '../data/csv.ts';
import {readTable} from '../data/table.ts';
import type {Backtest} from './backtest.ts';
import {invalidRecording} from './invalid-recording.ts';

const RECORDING = /^(.+)\.csv(\.gz)?$/;

/**
 * From this surprise on it is an alarm, in any recording. A missed incident costs about nine false
 * alarms (nab-score.ts), so it is low: between what was best on nab (1.7 to 1.9) and on asd and smd
 * cut and labelled likewise (1.4).
 */
const SURPRISE_MIN = 1.6;

/** A recording that is older than these rows is to alarm the more seldom the older it is. */
const YOUNG_ROWS = 4000;

/**
 * Rows after an alarm that tell of nothing new: some hours of five-minute rows, and longer the
 * longer a recording has been watched, so that an old one does not alarm the more for its age.
 */
const QUIET_ROWS_MIN = 75;
const QUIET_SHARE = 0.03;

/**
 * Scores of one recording's values, row by row, none knowing a later one: at least 0.5 for an
 * alarm, more for a more surprising one, less than 0.5 for any other row, and 0 for missing
 * values and for the rows right behind an alarm.
 */
export function scoreStream(values: Iterable<number>): number[] {
  const surpriseOf = createSurprise();
  const scores: number[] = [];
  let quietUntil = 0;
  for (const value of values) {
    const row = scores.length;
    const surprise = surpriseOf(value);
    const surpriseMin = surpriseMinAt(row);
    const isQuiet = row < quietUntil;
    if (!isQuiet && surprise >= surpriseMin) quietUntil = row + 1 + quietRows(row);
    scores.push(isQuiet ? 0 : toScore(surprise, surpriseMin));
  }
  return scores;
}

const quietRows = (row: number) => Math.max(QUIET_ROWS_MIN, Math.floor(QUIET_SHARE * row));

/** An alarm as rare as 1 / age keeps their number in an old recording small; never out of reach. */
const surpriseMinAt = (row: number) =>
  Math.min(SURPRISE_MIN + Math.log10(Math.max(1, row / YOUNG_ROWS)), SURPRISE_MAX - 1);

function toScore(surprise: number, surpriseMin: number): number {
  const score =
    surprise < surpriseMin
      ? (0.499 * surprise) / surpriseMin
      : 0.5 + (0.5 * (surprise - surpriseMin)) / (SURPRISE_MAX - surpriseMin);
  return Number(score.toFixed(6));
}

/**
 * Anomaly scores of every `NAME.csv` (timestamp, value) in the folder, gzipped or not, as `NAME.csv`
 * (timestamp, anomaly_score). Nothing else in it is read, labels least of all. Rows are taken in
 * the file's order: times that repeat, run back or leave gaps change nothing; a missing or
 * infinite value scores 0 and is not learned.
 *
 * Errors: `TRAINING_DATA_INVALID` without a folder, without any recording in it, and for one without rows, a value that
 * is no number, or a timestamp that is no time.
 */
export const backtestNab: Backtest = async ({data, out, note}) => {
  const names = await listRecordings(data);
  const files: string[] = [];
  let rows = 0;
  for (const [name, recording] of names) {
    const table = await readTable(join(data, recording));
    const times = table.texts('timestamp');
    noteOrder(recording, times, note);
    const scores = scoreStream(table.numbers('value'));
    const lines = scores.map((score, row) => `${times[row]},${score}\n`);
    const file = `${name}.csv`;
    await writeFile(join(out, file), `timestamp,anomaly_score\n${lines.join('')}`);
    files.push(file);
    rows += scores.length;
  }
  return {files, rows};
};

/** File names by name of the recording; of one that is there twice the plain file. */
async function listRecordings(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = await readdir(folder).catch(cause => {
    throw invalidRecording(folder, 'it cannot be listed', cause);
  });
  const names = new Map<string, string>();
  for (const file of found.sort()) {
    const name = RECORDING.exec(file)?.[1];
    if (name !== undefined && !names.has(name)) names.set(name, file);
  }
  if (names.size === 0) throw invalidRecording(folder, 'it holds no NAME.csv and no NAME.csv.gz');
  return names;
}

function noteOrder(recording: string, times: readonly string[], note: (line: string) => void) {
  let before = Number.NEGATIVE_INFINITY;
  let notLater = 0;
  for (const [row, text] of times.entries()) {
    const time = parseTime(text);
    if (time === undefined)
      throw invalidRecording(
        recording,
        `timestamp of row ${row + 1} is "${text}", which is no time`,
      );
    if (time <= before) notLater++;
    before = time;
  }
  if (notLater > 0)
    note(`${recording}: ${notLater} rows are not later than the row before; taken as they stand`);
}
