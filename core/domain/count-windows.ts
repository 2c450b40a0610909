/**
 * Windows of the last N samples of all entities of one metric set.
 *
 * Samples are taken in panes of `stride` (Li et al. 2005, "No pane, no gain"). A pane is summed up
 * once; the panes of a window are held in two stacks (Tangwongsan et al. 2017, "Low-latency
 * sliding-window aggregation"): sums of suffixes of the older panes, and one sum of the newer. So a
 * pane costs three merges whatever the window's length, and as nothing is ever subtracted nothing
 * drifts. The sums are pane-kernel.ts's.
 *
 * C1. A row's state depends only on its own samples in order, not on how they were batched.
 * C2. A window is that of its row's last closed pane; rows close theirs at different samples (row
 *     number modulo stride), so that work is spread evenly.
 * C3. NaN is missing: while one is in the window, mean, deviation and slope are NaN; minimum and
 *     maximum are of the values that are there.
 */
import {createPaneKernel, KINDS, layoutOf, type PaneKernel, type PaneShape} from './pane-kernel.ts';
import {createMemory, growMemory, type WasmMemory} from './wasm-assembler.ts';

export type CountWindows = PaneShape & {
  capacity: number;
  /** Samples of each row in whole panes and the open one; negative before its first pane. */
  taken: Int32Array;
  /** All of the kernel's memory. */
  cells: Float32Array;
  /** Cells of a value of every metric, of a row, and before the first row. */
  readonly line: number;
  readonly row: number;
  readonly head: number;
  /** Where the kernel leaves features. */
  readonly features: number;
  readonly memory: WasmMemory;
  readonly kernel: PaneKernel;
};

/** As it can be kept and copied. */
export type StoredCountWindows = PaneShape & {taken: Int32Array; rows: Float32Array};

const CELL_BYTES = 4;

export function createCountWindows(
  metrics: number,
  window: number,
  stride: number,
  capacity = 16,
): CountWindows {
  const shape = {metrics, stride, panes: window / stride};
  const layout = layoutOf(shape);
  const memory = createMemory();
  const windows: CountWindows = {
    ...shape,
    capacity: 0,
    taken: new Int32Array(0),
    cells: new Float32Array(memory.buffer),
    line: layout.line / CELL_BYTES,
    row: layout.row / CELL_BYTES,
    head: layout.rows / CELL_BYTES,
    features: layout.features / CELL_BYTES,
    memory,
    kernel: createPaneKernel(shape, memory),
  };
  growCountWindows(windows, capacity);
  return windows;
}

/** Makes room for `rows` rows; amortised constant a row. */
export function growCountWindows(windows: CountWindows, rows: number): void {
  if (rows <= windows.capacity) return;
  const {memory, head, row: cellsOfRow, stride, capacity: before} = windows;
  const capacity = Math.max(rows, before * 2);
  growMemory(memory, (head + capacity * cellsOfRow) * CELL_BYTES);
  windows.cells = new Float32Array(memory.buffer);
  const taken = new Int32Array(capacity);
  taken.set(windows.taken);
  for (let row = before; row < capacity; row++) taken[row] = firstOf(row, stride);
  windows.taken = taken;
  windows.capacity = capacity;
}

/** Empties one row, for an entity that is new or has been away. */
export function clearCountRow(windows: CountWindows, row: number): void {
  windows.taken[row] = firstOf(row, windows.stride);
}

/** C2: what comes before the first whole pane is left out. */
function firstOf(row: number, stride: number): number {
  const phase = row % stride;
  return phase === 0 ? 0 : phase - stride;
}

/** Whether the row has had a whole window. */
export function isWindowFull({taken, stride, panes}: CountWindows, row: number): boolean {
  return (taken[row] as number) >= panes * stride;
}

/**
 * Takes the newest sample of a row.
 *
 * @param values The sample's columns, strided: column c is at `offset + c * stride`.
 * @param columns Of the metrics; -1: the set has none, its values are missing.
 */
export function countSample(
  windows: CountWindows,
  row: number,
  values: Float32Array,
  offset: number,
  valuesStride: number,
  columns: Int32Array,
): void {
  const {metrics, stride, panes, cells, taken, line} = windows;
  const position = taken[row] as number;
  taken[row] = position + 1;
  const slot = position < 0 ? position + stride : position % stride;
  const from = windows.head + row * windows.row;
  let at = from + slot * line;
  for (let metric = 0; metric < metrics; metric++, at++) {
    const column = columns[metric] as number;
    cells[at] = column < 0 ? Number.NaN : (values[offset + column * valuesStride] as number);
  }
  if (slot < stride - 1 || position < 0) return;
  windows.kernel.close(from * CELL_BYTES, ((position + 1) / stride - 1) % panes);
}

/**
 * Writes the features of a row's newest window to `into` at `offset`: metrics × COUNT_KINDS values,
 * NaN while it has none. Allocates nothing.
 */
export function extractCountFeatures(
  windows: CountWindows,
  row: number,
  into: Float32Array,
  offset: number,
): void {
  const {metrics, panes, stride, taken, cells, features} = windows;
  const width = metrics * KINDS;
  if (!isWindowFull(windows, row)) {
    into.fill(Number.NaN, offset, offset + width);
    return;
  }
  const slot = (Math.floor((taken[row] as number) / stride) - 1) % panes;
  windows.kernel.features((windows.head + row * windows.row) * CELL_BYTES, slot);
  for (let at = 0; at < width; at++) into[offset + at] = cells[features + at] as number;
}

/** A copy of the first rows. */
export function storeCountWindows(windows: CountWindows, rows: number): StoredCountWindows {
  const {metrics, stride, panes, taken, cells, head, row} = windows;
  return {
    metrics,
    stride,
    panes,
    taken: taken.slice(0, rows),
    rows: cells.slice(head, head + rows * row),
  };
}

export function restoreCountWindows(stored: StoredCountWindows, capacity: number): CountWindows {
  const {metrics, stride, panes, taken, rows} = stored;
  const windows = createCountWindows(metrics, panes * stride, stride, capacity);
  windows.taken.set(taken);
  windows.cells.set(rows, windows.head);
  return windows;
}
