/**
 * Watches the mean of a stream through a window that is as long as nothing changes: as soon as an
 * older and a newer part of it differ by more than chance allows, the older part is forgotten.
 *
 * A1. Memory is O(log n): values are kept as sums over 1, 2, 4, … of them, {@link PER_LEVEL} sums of
 *     each length at most. State is numbers and typed arrays, and depends on the values alone.
 * A2. Of a stream that does not change, the chance that a look finds a change is at most
 *     `falseAlarmShare`: the bound is Bernstein's, for any distribution within [0, 1].
 * A3. A value that is not a number within [0, 1] is not taken.
 *
 * @see A. Bifet, R. Gavaldà, "Learning from Time-Changing Data with Adaptive Windowing", SDM 2007:
 *   ADWIN2, with the bound of its section 3.3.
 */

/** Sums of one length: more cut finer and cost more. */
const PER_LEVEL = 5;
/** One more while it waits to be merged. */
const PLACES = PER_LEVEL + 1;
/** Sums of up to 2^39 values. */
const LEVELS = 40;
/** Looks for a change after so many values. */
const LOOK_EVERY = 32;
/** Both parts of a cut have at least so many values. */
const PART_MIN = 5;

export type Adwin = {
  /** Chance that a look at a stream that does not change finds a change. */
  readonly falseAlarmShare: number;
  /** Values taken since the beginning. */
  taken: number;
  /** Per level: how many sums are kept there, the oldest first. */
  readonly kept: Uint8Array;
  /** LEVELS × PLACES: sums, and sums of squared deviations from their own means. */
  readonly sums: Float64Array;
  readonly squares: Float64Array;
};

/** What the window was cut for: its two parts where they differ most beyond chance. */
export type MeanChange = {
  readonly before: number;
  readonly after: number;
  /** Values of the newer part. */
  readonly since: number;
};

export function createAdwin(falseAlarmShare = 0.002): Adwin {
  return {
    falseAlarmShare,
    taken: 0,
    kept: new Uint8Array(LEVELS),
    sums: new Float64Array(LEVELS * PLACES),
    squares: new Float64Array(LEVELS * PLACES),
  };
}

/** Values in the window, their mean and variance; NaN if there are none. */
export function windowOf(adwin: Adwin): {values: number; mean: number; variance: number} {
  const all = {values: 0, sum: 0, squares: 0};
  forEachSum(adwin, (values, sum, squares) => {
    merge(all, values, sum, squares);
    return true;
  });
  return {
    values: all.values,
    mean: all.sum / all.values,
    variance: all.squares / all.values,
  };
}

/**
 * Takes a value; every 32nd looks for a change. Amortised O(1), O(log n) a look.
 *
 * @returns The change, if one was found. The oldest values were forgotten, until none was left to
 *   be found.
 */
export function observeAdwin(adwin: Adwin, value: number): MeanChange | undefined {
  if (!(value >= 0 && value <= 1)) return undefined;
  adwin.taken++;
  push(adwin, 0, value, 0);
  if (adwin.taken % LOOK_EVERY !== 0) return undefined;
  const change = findChange(adwin);
  for (let left = change; left !== undefined; left = findChange(adwin)) {
    shift(adwin, oldestLevel(adwin));
  }
  return change;
}

/** The cut of the window whose parts differ by most beyond what chance allows. */
function findChange(adwin: Adwin): MeanChange | undefined {
  const {values, mean, variance} = windowOf(adwin);
  if (values < 2 * PART_MIN) return undefined;
  const confidence = Math.log((2 * Math.log(values)) / adwin.falseAlarmShare);
  let older = 0;
  let olderSum = 0;
  let most = 1;
  let change: MeanChange | undefined;
  forEachSum(adwin, (count, sum) => {
    older += count;
    olderSum += sum;
    const newer = values - older;
    if (newer < PART_MIN) return false;
    if (older < PART_MIN) return true;
    const before = olderSum / older;
    const after = (values * mean - olderSum) / newer;
    const rarity = (1 / older + 1 / newer) * confidence;
    const allowed = Math.sqrt(2 * variance * rarity) + (2 / 3) * rarity;
    if (Math.abs(before - after) > most * allowed) {
      most = Math.abs(before - after) / allowed;
      change = {before, after, since: newer};
    }
    return true;
  });
  return change;
}

/** From the oldest sum to the newest, while `visit` returns true. */
function forEachSum(
  {kept, sums, squares}: Adwin,
  visit: (values: number, sum: number, squares: number) => boolean,
): void {
  for (let level = LEVELS - 1; level >= 0; level--) {
    for (let place = 0; place < (kept[level] as number); place++) {
      const at = level * PLACES + place;
      if (!visit(2 ** level, sums[at] as number, squares[at] as number)) return;
    }
  }
}

function push(adwin: Adwin, level: number, sum: number, squares: number): void {
  const {kept} = adwin;
  const at = level * PLACES + (kept[level] as number);
  adwin.sums[at] = sum;
  adwin.squares[at] = squares;
  kept[level] = (kept[level] as number) + 1;
  if ((kept[level] as number) <= PER_LEVEL) return;
  const [firstSum, firstSquares] = shift(adwin, level);
  const [secondSum, secondSquares] = shift(adwin, level);
  const both = {values: 2 ** level, sum: firstSum, squares: firstSquares};
  merge(both, 2 ** level, secondSum, secondSquares);
  // Beyond the last level the oldest is forgotten.
  if (level + 1 < LEVELS) push(adwin, level + 1, both.sum, both.squares);
}

/** Takes the oldest sum of a level away. */
function shift({kept, sums, squares}: Adwin, level: number): [sum: number, squares: number] {
  const from = level * PLACES;
  const oldest: [number, number] = [sums[from] as number, squares[from] as number];
  kept[level] = (kept[level] as number) - 1;
  sums.copyWithin(from, from + 1, from + PLACES);
  squares.copyWithin(from, from + 1, from + PLACES);
  return oldest;
}

function oldestLevel({kept}: Adwin): number {
  let level = LEVELS - 1;
  while (kept[level] === 0) level--;
  return level;
}

/** Sums over two lots of values become that over both. */
function merge(
  into: {values: number; sum: number; squares: number},
  values: number,
  sum: number,
  squares: number,
): void {
  if (into.values > 0) {
    const apart = into.sum / into.values - sum / values;
    into.squares += (apart * apart * into.values * values) / (into.values + values);
  }
  into.values += values;
  into.sum += sum;
  into.squares += squares;
}
