import type {BinnedTable} from './bins.ts';

/**
 * Sums of gradients and second derivatives of a node's rows: bin b of a column is at
 * 2 × (2^binBits × column + b) and the place after it.
 */
export type Histogram = Float64Array;

export function createHistogram({width, binBits}: BinnedTable): Histogram {
  return new Float64Array((2 * width) << binBits);
}

/**
 * Fills `into` with the sums of the rows `rows[from … to)`, at least for the given columns.
 *
 * @param derivatives First and second derivative of the loss in turns, by row of the table.
 * Cost: of many columns about 1.2 ns, of few about 2.5 ns, a row and column.
 */
export function sumHistogram(
  into: Histogram,
  table: BinnedTable,
  columns: Int32Array,
  rows: Int32Array,
  from: number,
  to: number,
  derivatives: Float64Array,
): void {
  if (2 * columns.length > table.columns) {
    sumAllColumns(into, table, rows, from, to, derivatives);
  } else {
    sumColumns(into, table, columns, rows, from, to, derivatives);
  }
}

/** Four columns a turn: one read of codes, and no look-up of where a column starts. */
function sumAllColumns(
  into: Histogram,
  table: BinnedTable,
  rows: Int32Array,
  from: number,
  to: number,
  derivatives: Float64Array,
): void {
  into.fill(0);
  const {words} = table;
  const wordsOfRow = table.width / 4;
  const column = 2 << table.binBits;
  for (let at = from; at < to; at++) {
    const row = rows[at] as number;
    const gradient = derivatives[2 * row] as number;
    const hessian = derivatives[2 * row + 1] as number;
    const end = (row + 1) * wordsOfRow;
    let start = 0;
    for (let word = row * wordsOfRow; word < end; word++) {
      const codes = words[word] as number;
      let cell = start + ((codes & 255) << 1);
      into[cell] = (into[cell] as number) + gradient;
      into[cell + 1] = (into[cell + 1] as number) + hessian;
      start += column;
      cell = start + ((codes >>> 7) & 510);
      into[cell] = (into[cell] as number) + gradient;
      into[cell + 1] = (into[cell + 1] as number) + hessian;
      start += column;
      cell = start + ((codes >>> 15) & 510);
      into[cell] = (into[cell] as number) + gradient;
      into[cell + 1] = (into[cell + 1] as number) + hessian;
      start += column;
      cell = start + ((codes >>> 23) & 510);
      into[cell] = (into[cell] as number) + gradient;
      into[cell + 1] = (into[cell + 1] as number) + hessian;
      start += column;
    }
  }
}

function sumColumns(
  into: Histogram,
  table: BinnedTable,
  columns: Int32Array,
  rows: Int32Array,
  from: number,
  to: number,
  derivatives: Float64Array,
): void {
  const {codes, width, binBits} = table;
  for (const column of columns) into.fill(0, (2 * column) << binBits, (2 * column + 2) << binBits);
  for (let at = from; at < to; at++) {
    const row = rows[at] as number;
    const gradient = derivatives[2 * row] as number;
    const hessian = derivatives[2 * row + 1] as number;
    const start = row * width;
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index] as number;
      const cell = 2 * ((column << binBits) + (codes[start + column] as number));
      into[cell] = (into[cell] as number) + gradient;
      into[cell + 1] = (into[cell + 1] as number) + hessian;
    }
  }
}

/** Turns the parent's histogram into that of the sibling of `child`. */
export function subtractHistogram(parent: Histogram, child: Histogram): void {
  for (let at = 0; at < parent.length; at++) {
    parent[at] = (parent[at] as number) - (child[at] as number);
  }
}
