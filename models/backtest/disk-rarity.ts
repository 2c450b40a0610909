/** What drives that do not fail show, by drive model and signal: how rare is a value? */

/** A population's values of one signal, ascending, and what lies at or above each. */
type Tail = {readonly values: Float64Array; readonly above: Float64Array};

export type Rarity = {
  /** By drive model, then by signal. */
  readonly byModel: ReadonlyMap<string, readonly Tail[]>;
  /** All drive models together: for one that is not known. */
  readonly pooled: readonly Tail[];
};

/** Drive-days of which a drive model's own tails are made; fewer, and those of all are taken. */
const OWN_ROWS_MIN = 200;

/**
 * Learns how the signals of healthy drives are spread.
 *
 * @param signals By signal: one value a row.
 * @param rows Rows of healthy drive-days, at least one.
 * @param weights How many drive-days of the fleet each row of the table stands for.
 */
export function learnRarity(
  signals: readonly Float64Array[],
  models: readonly string[],
  rows: Int32Array,
  weights: Float64Array,
): Rarity {
  const groups = Map.groupBy(rows, row => models[row] as string);
  const tailsOf = (of: Int32Array) => signals.map(values => tailOf(values, of, weights));
  const byModel = [...groups]
    .filter(([, own]) => own.length >= OWN_ROWS_MIN)
    .map(([model, own]) => [model, tailsOf(Int32Array.from(own))] as const);
  return {byModel: new Map(byModel), pooled: tailsOf(rows)};
}

/**
 * How unlikely a healthy drive of this model is to show all of this: the sum over signals of
 * −log₁₀ P(at least this much). 0: nothing speaks against it. Signals are taken as independent,
 * which they are not: the order of drives is what counts.
 *
 * @see R. A. Fisher, "Statistical methods for research workers", 1932, §21.1 (combining tests);
 *   Z. Li, Y. Zhao, X. Hu et al., "ECOD: Unsupervised outlier detection using empirical cumulative
 *   distribution functions", IEEE TKDE 35(12), 2023 (tails of each column, summed).
 */
export function rarityOf(
  rarity: Rarity,
  signals: readonly Float64Array[],
  model: string,
  row: number,
): number {
  const tails = rarity.byModel.get(model) ?? rarity.pooled;
  let sum = 0;
  for (const [index, {values, above}] of tails.entries()) {
    const at = lowerBound(values, signals[index]?.[row] as number);
    // One row more than there is, so that what was never seen is rare and not impossible.
    const chance = ((above[at] as number) + 1) / ((above[0] as number) + 1);
    sum -= Math.log10(chance);
  }
  return sum;
}

/** The last risk that nine digits tell from certainty, which nothing is. */
const RISK_MAX = 1 - 1e-9;

/** In [0, 1), for ranking: no probability. */
export function toRisk(rarity: number): number {
  return Math.min(RISK_MAX, 1 - 10 ** (-rarity / 10));
}

function tailOf(values: Float64Array, rows: Int32Array, weights: Float64Array): Tail {
  const order = rows.toSorted((a, b) => (values[a] as number) - (values[b] as number) || a - b);
  const above = new Float64Array(order.length + 1);
  for (let at = order.length - 1; at >= 0; at--) {
    above[at] = (above[at + 1] as number) + (weights[order[at] as number] as number);
  }
  return {values: Float64Array.from(order, row => values[row] as number), above};
}

/** The first place whose value is not below. */
function lowerBound(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
