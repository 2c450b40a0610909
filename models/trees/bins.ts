import assert from 'node:assert/strict';

/** Bin 0 is "missing"; values take bins 1 … 255. */
export const MISSING_BIN = 0;
const BINS_MAX = 255;

/** A table of features as small integers, which is all that growing a tree looks at. */
export type BinnedTable = {
  readonly rows: number;
  readonly columns: number;
  /** Columns rounded up to a multiple of four: codes are read four at a time. */
  readonly width: number;
  /** Rows × width, row-major; what is beyond the columns is 0. */
  readonly codes: Uint8Array;
  /** The same bytes as words. */
  readonly words: Uint32Array;
  /** The same codes once more, columns × rows: dividing rows asks for one column of them all. */
  readonly columnCodes: Uint8Array;
  /** Per column, ascending: a value ≤ edges[b − 1] and > edges[b − 2] is in bin b. */
  readonly edges: readonly Float32Array[];
  /** Every column has 2^binBits places in a histogram. */
  readonly binBits: number;
};

/** Words are taken apart by shifts: their first byte must be the lowest. */
assert(new Uint8Array(Uint32Array.of(1).buffer)[0] === 1, 'bins need a little-endian machine');

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
  const width = 4 * Math.ceil(columns / 4);
  const codes = new Uint8Array(rows * width);
  const words = new Uint32Array(codes.buffer);
  const edges = Array.from({length: columns}, (_, column) =>
    cutColumn(features, columns, column, reference, Math.min(binsMax, BINS_MAX)),
  );
  const columnCodes = new Uint8Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = features[row * columns + column] as number;
      const code = binOf(edges[column] as Float32Array, value);
      codes[row * width + column] = code;
      columnCodes[column * rows + row] = code;
    }
  }
  const places = 2 + Math.max(0, ...edges.map(cuts => cuts.length));
  const binBits = Math.ceil(Math.log2(places));
  return {rows, columns, width, codes, words, columnCodes, edges, binBits};
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
