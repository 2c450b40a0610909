/**
 * Windows of the last N samples of all entities of one metric set, in typed arrays.
 *
 * Samples are taken in panes of `stride` (Li et al. 2005, "No pane, no gain"). A pane is summed up
 * once; the panes of a window are held in two stacks (Tangwongsan et al. 2017): sums of suffixes of
 * the older panes, and one sum of the newer. So a pane costs three merges whatever the window's
 * length, and as nothing is ever subtracted nothing drifts.
 *
 * C1. A row's state depends only on its own samples in order, not on how they were batched.
 * C2. A window is that of its row's last closed pane; rows close theirs at different samples (row
 *     number modulo stride), so that work is spread evenly.
 * C3. NaN is missing: while one is in the window, mean, deviation and slope are NaN; minimum and
 *     maximum are of the values that are there.
 */
import {COUNT_KINDS} from './features.ts';

/** Mean, squared deviations, co-moment with the sample number, minimum, maximum. */
const SUMS = 5;

export type CountWindows = {
  readonly metrics: number;
  readonly stride: number;
  /** Panes in a window. */
  readonly panes: number;
  capacity: number;
  /** Samples of each row in whole panes and the open one; negative before its first pane. */
  taken: Int32Array;
  /** row × stride × metrics: samples of the open pane, slot 0 of the next one being the oldest. */
  open: Float32Array;
  /** row × metrics: newest sample of the last closed pane. */
  last: Float32Array;
  /** row × panes × sums × metrics: suffix sums of the older panes, or newer panes. */
  closed: Float32Array;
  /** row × sums × metrics: all the newer panes. */
  newer: Float32Array;
};

export function createCountWindows(
  metrics: number,
  window: number,
  stride: number,
  capacity = 16,
): CountWindows {
  const windows: CountWindows = {
    metrics,
    stride,
    panes: window / stride,
    capacity: 0,
    taken: new Int32Array(0),
    open: new Float32Array(0),
    last: new Float32Array(0),
    closed: new Float32Array(0),
    newer: new Float32Array(0),
  };
  growCountWindows(windows, capacity);
  return windows;
}

