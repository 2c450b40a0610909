/**
 * What the inputs of a model look like now: counts over the bins of its snapshot, in a few panes of
 * which the oldest is forgotten when a new one begins.
 *
 * L1. Memory is panes × features × (bins + 2) numbers, whatever the number of rows.
 * L2. State is typed arrays and depends on the rows alone.
 */
import {
  SNAPSHOT_BINS_MAX as BINS,
  binOf,
  type FeatureSnapshot,
  type RowsSnapshot,
  type ValueRange,
} from './snapshot.ts';

export type LiveRows = {
  readonly panes: number;
  readonly features: number;
  /** The one that rows are counted in. */
  pane: number;
  /** Rows of each pane. */
  readonly rows: Float64Array;
  /** panes × features × bins. */
  readonly counts: Uint32Array;
  /** panes × features: smallest and largest value; NaN without one. */
  readonly smallest: Float32Array;
  readonly largest: Float32Array;
};

/** What the panes say of one feature together. */
export type LiveFeature = {
  readonly shares: readonly number[];
  /** Between which four fifths of the values lie, as far as bins tell; null without values. */
  readonly range: ValueRange | null;
};

export function createLiveRows({features}: RowsSnapshot, panes = 4): LiveRows {
  return {
    panes,
    features: features.length,
    pane: 0,
    rows: new Float64Array(panes),
    counts: new Uint32Array(panes * features.length * BINS),
    smallest: new Float32Array(panes * features.length).fill(Number.NaN),
    largest: new Float32Array(panes * features.length).fill(Number.NaN),
  };
}

/** Counts a row; allocates nothing. About 15 ns a feature. */
export function countRow(
  live: LiveRows,
  snapshot: RowsSnapshot,
  row: Float32Array,
  offset = 0,
): void {
  const {pane, features, counts, smallest, largest} = live;
  for (let feature = 0; feature < features; feature++) {
    const value = row[offset + feature] as number;
    const {edges} = snapshot.features[feature] as FeatureSnapshot;
    const place = pane * features + feature;
    const at = place * BINS + binOf(edges, value);
    counts[at] = (counts[at] as number) + 1;
    if (Number.isNaN(value)) continue;
    if (!(value >= (smallest[place] as number))) smallest[place] = value;
    if (!(value <= (largest[place] as number))) largest[place] = value;
  }
  live.rows[pane] = (live.rows[pane] as number) + 1;
}

/** Begins a new pane, in place of the oldest. */
export function turnPane(live: LiveRows): void {
  const {panes, features} = live;
  live.pane = (live.pane + 1) % panes;
  const from = live.pane * features;
  live.rows[live.pane] = 0;
  live.counts.fill(0, from * BINS, (from + features) * BINS);
  live.smallest.fill(Number.NaN, from, from + features);
  live.largest.fill(Number.NaN, from, from + features);
}

/** Rows in all panes. */
export function countedRows({rows}: LiveRows): number {
  return rows.reduce((sum, each) => sum + each, 0);
}

export function liveFeature(
  live: LiveRows,
  {edges}: FeatureSnapshot,
  feature: number,
): LiveFeature {
  const {panes, features} = live;
  const bins = new Array<number>(edges.length + 2).fill(0);
  let smallest = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  for (let pane = 0; pane < panes; pane++) {
    const place = pane * features + feature;
    for (const bin of bins.keys()) {
      bins[bin] = (bins[bin] as number) + (live.counts[place * BINS + bin] as number);
    }
    const least = live.smallest[place] as number;
    if (Number.isNaN(least)) continue;
    smallest = Math.min(smallest, least);
    largest = Math.max(largest, live.largest[place] as number);
  }
  const rows = countedRows(live);
  const values = bins.slice(0, -1);
  const quantileAt = (share: number) => quantileOf(values, edges, smallest, largest, share);
  return {
    shares: bins.map(count => count / rows),
    range: smallest > largest ? null : [quantileAt(0.1), quantileAt(0.9)],
  };
}

/** Values of a bin lie evenly between its edges, as far as anybody knows. */
function quantileOf(
  counts: readonly number[],
  edges: readonly number[],
  smallest: number,
  largest: number,
  share: number,
): number {
  let left = share * counts.reduce((sum, count) => sum + count, 0);
  for (const [bin, count] of counts.entries()) {
    if (count === 0) continue;
    if (left > count) {
      left -= count;
      continue;
    }
    const from = Math.max(edges[bin - 1] ?? smallest, smallest);
    const to = Math.min(edges[bin] ?? largest, largest);
    return from + (left / count) * (to - from);
  }
  return Number.NaN;
}
