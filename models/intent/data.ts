import {ForestayError} from '../../core/domain/errors.ts';
import {CAUSES} from '../../core/domain/reboot-risks.ts';
import {quantile} from '../metrics.ts';
import {RISK_CLASSES, riskClass} from '../network/competing-risks.ts';
import type {Sequences} from '../network/sequences.ts';

/** Lives of hosts, sampled every step, and how each ended; a piece of training data, such as a fleet. */
export type Lives = {
  readonly rows: number;
  readonly columns: number;
  /** rows × columns; NaN is missing. */
  readonly features: Float32Array;
  /** First row of every life, and after the last one the number of rows. */
  readonly starts: Uint32Array;
  /** End of each row's step. */
  readonly second: Int32Array;
  /** From then until the host goes down; infinite: not within 30 minutes, as far as known. */
  readonly secondsToDown: Float32Array;
  /** Why: 1 + an index of {@link CAUSES}; 0 where nobody knows that it goes down. */
  readonly cause: Uint8Array;
};

/** A prime: no rhythm of the rows is met. */
const MEDIAN_EVERY_ROWS = 97;
const SLICES = {training: 0.7, validation: 0.15, calibration: 0.15};
export type IntentSlices = Readonly<Record<keyof typeof SLICES, Lives>>;

/**
 * Fleets in their order: the first teach, the next say when to stop, the last calibrate. No fleet is
 * on two sides: what happens in one happens to several of its hosts.
 *
 * @throws {ForestayError} `TRAINING_DATA_INVALID` for fewer fleets than slices.
 */
export function sliceFleets(fleets: readonly Lives[]): IntentSlices {
  const teaching = teachingFleets(fleets);
  const first = teaching.length;
  const second = Math.floor(fleets.length * (SLICES.training + SLICES.validation));
  if (first === 0 || second === first || second === fleets.length) {
    throw new ForestayError(
      'TRAINING_DATA_INVALID',
      `cannot train on ${fleets.length} fleets: some must teach, some say when to stop, some ` +
        'calibrate; give at least 7',
      {details: {fleets: fleets.length}},
    );
  }
  return {
    training: joinLives(teaching),
    validation: joinLives(fleets.slice(first, second)),
    calibration: joinLives(fleets.slice(second)),
  };
}

/** Those of the fleets that teach. */
export function teachingFleets(fleets: readonly Lives[]): readonly Lives[] {
  return fleets.slice(0, Math.floor(fleets.length * SLICES.training));
}

/** All lives one after the other. */
export function joinLives(parts: readonly Lives[]): Lives {
  const columns = parts[0]?.columns ?? 0;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const joined = {
    rows,
    columns,
    features: new Float32Array(rows * columns),
    second: new Int32Array(rows),
    secondsToDown: new Float32Array(rows),
    cause: new Uint8Array(rows),
  };
  const starts: number[] = [];
  let row = 0;
  for (const part of parts) {
    joined.features.set(part.features, row * columns);
    joined.second.set(part.second, row);
    joined.secondsToDown.set(part.secondsToDown, row);
    joined.cause.set(part.cause, row);
    for (const start of part.starts.subarray(0, -1)) starts.push(row + start);
    row += part.rows;
  }
  return {...joined, starts: Uint32Array.from([...starts, rows])};
}

/** Median of every input over rows spread over the fleets; NaN: never there. */
export function mediansOf(fleets: readonly Lives[]): Float32Array {
  const columns = fleets[0]?.columns ?? 0;
  return Float32Array.from({length: columns}, (_, column) => {
    const values: number[] = [];
    for (const {rows, features} of fleets) {
      for (let row = 0; row < rows; row += MEDIAN_EVERY_ROWS) {
        const value = features[row * columns + column] as number;
        if (!Number.isNaN(value)) values.push(value);
      }
    }
    return (
      quantile(
        values.sort((a, b) => a - b),
        0.5,
      ) ?? Number.NaN
    );
  });
}

/** The first `count` rows of the first life that is as long; of the first of all if none is. */
export function goldenRows({columns, starts, features}: Lives, count: number): Float32Array {
  const long = starts.findIndex((start, life) => (starts[life + 1] ?? start) - start >= count);
  const from = starts[Math.max(long, 0)] as number;
  return features.slice(from * columns, (from + count) * columns);
}

/** The lives as a network learns them: of every row the interval in which the host goes down, and why. */
export function toSequences(lives: Lives): Sequences {
  const {rows, columns, features, starts} = lives;
  const targets = new Float32Array(rows * RISK_CLASSES);
  for (let row = 0; row < rows; row++) targets[row * RISK_CLASSES + classOf(lives, row)] = 1;
  const weights = new Float32Array(rows).fill(1);
  return {columns, features, starts, targetColumns: RISK_CLASSES, targets, weights};
}

function classOf({secondsToDown, cause}: Lives, row: number): number {
  const minutes = (secondsToDown[row] as number) / 60;
  if (!Number.isFinite(minutes)) return riskClass(undefined);
  const why = CAUSES[(cause[row] as number) - 1];
  return riskClass(why === undefined ? undefined : {minutes, cause: why});
}
