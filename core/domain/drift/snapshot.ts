/**
 * What the inputs of a model looked like when it was trained: per feature a few bins and their
 * shares, small enough to travel with the model.
 */

type Named = {
  readonly name: string;
  /** As people write it behind a number; empty: a plain number. */
  readonly unit: string;
};

/** What is binned: one column of the rows. */
export type SnapshotColumn = Named & {
  /** Moves as time passes, on any fleet: only whether it is there is to be compared. */
  readonly isPresenceOnly?: boolean;
};

export type ValueRange = readonly [low: number, high: number];

export type FeatureSnapshot = Named & {
  /** Ascending, none if only presence counts; a value ≤ edges[b] and > edges[b − 1] is in bin b, one above all in the last. */
  readonly edges: readonly number[];
  /** Of the bins, and last of the rows that lack a value. They add up to 1, to four digits. */
  readonly shares: readonly number[];
  /** Between which four fifths of the values lie; null without values. */
  readonly range: ValueRange | null;
  /**
   * How much rows of one host, and of one fleet, are alike: 0 not at all, 1 entirely. Rows that are
   * alike say less: a fleet's hour of the day is one observation, however many rows it has.
   */
  readonly hostLikeness: number;
  readonly fleetLikeness: number;
};

/** Of some rows. */
export type RowsSnapshot = {
  readonly rows: number;
  readonly hosts: number;
  /** Of one's own fleet its hours: they differ as fleets do. */
  readonly fleets: number;
  readonly features: readonly FeatureSnapshot[];
};

export type DriftSnapshot = RowsSnapshot & {
  /** All rows are of one's own fleet. */
  readonly isOwnFleet?: boolean;
  /** Classes of hardware that are apart in it: each is compared with itself, others with all rows. */
  readonly classes?: readonly (RowsSnapshot & {readonly hardware: string})[];
};

/** Rows of which a snapshot is taken. */
export type SnapshotRows = {
  /** Rows × columns; NaN is missing. */
  readonly features: Float32Array;
  /** Of each row. */
  readonly host: Int32Array;
  readonly fleet: Int32Array;
};

/** With the one of missing values; no snapshot has more. */
export const SNAPSHOT_BINS_MAX = 10;
const VALUE_BINS_MAX = SNAPSHOT_BINS_MAX - 1;
/** So many values say where to cut. */
const CUT_VALUES_MAX = 20_000;
/** Rarer bins say too little of how much rows are alike; where all are rare, rows of a host are taken to be. */
const LIKENESS_SHARE_MIN = 0.01;
/** They are estimates: a snapshot is a text, and a short one. */
const LIKENESS_DIGITS = 4;
/** Values that differ by less than this part of themselves are the same … */
const SAME_RATIO = 0.01;
/**
 * … or of the large ones: averages that die away would be told apart to 1e-40 else, by how long ago
 * something happened.
 */
const SAME_SCALE_RATIO = 1e-3;

/** About 15 ns a row and column. */
export function takeSnapshot(rows: SnapshotRows, columns: readonly SnapshotColumn[]): RowsSnapshot {
  const count = rows.host.length;
  const hosts = new Groups(rows.host);
  const fleets = new Groups(rows.fleet);
  return {
    rows: count,
    hosts: hosts.sizes.length,
    fleets: fleets.sizes.length,
    features: columns.map(({name, unit, isPresenceOnly}, at) => {
      const values = Float32Array.from(
        {length: count},
        (_, row) => rows.features[row * columns.length + at] as number,
      );
      const every = Math.ceil(count / CUT_VALUES_MAX);
      const present = values
        .filter((value, row) => row % every === 0 && !Number.isNaN(value))
        .sort();
      const edges = isPresenceOnly ? [] : cutAt(present);
      const bins = Uint8Array.from(values, value => binOf(edges, value));
      const shares = sharesOf(bins, edges.length + 2);
      return {
        name,
        unit,
        edges,
        shares,
        range: rangeOf(present),
        ...likenessOf(bins, shares, hosts, fleets),
      };
    }),
  };
}

function rangeOf(sorted: Float32Array): ValueRange | null {
  return sorted.length === 0 ? null : [short(quantile(sorted, 0.1)), short(quantile(sorted, 0.9))];
}

/** The value that this share of the values does not exceed; there is at least one. */
function quantile(sorted: Float32Array, share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))] as number;
}

/** Bin of a value: that of missing ones is the last. */
export function binOf(edges: readonly number[], value: number): number {
  if (Number.isNaN(value)) return edges.length + 1;
  let bin = 0;
  while (bin < edges.length && value > (edges[bin] as number)) bin++;
  return bin;
}

/**
 * Cuts between different values, each bin with its share of what is left: a value that alone fills
 * more has a bin of its own.
 */
