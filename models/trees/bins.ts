/** Bin 0 is "missing"; values take bins 1 … 255. */
export const MISSING_BIN = 0;
const BINS_MAX = 255;

/** A table of features as small integers, which is all that growing a tree looks at. */
export type BinnedTable = {
  readonly rows: number;
  readonly columns: number;
  /** Rows × columns, row-major. */
  readonly codes: Uint8Array;
  /** Per column, ascending: a value ≤ edges[b − 1] and > edges[b − 2] is in bin b. */
  readonly edges: readonly Float32Array[];
  /** Where each column's bins start in a histogram; one more entry for the end. */
  readonly offsets: Int32Array;
};

/**
 * Cuts every column at quantiles of its distinct values and codes all rows by them.
 *
 * A value that alone fills more than a bin's share gets a bin of its own and the others share what
 * is left, so that a counter that is nearly always zero still has its tail resolved.
 *
 * @param features Rows × columns, row-major; NaN is missing.
 * @param reference Rows from which the cuts are made.
 */
export function binTable(
  features: Float32Array,
  columns: number,
  reference: Int32Array,
  binsMax: number = BINS_MAX,
): BinnedTable {
  const rows = features.length / columns;
  const codes = new Uint8Array(rows * columns);
  const offsets = new Int32Array(columns + 1);
  const edges: Float32Array[] = [];
  for (let column = 0; column < columns; column++) {
    const cuts = cutColumn(features, columns, column, reference, Math.min(binsMax, BINS_MAX));
    edges.push(cuts);
    offsets[column + 1] = (offsets[column] as number) + cuts.length + 2;
    for (let row = 0, at = column; row < rows; row++, at += columns) {
      codes[at] = binOf(cuts, features[at] as number);
    }
  }
  return {rows, columns, codes, edges, offsets};
}

/** The bin of a value: 1 + the number of edges below it. */
export function binOf(edges: Float32Array, value: number): number {
  if (value !== value) return MISSING_BIN;
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > (edges[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low + 1;
}

function cutColumn(
  features: Float32Array,
  columns: number,
  column: number,
  reference: Int32Array,
  bins: number,
): Float32Array {
  const present = new Float32Array(reference.length);
  let count = 0;
  for (const row of reference) {
    const value = features[row * columns + column] as number;
    if (value === value) present[count++] = value;
  }
  const values = present.subarray(0, count).sort();
  const edges: number[] = [];
  let inBin = 0;
  let left = count;
  for (let at = 0; at < count; ) {
    const value = values[at] as number;
    let next = at + 1;
    while (next < count && values[next] === value) next++;
    inBin += next - at;
    const share = left / (bins - edges.length);
    if (next < count && inBin >= share && edges.length < bins - 1) {
      edges.push(Math.fround((value + (values[next] as number)) / 2));
      left -= inBin;
      inBin = 0;
    }
    at = next;
  }
  return Float32Array.from(edges);
}
