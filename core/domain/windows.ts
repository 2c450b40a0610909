/**
 * Exponentially weighted windows of all entities of one metric set, in typed arrays.
 *
 * W1. A row's state depends only on its own samples in time order, not on how they were batched.
 * W2. A sample that is not newer than the row's newest is late: it is refused, not averaged in.
 * W3. NaN is missing: it leaves the column as it was, and the column turns missing again when it
 *     had no value for {@link MISSING_AFTER_MS}.
 * W4. State is a fixed number of floats a column, whatever the sampling rate: no replay is needed
 *     to rebuild it, and a checkpoint holds all of it.
 */

/** Time constants of the two averages. */
export const FAST_MS = 30_000;
export const SLOW_MS = 600_000;
const MISSING_AFTER_MS = 300_000;

export type Windows = {
  readonly columns: number;
  capacity: number;
  /** Newest sample of each row, in edge time clamped to tick time; 0: none yet. */
  lastMs: Float64Array;
  /** First sample of each row: how much history the averages rest on. */
  firstMs: Float64Array;
  /** row × columns each. */
  fast: Float32Array;
  slow: Float32Array;
  /** Slow average of squared deviations from `slow`. */
  spread: Float32Array;
  seenMs: Float64Array;
};

/** @param columns None for a set of which only the times of samples are kept. */
export function createWindows(columns: number, capacity = 16): Windows {
  const cells = columns * capacity;
  return {
    columns,
    capacity,
    lastMs: new Float64Array(capacity),
    firstMs: new Float64Array(capacity),
    fast: new Float32Array(cells).fill(Number.NaN),
    slow: new Float32Array(cells).fill(Number.NaN),
    spread: new Float32Array(cells),
    seenMs: new Float64Array(cells),
  };
}

/** Makes room for `rows` rows; amortised constant a row. */
export function growWindows(windows: Windows, rows: number): void {
  if (rows <= windows.capacity) return;
  const capacity = Math.max(rows, windows.capacity * 2);
  const wider = createWindows(windows.columns, capacity);
  for (const name of ['lastMs', 'firstMs', 'fast', 'slow', 'spread', 'seenMs'] as const) {
    wider[name].set(windows[name]);
  }
  Object.assign(windows, wider);
}

/** Whether any column of a row has a value: of one that measures nothing a model knows nothing. */
export function hasValue({columns, fast}: Windows, row: number): boolean {
  for (let at = row * columns; at < (row + 1) * columns; at++) {
    if (!Number.isNaN(fast[at] as number)) return true;
  }
  return false;
}

/** Empties one row, for an entity that is new or has been away. */
export function clearRow(windows: Windows, row: number): void {
  const from = row * windows.columns;
  const to = from + windows.columns;
  windows.lastMs[row] = 0;
  windows.firstMs[row] = 0;
  windows.fast.fill(Number.NaN, from, to);
  windows.slow.fill(Number.NaN, from, to);
  windows.spread.fill(0, from, to);
  windows.seenMs.fill(0, from, to);
}

/** {@link observe} but for the values: all there is to do where no averages are kept. */
export function observeTime({lastMs, firstMs}: Windows, row: number, atMs: number): boolean {
  const previousMs = lastMs[row] as number;
  if (atMs <= previousMs) return false;
  if (previousMs === 0) firstMs[row] = atMs;
  lastMs[row] = atMs;
  return true;
}

/**
 * Takes one sample into a row.
 *
 * @param values The sample's columns, strided: column c is at `offset + c * stride`.
 * @returns False if the sample was late (W2).
 */
export function observe(
  windows: Windows,
  row: number,
  atMs: number,
  values: Float32Array,
  offset: number,
  stride: number,
): boolean {
  const previousMs = windows.lastMs[row] as number;
  if (!observeTime(windows, row, atMs)) return false;
  if (windows.columns === 0) return true;
  const elapsedMs = atMs - previousMs;
  const fastWeight = previousMs === 0 ? 1 : 1 - Math.exp(-elapsedMs / FAST_MS);
  const slowWeight = previousMs === 0 ? 1 : 1 - Math.exp(-elapsedMs / SLOW_MS);
  const {columns, fast, slow, spread, seenMs} = windows;
  let cell = row * columns;
  for (let column = 0, at = offset; column < columns; column++, at += stride, cell++) {
    const value = values[at] as number;
    if (value !== value) {
      if (atMs - (seenMs[cell] as number) > MISSING_AFTER_MS) forget(windows, cell);
      continue;
    }
    seenMs[cell] = atMs;
    const fastBefore = fast[cell] as number;
    if (fastBefore !== fastBefore) {
      fast[cell] = value;
      slow[cell] = value;
      continue;
    }
    fast[cell] = fastBefore + fastWeight * (value - fastBefore);
    const slowBefore = slow[cell] as number;
    const deviation = value - slowBefore;
    slow[cell] = slowBefore + slowWeight * deviation;
    const spreadBefore = spread[cell] as number;
    spread[cell] = spreadBefore + slowWeight * (deviation * deviation - spreadBefore);
  }
  return true;
}

function forget(windows: Windows, cell: number): void {
  windows.fast[cell] = Number.NaN;
  windows.slow[cell] = Number.NaN;
  windows.spread[cell] = 0;
}
