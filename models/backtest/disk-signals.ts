import type {TextTable} from '../data/table.ts';

/** Bad sectors: reallocated, waiting for reallocation, not correctable. */
const DEFECTS = ['smart_5', 'smart_197', 'smart_198'];

/**
 * What speaks for a failure in the row of a drive and a day: of each kind of defect the worst of
 * the week and what was added in a week and in a day; read errors; seek errors and those that a
 * week added. Only the row itself is looked at, and its changes are those from the drive's past.
 * What is missing, or fell, is no evidence: 0.
 *
 * Seagate packs two counters into one: errors are in the upper bits, operations in the lower 32.
 *
 * @returns One array a signal, by row; the more, the worse.
 * @throws {ForestayError} `TRAINING_DATA_INVALID` if a column is not there or no number.
 */
export function readSignals(table: TextTable): readonly Float64Array[] {
  const models = table.texts('model');
  const column = (name: string) => table.numbers(name).map(evidence);
  const errors = (name: string) =>
    column(name).map((value, row) =>
      models[row]?.startsWith('ST') ? Math.floor(value / 2 ** 32) : value,
    );
  return [
    ...DEFECTS.map(defect => column(`${defect}_raw_max_7d`)),
    ...DEFECTS.map(defect => column(`${defect}_raw_delta_7d`)),
    ...DEFECTS.map(defect => column(`${defect}_raw_delta_1d`)),
    ...['smart_1_raw_max_7d', 'smart_7_raw_max_7d', 'smart_7_raw_delta_7d'].map(errors),
  ];
}

/** Infinite is not a reading. */
function evidence(value: number): number {
  return Number.isFinite(value) ? Math.max(value, 0) : 0;
}
