/** Which drives will fail within a week: the rarer what a drive shows among healthy ones, the likelier. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createUniform} from '../random.ts';
import type {Backtest} from './backtest.ts';
import {
  type DriveDays,
  type LabelFile,
  outcomesOf,
  readDriveDays,
  readLabels,
} from './disk-data.ts';
import {learnRarity, rarityOf, toRisk} from './disk-rarity.ts';
import {invalidRecording} from './invalid-recording.ts';

const FOLDS = 10;

/**
 * Writes `pred.csv` (serial_number, date, risk in [0, 1), for ranking: no probability) for every
 * row of `drive_days.csv`, plain or gzipped.
 *
 * No drive is scored with anything that was learned from it. With `train`: learned on all of that
 * folder's drives that are not in `data`, whose label file is not opened. Without: drives are drawn
 * into ten folds, and each fold is scored with what the labels of the others say. Days overlap on
 * purpose: other drives' outcomes are history for this one, and a row is scored by what it holds
 * itself, which is the drive's past. Of the labels only who is healthy is used: some dozens of
 * failures teach less than physics, which says which way every signal points.
 */
export const backtestDisk: Backtest = async ({data, out, train, seed, note}) => {
  const days = await readDriveDays(data);
  const risks =
    train === undefined
      ? scoreByFolds(days, await readLabels(data), seed, note)
      : scoreBy(days, await readDriveDays(train), await readLabels(train), note);
  const lines = days.serials.map(
    (serial, row) => `${serial},${days.dates[row]},${risks[row]?.toPrecision(9)}\n`,
  );
  await writeFile(join(out, 'pred.csv'), `serial_number,date,risk\n${lines.join('')}`);
  return {files: ['pred.csv'], rows: days.rows};
};

function scoreByFolds(
  days: DriveDays,
  labels: LabelFile,
  seed: number,
  note: (line: string) => void,
): Float64Array {
  const foldOf = drawFolds(days, seed);
  const all = Int32Array.from({length: days.rows}, (_, row) => row);
  const risks = new Float64Array(days.rows);
  for (const fold of new Set(foldOf.values())) {
    const isHere = (row: number) => foldOf.get(days.serials[row] as string) === fold;
    const learned = all.filter(row => !isHere(row));
    score(days, all.filter(isHere), days, learned, labels, risks);
  }
  note(`${foldOf.size} drives in ${new Set(foldOf.values()).size} folds`);
  return risks;
}

/** A fold for every drive, by chance alone. */
function drawFolds(days: DriveDays, seed: number): ReadonlyMap<string, number> {
  const drives = [...new Set(days.serials)].sort();
  if (drives.length < 2) {
    throw invalidRecording(days.path, 'it has 1 drive and no other to learn from; give --train');
  }
  const random = createUniform(seed);
  for (let at = drives.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [drives[at], drives[other]] = [drives[other] as string, drives[at] as string];
  }
  return new Map(drives.map((drive, index) => [drive, index % FOLDS]));
}

function scoreBy(
  days: DriveDays,
  past: DriveDays,
  labels: LabelFile,
  note: (line: string) => void,
): Float64Array {
  const scored = new Set(days.serials);
  const all = Int32Array.from({length: past.rows}, (_, row) => row);
  const learned = all.filter(row => !scored.has(past.serials[row] as string));
  if (learned.length === 0)
    throw invalidRecording(past.path, 'all its drives are also among those scored');
  note(`${past.rows - learned.length} rows of drives that are scored are not learned from`);
  const risks = new Float64Array(days.rows);
  const rows = Int32Array.from({length: days.rows}, (_, row) => row);
  score(days, rows, past, learned, labels, risks);
  return risks;
}

/** Fills in the risks of `rows` by what the rows `learned` of `past` show. */
function score(
  days: DriveDays,
  rows: Int32Array,
  past: DriveDays,
  learned: Int32Array,
  labels: LabelFile,
  risks: Float64Array,
): void {
  const {healthy, weights} = outcomesOf(past, learned, labels);
  const rarity = learnRarity(past.signals, past.models, healthy, weights);
  for (const row of rows) {
    risks[row] = toRisk(rarityOf(rarity, days.signals, days.models[row] as string, row));
  }
}
