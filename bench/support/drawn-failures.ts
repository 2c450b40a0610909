import {createUniform} from '../../models/random.ts';

export type DrawnFailures = {
  readonly rows: number;
  readonly columns: number;
  /** Rows × columns, row-major; NaN is missing. */
  readonly features: Float32Array;
  /** One a row: 0 or 1. */
  readonly labels: Uint8Array;
};

/** Positives: about 2.6 % at 0 missing columns, a little less with them. */
const INTERCEPT = -5.2;

/**
 * Rows of what sensors look like, with rare positives: levels (bell-shaped), counters (nearly
 * always zero, with a long tail), and load (uniform), in turns. Twelve columns decide: thresholds,
 * sums, a product, a counter's logarithm, and one that is missing more often where the risk is high.
 * Only additions, products and a logarithm, so that equal seeds give equal rows on every machine.
 *
 * @param columns At least 12.
 * @param missingShare Of all values.
 */
export function drawFailures(
  seed: number,
  rows: number,
  columns: number,
  missingShare = 0.02,
): DrawnFailures {
  const random = createUniform(seed);
  const features = new Float32Array(rows * columns);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const values = features.subarray(row * columns, (row + 1) * columns);
    for (let column = 0; column < columns; column++) values[column] = drawValue(column, random);
    const positive = random() < 1 / (1 + Math.exp(-logOdds(values)));
    labels[row] = positive ? 1 : 0;
    for (let column = 0; column < columns; column++) {
      const share = column === 9 && positive ? 0.3 : missingShare;
      if (random() < share) values[column] = Number.NaN;
    }
  }
  return {rows, columns, features, labels};
}

function drawValue(column: number, random: () => number): number {
  if (column % 3 === 0) return random() + random() + random() + random() - 2;
  if (column % 3 === 1) return random() < 0.9 ? 0 : Math.floor(1 / (random() + 0.001));
  return random();
}

function logOdds(values: Float32Array): number {
  const [level, errors, load, heat, retries, use] = values as unknown as number[];
  const [fan, drops, , , slow, wait] = values.subarray(6) as unknown as number[];
  return (
    INTERCEPT +
    1.2 * (level as number) +
    0.7 * Math.log(1 + (errors as number)) +
    ((load as number) > 0.9 ? 1.5 : 0) +
    2 * (heat as number) * ((use as number) - 0.5) +
    ((retries as number) > 20 ? 2 : 0) +
    ((fan as number) < -1 ? 1 : 0) +
    0.3 * Math.log(1 + (drops as number)) +
    ((slow as number) > 0 && (wait as number) > 0.7 ? 1.5 : 0) +
    0.8 * (wait as number)
  );
}