function cutAt(sorted: Float32Array): number[] {
  const first = sorted[0];
  const last = sorted[sorted.length - 1];
  if (first === undefined || last === undefined) return [];
  const scale = Math.max(Math.abs(quantile(sorted, 0.01)), Math.abs(quantile(sorted, 0.99)));
  const sameWithin = (value: number) =>
    Math.max(SAME_RATIO * Math.abs(value), SAME_SCALE_RATIO * scale);
  const edges: number[] = [];
  let inBin = 0;
  let left = sorted.length;
  let full: number | undefined;
  for (let at = 0; at < sorted.length && edges.length < VALUE_BINS_MAX - 1; at++) {
    const value = sorted[at] as number;
    const next = sorted[at + 1];
    inBin++;
    if (next === undefined || inBin < left / (VALUE_BINS_MAX - edges.length)) continue;
    full ??= value;
    if (next - full <= sameWithin(full)) continue;
    edges.push(edgeBetween(value, next));
    left -= inBin;
    inBin = 0;
    full = undefined;
  }
  if (edges.length > 0) return edges;
  // Nearly all values are the largest one: what is below is a bin.
  const below = sorted.findLast(value => value < last - sameWithin(last));
  if (below !== undefined) return [edgeBetween(below, last)];
  const apart = Math.max(sameWithin(last), 1e-9);
  return [first - apart, last + apart].map(edge => Number(edge.toPrecision(6)));
}

/** Short where that makes no difference: a snapshot is a text. */
function edgeBetween(value: number, next: number): number {
  const middle = (value + next) / 2;
  const rounded = short(middle);
  return rounded >= value && rounded < next ? rounded : middle;
}

function short(value: number): number {
  return Number(value.toPrecision(4));
}

function sharesOf(bins: Uint8Array, count: number): number[] {
  const shares = new Array<number>(count).fill(0);
  for (const bin of bins) shares[bin] = (shares[bin] as number) + 1;
  return shares.map(count => Number((count / bins.length).toPrecision(5)));
}

/** Rows by the group that they belong to. */
class Groups {
  readonly of: Int32Array;
  readonly sizes: number[] = [];

  constructor(group: Int32Array) {
    const numbers = new Map<number, number>();
    this.of = group.map(each => {
      const number = numbers.get(each) ?? numbers.size;
      numbers.set(each, number);
      this.sizes[number] = (this.sizes[number] ?? 0) + 1;
      return number;
    });
  }
}

/** Intraclass correlations of what is in the bins, hosts within fleets. */
function likenessOf(
  bins: Uint8Array,
  shares: readonly number[],
  hosts: Groups,
  fleets: Groups,
): Pick<FeatureSnapshot, 'hostLikeness' | 'fleetLikeness'> {
  const rowsEach = bins.length / hosts.sizes.length;
  const hostsEach = hosts.sizes.length / fleets.sizes.length;
  const isKnown = shares.some(isTelling);
  const hostLikeness = isKnown ? withoutChance(spreadOf(bins, shares, hosts), 1 / rowsEach) : 1;
  const byHosts = hostLikeness / hostsEach + (1 - hostLikeness) / (rowsEach * hostsEach);
  const fleetLikeness = withoutChance(spreadOf(bins, shares, fleets), byHosts);
  return {hostLikeness, fleetLikeness: Math.min(fleetLikeness, hostLikeness)};
}

function isTelling(share: number): boolean {
  return share >= LIKENESS_SHARE_MIN && share <= 1 - LIKENESS_SHARE_MIN;
}

/** The part of a spread that chance does not explain, within [0, 1]; 0 where nothing is known. */
function withoutChance(spread: number, chance: number): number {
  const likeness = (spread - chance) / (1 - chance);
  return Number.isFinite(likeness)
    ? Number(Math.min(Math.max(likeness, 0), 1).toPrecision(LIKENESS_DIGITS))
    : 0;
}

/**
 * Variance of the groups' shares, as a part of that of single rows, in the bin where that is most:
 * rows that are alike there are what makes two fleets look different.
 */
function spreadOf(bins: Uint8Array, shares: readonly number[], {of, sizes}: Groups): number {
  const width = shares.length;
  const counts = new Float64Array(sizes.length * width);
  for (const [row, bin] of bins.entries()) {
    const at = (of[row] as number) * width + bin;
    counts[at] = (counts[at] as number) + 1;
  }
  let most = 0;
  for (const [bin, share] of shares.entries()) {
    if (!isTelling(share)) continue;
    let between = 0;
    for (const [group, size] of sizes.entries()) {
      between += ((counts[group * width + bin] as number) / size - share) ** 2 / (sizes.length - 1);
    }
    most = Math.max(most, between / (share * (1 - share)));
  }
  return most;
}