/** Makes room for `rows` rows; amortised constant a row. */
export function growCountWindows(windows: CountWindows, rows: number): void {
  if (rows <= windows.capacity) return;
  const {metrics, stride, panes, capacity: before} = windows;
  const capacity = Math.max(rows, before * 2);
  const wider = (array: Float32Array, values: number): Float32Array => {
    const grown = new Float32Array(capacity * values);
    grown.set(array);
    return grown;
  };
  const taken = new Int32Array(capacity);
  taken.set(windows.taken);
  for (let row = before; row < capacity; row++) taken[row] = firstOf(row, stride);
  Object.assign(windows, {
    capacity,
    taken,
    open: wider(windows.open, stride * metrics),
    last: wider(windows.last, metrics),
    closed: wider(windows.closed, panes * SUMS * metrics),
    newer: wider(windows.newer, SUMS * metrics),
  });
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
 * @returns True if it closed a pane of a row whose window is full: there are new features.
 */
export function countSample(
  windows: CountWindows,
  row: number,
  values: Float32Array,
  offset: number,
  valuesStride: number,
  columns: Int32Array,
): boolean {
  const {metrics, stride, open, taken} = windows;
  const position = taken[row] as number;
  taken[row] = position + 1;
  const slot = (position + stride) % stride;
  let at = (row * stride + slot) * metrics;
  for (let metric = 0; metric < metrics; metric++, at++) {
    const column = columns[metric] as number;
    open[at] = column < 0 ? Number.NaN : (values[offset + column * valuesStride] as number);
  }
  if (slot < stride - 1 || position < 0) return false;
  closePane(windows, row, (position + 1) / stride - 1);
  return position + 1 >= windows.panes * stride;
}

/** Sums the open pane up and puts it behind the newer ones. */
function closePane(windows: CountWindows, row: number, pane: number): void {
  const {metrics, panes, stride, open, last, closed, newer} = windows;
  const width = SUMS * metrics;
  const slot = pane % panes;
  const paneAt = (row * panes + slot) * width;
  const newerAt = row * width;
  sumPane(windows, row * stride * metrics, paneAt);
  const newest = (row * stride + stride - 1) * metrics;
  for (let metric = 0; metric < metrics; metric++) {
    last[row * metrics + metric] = open[newest + metric] as number;
  }
  if (slot === 0) {
    for (let at = 0; at < width; at++) newer[newerAt + at] = closed[paneAt + at] as number;
  } else {
    merge(newer, newerAt, slot * stride, closed, paneAt, stride, metrics);
  }
  if (slot < panes - 1) return;
  // All panes are newer ones: from here on they are the older, each with what followed it.
  for (let older = panes - 2; older >= 0; older--) {
    const at = (row * panes + older) * width;
    merge(closed, at, stride, closed, at + width, (panes - 1 - older) * stride, metrics);
  }
}

/** In one pass: deviations are from the pane's first sample, near which the others are. */
function sumPane({metrics, stride, open, closed}: CountWindows, from: number, to: number): void {
  const middle = (stride - 1) / 2;
  for (let metric = 0, at = to; metric < metrics; metric++, at += SUMS) {
    const first = open[from + metric] as number;
    let sum = 0;
    let squares = 0;
    let comoment = 0;
    let minimum = Number.POSITIVE_INFINITY;
    let maximum = Number.NEGATIVE_INFINITY;
    for (let slot = 0, cell = from + metric; slot < stride; slot++, cell += metrics) {
      const value = open[cell] as number;
      const deviation = value - first;
      sum += deviation;
      squares += deviation * deviation;
      comoment += (slot - middle) * deviation;
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
    }
    closed[at] = first + sum / stride;
    closed[at + 1] = Math.max(0, squares - (sum * sum) / stride);
    closed[at + 2] = comoment;
    closed[at + 3] = minimum;
    closed[at + 4] = maximum;
  }
}

/**
 * Sums of `aCount` samples, in place, with those of the `bCount` samples after them (Chan et al.
 * 1983); consecutive samples are one apart, so the middles of both are half their number apart.
 */
function merge(
  a: Float32Array,
  aFrom: number,
  aCount: number,
  b: Float32Array,
  bFrom: number,
  bCount: number,
  metrics: number,
): void {
  const share = bCount / (aCount + bCount);
  const both = aCount * share;
  const half = (aCount * bCount) / 2;
  for (let at = aFrom, from = bFrom, end = aFrom + metrics * SUMS; at < end; at += SUMS) {
    const mean = a[at] as number;
    const apart = (b[from] as number) - mean;
    a[at] = mean + apart * share;
    a[at + 1] = (a[at + 1] as number) + (b[from + 1] as number) + apart * apart * both;
    a[at + 2] = (a[at + 2] as number) + (b[from + 2] as number) + apart * half;
    const minimum = b[from + 3] as number;
    const maximum = b[from + 4] as number;
    if (minimum < (a[at + 3] as number)) a[at + 3] = minimum;
    if (maximum > (a[at + 4] as number)) a[at + 4] = maximum;
    from += SUMS;
  }
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
  const {metrics, panes, stride, last, closed, newer, taken} = windows;
  const width = SUMS * metrics;
  if (!isWindowFull(windows, row)) {
    into.fill(Number.NaN, offset, offset + metrics * COUNT_KINDS.length);
    return;
  }
  const slot = (Math.floor((taken[row] as number) / stride) - 1) % panes;
  const samples = panes * stride;
  const older = (panes - 1 - slot) * stride;
  const share = (samples - older) / samples;
  const both = older * share;
  const half = (older * (samples - older)) / 2;
  const times = (samples * (samples * samples - 1)) / 12;
  // With nothing older, any finite sums do: their weight is nought.
  let from = (row * panes + (older === 0 ? 0 : slot + 1)) * width;
  let at = row * width;
  let to = offset;
  for (let metric = 0; metric < metrics; metric++, at += SUMS, from += SUMS, to += 6) {
    const mean = closed[from] as number;
    const apart = (newer[at] as number) - mean;
    let squares = newer[at + 1] as number;
    let comoment = newer[at + 2] as number;
    let minimum = newer[at + 3] as number;
    let maximum = newer[at + 4] as number;
    if (older > 0) {
      squares += (closed[from + 1] as number) + apart * apart * both;
      comoment += (closed[from + 2] as number) + apart * half;
      minimum = Math.min(minimum, closed[from + 3] as number);
      maximum = Math.max(maximum, closed[from + 4] as number);
    }
    into[to] = last[row * metrics + metric] as number;
    into[to + 1] = mean + apart * share;
    into[to + 2] = Math.sqrt(squares / samples);
    into[to + 3] = minimum <= maximum ? minimum : Number.NaN;
    into[to + 4] = minimum <= maximum ? maximum : Number.NaN;
    into[to + 5] = comoment / times;
  }
}
