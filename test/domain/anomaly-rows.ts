import {createUniform} from '../../models/random.ts';

export const ROW_COLUMNS = ['load', 'io', 'errors', 'heat'];

/**
 * Rows of a host whose metrics follow a common load, but for errors, which stay at 0. In rows from
 * `oddFrom` up to `oddTo` io goes its own way, within its usual range.
 */
export function drawRows(seed: number, rows: number, oddFrom = rows, oddTo = rows): Float64Array {
  const random = createUniform(seed);
  const values = new Float64Array(rows * 4);
  let [drift, heat] = [0, 0.4];
  for (let row = 0; row < rows; row++) {
    drift = 0.9 * drift + 0.1 * (random() - 0.5);
    const load = 0.5 + 0.2 * Math.sin((2 * Math.PI * row) / 97) + drift;
    const isOdd = row >= oddFrom && row < oddTo;
    const io = 0.6 * (isOdd ? 1 - load : load) + 0.02 * (random() - 0.5);
    heat = 0.8 * heat + 0.2 * (0.2 + 0.4 * load) + 0.01 * (random() - 0.5);
    values.set([load, io, 0, heat], row * 4);
  }
  return values;
}
