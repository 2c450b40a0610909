import {join} from 'node:path';
import {parseTime} from '../data/csv.ts';
import {readTableAt, type TextTable} from '../data/table.ts';
import {readSignals} from './disk-signals.ts';
import {invalidRecording} from './invalid-recording.ts';

/** Drive-days without their outcome. */
export type DriveDays = {
  readonly path: string;
  readonly rows: number;
  readonly serials: readonly string[];
  readonly dates: readonly string[];
  readonly models: readonly string[];
  /** One array a signal: what speaks for a failure, by row. */
  readonly signals: readonly Float64Array[];
};

/** What became of some drives: their healthy rows, and what each row stands for. */
export type Outcomes = {
  readonly healthy: Int32Array;
  readonly weights: Float64Array;
};

const HORIZON_DAYS = 7;
const DAY_MS = 86_400_000;

/**
 * A drive of the random sample stands for this many of the fleet: 66,065 drives, of which the
 * original took 500. Everything else is in the data whole.
 */
const SAMPLED_STAND_FOR = (67_650 - 1585) / 500;

/** Reads `drive_days.csv.gz`. @throws {ForestayError} `TRAINING_DATA_INVALID`. */
export async function readDriveDays(folder: string): Promise<DriveDays> {
  const table = await readTableAt(join(folder, 'drive_days.csv'));
  const serials = table.texts('serial_number');
  const dates = table.texts('date');
  checkKeys(table, serials, dates);
  const {path, rows} = table;
  const models = table.texts('model');
  return {path, rows, serials, dates, models, signals: readSignals(table)};
}

function checkKeys(table: TextTable, serials: readonly string[], dates: readonly string[]): void {
  const seen = new Set<string>();
  for (const [row, serial] of serials.entries()) {
    const date = dates[row] as string;
    const key = `${serial} on ${date}`;
    if (serial === '') throw invalidRecording(table.path, `row ${row + 1} has no serial_number`);
    if (parseTime(date) === undefined) {
      throw invalidRecording(table.path, `row ${row + 1} has "${date}" for a date`);
    }
    if (seen.has(key)) throw invalidRecording(table.path, `it has ${key} twice`);
    seen.add(key);
  }
}

/** The labels as they lie in a folder, not looked at yet. */
export async function readLabels(folder: string): Promise<LabelFile> {
  const table = await readTableAt(join(folder, 'labels.csv'));
  const serials = table.texts('serial_number');
  const dates = table.texts('date');
  checkKeys(table, serials, dates);
  const optional = (name: string) => (table.header.includes(name) ? table.texts(name) : undefined);
  return {
    path: table.path,
    rowOf: new Map(serials.map((serial, row) => [`${serial} ${dates[row]}`, row])),
    labels: table.texts('failure_next_7d'),
    failureDates: optional('failure_date'),
    categories: optional('demo_category'),
  };
}

export type LabelFile = {
  readonly path: string;
  readonly rowOf: ReadonlyMap<string, number>;
  readonly labels: readonly string[];
  readonly failureDates: readonly string[] | undefined;
  readonly categories: readonly string[] | undefined;
};

/**
 * What became of the drives of some rows; labels of other drives are not looked at.
 *
 * @throws {ForestayError} `TRAINING_DATA_INVALID` if a row has no label, one that is not 0 or 1, or
 *   one that its failure date denies; and if no row is healthy.
 */
export function outcomesOf(days: DriveDays, rows: Int32Array, file: LabelFile): Outcomes {
  const weights = new Float64Array(days.rows);
  const healthy = rows.filter(row => {
    const serial = days.serials[row] as string;
    const date = days.dates[row] as string;
    const at = file.rowOf.get(`${serial} ${date}`);
    if (at === undefined)
      throw invalidRecording(file.path, `it has no label of ${serial} on ${date}`);
    const label = file.labels[at];
    if (label !== '0' && label !== '1') {
      throw invalidRecording(file.path, `${serial} on ${date} has label "${label}", not 0 or 1`);
    }
    const daysLeft = daysToFailure(file, at, serial, date);
    if (file.failureDates) checkLabel(file.path, serial, date, label === '1', daysLeft);
    weights[row] = file.categories?.[at] === 'normal_sample' ? SAMPLED_STAND_FOR : 1;
    // A drive that failed and came back is no example of a healthy one.
    return label === '0' && daysLeft > 0;
  });
  if (healthy.length === 0) {
    throw invalidRecording(
      file.path,
      `of ${rows.length} rows to learn from none is of a healthy drive`,
    );
  }
  return {healthy, weights};
}

/** Infinite for a drive that is not known to fail; 0 and less from the day of its failure on. */
function daysToFailure(
  {path, failureDates}: LabelFile,
  at: number,
  serial: string,
  date: string,
): number {
  const failureDate = failureDates?.[at] ?? '';
  if (failureDate === '') return Number.POSITIVE_INFINITY;
  const failedMs = parseTime(failureDate);
  if (failedMs === undefined) {
    throw invalidRecording(path, `${serial} on ${date} has "${failureDate}" for a failure_date`);
  }
  return (failedMs - (parseTime(date) as number)) / DAY_MS;
}

/** A label and the failure that it was made from must say the same. */
function checkLabel(
  path: string,
  serial: string,
  date: string,
  fails: boolean,
  daysLeft: number,
): void {
  if (fails === (daysLeft >= 1 && daysLeft <= HORIZON_DAYS)) return;
  throw invalidRecording(
    path,
    `${serial} on ${date} has label ${fails ? 1 : 0}, but its failure_date is ` +
      `${Number.isFinite(daysLeft) ? `${daysLeft} days later` : 'empty'} ` +
      `(1 is a failure within 1 to ${HORIZON_DAYS} days)`,
  );
}
