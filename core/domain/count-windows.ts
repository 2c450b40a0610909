/**
 * Windows of the last N samples of all entities of one metric set.
 *
 * Samples are taken in panes of `stride` (Li et al. 2005, "No pane, no gain"). A pane is summed up
 * once; the panes of a window are held in two stacks (Tangwongsan et al. 2017, "Low-latency
 * sliding-window aggregation"): sums of suffixes of the older panes, and one sum of the newer. So a
 * pane costs three merges whatever the window's length, and as nothing is ever subtracted nothing
 * drifts. The sums are pane-kernel.ts's, which takes samples in runs: they are staged, what each
 * does is noted, then all of it is done in one go.
 *
 * C1. A row's state depends only on its own samples in order, not on how they were batched.
 * C2. A window is that of its row's last closed pane; rows close theirs at different samples (row
 *     number modulo stride), so that work is spread evenly.
 * C3. NaN is missing: while one is in the window, mean, deviation and slope are NaN; minimum and
 *     maximum are of the values that are there.
 */
import {
  createPaneKernel,
  KINDS,
  layoutOf,
  type PaneKernel,
  type PaneShape,
  RUN_MAX,
  STEP_WORDS,
} from './pane-kernel.ts';
import {createMemory, growMemory, type WasmMemory} from './wasm-assembler.ts';

export type CountWindows = PaneShape & {
  capacity: number;
  /** Samples of each row in whole panes and the open one; negative before its first pane. */
  taken: Int32Array;
  /** All of the kernel's memory, and the same as words. */
  cells: Float32Array;
  words: Int32Array;
  /** Of the run that is being made: its samples, and how many of them have features wanted. */
  queued: number;
  wanted: number;
  /** Cells of a value of every metric, of a row, and before the first row. */
  readonly line: number;
  readonly row: number;
  readonly head: number;
  /** Where the kernel leaves one row's features; a run's steps, samples and features. */
  readonly features: number;
  readonly runSteps: number;
  readonly runSamples: number;
  readonly runFeatures: number;
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
    words: new Int32Array(memory.buffer),
    queued: 0,
    wanted: 0,
    line: layout.line / CELL_BYTES,
    row: layout.row / CELL_BYTES,
    head: layout.rows / CELL_BYTES,
    features: layout.features / CELL_BYTES,
    runSteps: layout.steps / CELL_BYTES,
    runSamples: layout.samples / CELL_BYTES,
    runFeatures: layout.wanted / CELL_BYTES,
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
  windows.words = new Int32Array(memory.buffer);
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
 * Brings samples to where a run reads them.
 *
 * @param values The samples' columns: column c of the first is at `offset + c * stride`.
 * @param columns Of the metrics; -1: the set has none, its values are missing.
 * @param count At most RUN_MAX.
 */
export function stageSamples(
  {metrics, cells, runSamples}: CountWindows,
  values: Float32Array,
  offset: number,
  valuesStride: number,
  columns: Int32Array,
  count: number,
): void {
  for (let metric = 0, to = runSamples; metric < metrics; metric++, to += RUN_MAX) {
    const column = columns[metric] as number;
    const from = offset + column * valuesStride;
    if (column < 0) cells.fill(Number.NaN, to, to + count);
    else if (count === 1) cells[to] = values[from] as number;
    else cells.set(values.subarray(from, from + count), to);
  }
}

/**
 * Notes that a staged sample is its row's newest. Rows may not be added before the run was taken.
 *
 * @param staged Its number among the staged ones; each is noted once at most.
 * @returns Whether its features will be among those of the run: they are wanted and its window is
 *   full.
 */
export function queueSample(
  windows: CountWindows,
  row: number,
  staged: number,
  isWanted: boolean,
): boolean {
  const {stride, panes, taken, words, line} = windows;
  const position = taken[row] as number;
  taken[row] = position + 1;
  const slot = position < 0 ? position + stride : position % stride;
  const rowAt = windows.head + row * windows.row;
  const pane = (Math.floor((position + 1) / stride) - 1) % panes;
  const isFound = isWanted && position + 1 >= panes * stride;
  const step = windows.runSteps + windows.queued++ * STEP_WORDS;
  words[step] = (rowAt + slot * line) * CELL_BYTES;
  words[step + 1] = staged * CELL_BYTES;
  words[step + 2] = rowAt * CELL_BYTES;
  words[step + 3] = slot === stride - 1 && position >= 0 ? pane : -1;
  words[step + 4] = isFound ? pane : -1;
  if (isFound) windows.wanted++;
  return isFound;
}

/**
 * Takes what was queued.
 *
 * @returns The features that were wanted, in order, metrics × COUNT_KINDS values each; they stand
 *   until the next run.
 */
export function takeQueued(windows: CountWindows): Float32Array {
  const {kernel, cells, metrics, runSteps, runFeatures, queued, wanted} = windows;
  windows.queued = 0;
  windows.wanted = 0;
  if (queued > 0) {
    kernel.take(runSteps * CELL_BYTES, (runSteps + queued * STEP_WORDS) * CELL_BYTES);
  }
  return cells.subarray(runFeatures, runFeatures + wanted * metrics * KINDS);
}

/** Takes the newest sample of a row: a run of one. Parameters are those of {@link stageSamples}. */
export function countSample(
  windows: CountWindows,
  row: number,
  values: Float32Array,
  offset: number,
  valuesStride: number,
  columns: Int32Array,
): void {
  stageSamples(windows, values, offset, valuesStride, columns, 1);
  queueSample(windows, row, 0, false);
  takeQueued(windows);
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
  const rowAt = (windows.head + row * windows.row) * CELL_BYTES;
  windows.kernel.features(rowAt, slot, features * CELL_BYTES);
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
