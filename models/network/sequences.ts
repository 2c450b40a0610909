import {ForestayError} from '../../core/domain/errors.ts';

/** Samples of many sequences, such as hosts, with what should have been said at each. */
export type Sequences = {
  /** Features of a sample. */
  readonly columns: number;
  /** rows × columns; NaN is missing. Rows of a sequence are evenly spaced in time, oldest first. */
  readonly features: Float32Array;
  /** The first row of every sequence, and after the last one the number of rows. */
  readonly starts: Uint32Array;
  /** Values of a target. */
  readonly targetColumns: number;
  /** rows × targetColumns: probabilities of the classes, or the one value to forecast. */
  readonly targets: Float32Array;
  /** How much a row counts; 0: it is context, nothing is learned from its target. */
  readonly weights: Float32Array;
};

/**
 * Refuses what nothing can be learned from.
 *
 * @param classes Whether targets are probabilities of classes.
 * @throws {ForestayError} `TRAINING_DATA_INVALID` for lengths that contradict each other, sequences
 *   out of order, weights that are negative or all 0, targets that are no probabilities or no
 *   numbers, a single class, or features that are all missing.
 */
export function checkSequences(data: Sequences, classes: boolean, subject: string): void {
  const {columns, features, starts, targetColumns, targets, weights} = data;
  const rows = weights.length;
  const refuse = (reason: string): never => {
    throw new ForestayError(
      'TRAINING_DATA_INVALID',
      `cannot train a network on the ${subject} data: ${reason}`,
      {details: {subject}},
    );
  };
  if (features.length !== rows * columns || targets.length !== rows * targetColumns) {
    refuse(
      `${rows} weights, but ${features.length} values of ${columns} features and ` +
        `${targets.length} of ${targetColumns} targets`,
    );
  }
  const ordered = starts.every((start, at) => at === 0 || start >= (starts[at - 1] as number));
  if (!ordered || starts[0] !== 0 || starts.at(-1) !== rows) {
    refuse(`sequences must begin at row 0, one after another, and end at row ${rows}`);
  }
  const used = new Float64Array(targetColumns);
  for (let row = 0; row < rows; row++) {
    const weight = weights[row] as number;
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) refuse(`row ${row} weighs ${weight}`);
    if (weight === 0) continue;
    let sum = 0;
    for (let column = 0; column < targetColumns; column++) {
      const target = targets[row * targetColumns + column] as number;
      if (!Number.isFinite(target) || (classes && target < 0)) {
        refuse(`target ${column} of row ${row} is ${target}`);
      }
      sum += target;
      used[column] = (used[column] as number) + Math.abs(weight * target);
    }
    if (classes && Math.abs(sum - 1) > 1e-3) {
      refuse(`the probabilities of row ${row} add up to ${sum}, not to 1`);
    }
  }
  if (!weights.some(weight => weight > 0)) refuse(`none of its ${rows} rows has a weight`);
  if (classes && used.filter(share => share > 0).length < 2) {
    refuse('all rows are of one class; add rows of another one');
  }
  if (features.every(Number.isNaN)) refuse('all features are missing');
}
