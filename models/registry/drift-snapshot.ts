/** How one feature was spread over the training rows, to measure drift against. */
export type FeatureSnapshot = {
  readonly feature: string;
  /** Ascending; values up to and including the first are in bin 0. */
  readonly edges: readonly number[];
  /** Of the rows, by bin: one more than edges; with `missing` they add up to 1. */
  readonly shares: readonly number[];
  readonly missing: number;
};

const BINS = 10;

/**
 * Bins of equal mass of every feature, for the population stability index (Siddiqi 2006). Values
 * that are often there make fewer bins; a feature that was never there has none.
 *
 * @param features Rows × names.
 */
export function snapshotFeatures(
  features: Float32Array,
  names: readonly string[],
): FeatureSnapshot[] {
  const rows = features.length / names.length;
  return names.map((feature, column) => {
    const values = Float32Array.from(
      {length: rows},
      (_, row) => features[row * names.length + column] as number,
    )
      .filter(value => !Number.isNaN(value))
      .sort();
    const missing = rounded(1 - values.length / rows);
    if (values.length === 0) return {feature, edges: [], shares: [], missing};
    const cuts = Array.from(
      {length: BINS - 1},
      (_, bin) => values[Math.ceil(((bin + 1) * values.length) / BINS) - 1] as number,
    );
    const edges = [...new Set(cuts)].filter(edge => edge < (values.at(-1) as number));
    const shares = new Array<number>(edges.length + 1).fill(0);
    let bin = 0;
    for (const value of values) {
      while (bin < edges.length && value > (edges[bin] as number)) bin++;
      shares[bin] = (shares[bin] as number) + 1 / rows;
    }
    return {feature, edges, shares: shares.map(rounded), missing};
  });
}

function rounded(share: number): number {
  return Number(share.toFixed(6));
}
