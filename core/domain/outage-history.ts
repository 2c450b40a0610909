/**
 * What a cell's outages were, in a form that is as small as its hosts are many: counts that decay.
 *
 * H1. It changes with an outage or a return only; asking for counts at a time alters nothing.
 * H2. Outages are given in the order in which they became known; one that is given late counts from
 *     the time it began, less what has decayed since.
 * H3. Nothing is known before the first outage: exposure is measured from it.
 */

/** Why a host was down. */
export const OUTAGE_CAUSES = [
  'planned',
  'cpu',
  'memory',
  'disk',
  'power',
  'network',
  'cooling',
  'other-hardware',
  'software',
  'facility',
  'human',
  'unknown',
] as const;

export type OutageCause = (typeof OUTAGE_CAUSES)[number];

/** A cause, or every cause but `planned` taken together. */
export const OUTAGE_KINDS = ['unplanned', ...OUTAGE_CAUSES] as const;

export type OutageKind = (typeof OUTAGE_KINDS)[number];

export const DAY_MS = 86_400_000;

/** Counts lose half of their weight in so many days; the last kind never does. */
export const HALF_LIFE_DAYS: readonly number[] = [3, 14, 60, 365, Number.POSITIVE_INFINITY];
/** The same for the cell as a whole. */
export const CELL_HALF_LIFE_DAYS: readonly number[] = [1, 3, 14, 60, 365, Number.POSITIVE_INFINITY];

export const KIND_COUNT = OUTAGE_KINDS.length;
const LIVES = HALF_LIFE_DAYS.length;
const CELL_LIVES = CELL_HALF_LIFE_DAYS.length;
/** Index of the half-life that never ends. */
export const LIFETIME = LIVES - 1;
const WEEKDAYS = 7;
const RACK_HOSTS = 32;

/** Typed arrays and numbers only, so it can be stored and copied as it is. */
export type OutageHistory = {
  readonly hosts: number;
  /** Host: its rack, from 0. */
  readonly racks: Int32Array;
  /** Of the first outage; NaN while there was none. */
  startedAtMs: number;
  /** Host × kind × half-life: decayed counts as of the last outage of that host and kind. */
  readonly counts: Float64Array;
  /** Host × kind: when its last outage began; −∞: never. */
  readonly lastAtMs: Float64Array;
  /** Kind × half-life of the cell, and when its last outage began. */
  readonly cellCounts: Float64Array;
  readonly cellLastAtMs: Float64Array;
  /** Host: outages that it has not returned from. */
  readonly open: Int32Array;
  /** Host: how long it was down last; NaN: never. */
  readonly lastDownMs: Float64Array;
  /** Weekday: planned outages that began on it. */
  readonly plannedByWeekday: Float64Array;
};

export type Outage = {
  readonly atMs: number;
  /** Position in the cell, from 0. */
  readonly host: number;
  readonly cause: OutageCause;
};

/** @param racks Of each host, from 0; without: 32 hosts a rack, in order. */
export function createOutageHistory(
  hosts: number,
  racks = Int32Array.from({length: hosts}, (_, host) => Math.floor(host / RACK_HOSTS)),
): OutageHistory {
  return {
    hosts,
    racks,
    startedAtMs: Number.NaN,
    counts: new Float64Array(hosts * KIND_COUNT * LIVES),
    lastAtMs: new Float64Array(hosts * KIND_COUNT).fill(Number.NEGATIVE_INFINITY),
    cellCounts: new Float64Array(KIND_COUNT * CELL_LIVES),
    cellLastAtMs: new Float64Array(KIND_COUNT).fill(Number.NEGATIVE_INFINITY),
    open: new Int32Array(hosts),
    lastDownMs: new Float64Array(hosts).fill(Number.NaN),
    plannedByWeekday: new Float64Array(WEEKDAYS),
  };
}

/** The same history with room for more hosts, which had no outage yet; 32 hosts a rack, in order. */
export function growOutageHistory(history: OutageHistory, hosts: number): OutageHistory {
  if (hosts <= history.hosts) return history;
  const grown = createOutageHistory(hosts);
  grown.racks.set(history.racks);
  grown.counts.set(history.counts);
  grown.lastAtMs.set(history.lastAtMs);
  grown.open.set(history.open);
  grown.lastDownMs.set(history.lastDownMs);
  const {startedAtMs, cellCounts, cellLastAtMs, plannedByWeekday} = history;
  return {...grown, startedAtMs, cellCounts, cellLastAtMs, plannedByWeekday};
}

/** Takes the begin of an outage. */
export function recordOutage(history: OutageHistory, {atMs, host, cause}: Outage): void {
  if (!(history.startedAtMs <= atMs)) history.startedAtMs = atMs;
  for (const kind of kindsOf(cause)) tally(count, history, host, kind, atMs);
  if (cause === 'planned') countPlanned(history, atMs, 1);
  history.open[host] = (history.open[host] as number) + 1;
}

/**
 * What was recorded had another cause: as if that had been known when it was, but for when the last
 * outage of the former cause was.
 */
export function renameOutage(
  history: OutageHistory,
  {atMs, host, cause}: Outage,
  was: OutageCause,
): void {
  const [before, after] = [kindsOf(was), kindsOf(cause)];
  for (const kind of before) {
    if (!after.includes(kind)) tally(discount, history, host, kind, atMs);
  }
  for (const kind of after) {
    if (!before.includes(kind)) tally(count, history, host, kind, atMs);
  }
  if (was === cause) return;
  if (was === 'planned') countPlanned(history, atMs, -1);
  if (cause === 'planned') countPlanned(history, atMs, 1);
}

/** Forgets the outages of a host: its place is another's. What its cell had stays in the cell's counts. */
export function clearOutages(history: OutageHistory, host: number): void {
  const [from, to] = [host * KIND_COUNT, (host + 1) * KIND_COUNT];
  history.counts.fill(0, from * LIVES, to * LIVES);
  history.lastAtMs.fill(Number.NEGATIVE_INFINITY, from, to);
  history.open[host] = 0;
  history.lastDownMs[host] = Number.NaN;
}

/** Takes the end of an outage that was recorded; a downtime that is not known is NaN. */
export function recordReturn(history: OutageHistory, host: number, downMs: number): void {
  history.open[host] = Math.max(0, (history.open[host] as number) - 1);
  if (!Number.isNaN(downMs)) history.lastDownMs[host] = downMs;
}

export function kindOf(kind: OutageKind): number {
  return OUTAGE_KINDS.indexOf(kind);
}

/** Days of a week, from 0, whichever comes first; only that it is the same each week matters. */
export function weekdayOf(atMs: number): number {
  return ((Math.floor(atMs / DAY_MS) % WEEKDAYS) + WEEKDAYS) % WEEKDAYS;
}

/** Decayed counts of every host and kind at a time; host × kind × half-life. */
export function countsAt(history: OutageHistory, atMs: number): Float64Array {
  return decayed(history.counts, history.lastAtMs, HALF_LIFE_DAYS, atMs);
}

/** The same of the cell; kind × half-life. */
export function cellCountsAt(history: OutageHistory, atMs: number): Float64Array {
  return decayed(history.cellCounts, history.cellLastAtMs, CELL_HALF_LIFE_DAYS, atMs);
}

/** Kinds that an outage counts for. */
function kindsOf(cause: OutageCause): number[] {
  return cause === 'planned' ? [kindOf(cause)] : [0, kindOf(cause)];
}

function countPlanned({plannedByWeekday}: OutageHistory, atMs: number, by: number): void {
  const weekday = weekdayOf(atMs);
  plannedByWeekday[weekday] = Math.max(0, (plannedByWeekday[weekday] as number) + by);
}

/** Counts an outage of a kind, or takes it back, for its host and for the cell. */
function tally(
  by: typeof count,
  {counts, lastAtMs, cellCounts, cellLastAtMs}: OutageHistory,
  host: number,
  kind: number,
  atMs: number,
): void {
  by(counts, lastAtMs, HALF_LIFE_DAYS, host * KIND_COUNT + kind, atMs);
  by(cellCounts, cellLastAtMs, CELL_HALF_LIFE_DAYS, kind, atMs);
}

/** Takes back what an outage has counted. */
function discount(
  counts: Float64Array,
  lastAtMs: Float64Array,
  halfLives: readonly number[],
  row: number,
  atMs: number,
): void {
  const base = row * halfLives.length;
  const age = (lastAtMs[row] as number) - atMs;
  for (const [index, days] of halfLives.entries()) {
    counts[base + index] = Math.max(0, (counts[base + index] as number) - decay(age, days));
  }
}

function count(
  counts: Float64Array,
  lastAtMs: Float64Array,
  halfLives: readonly number[],
  row: number,
  atMs: number,
): void {
  const base = row * halfLives.length;
  const last = lastAtMs[row] as number;
  for (const [index, days] of halfLives.entries()) {
    const before = counts[base + index] as number;
    counts[base + index] =
      atMs >= last ? before * decay(atMs - last, days) + 1 : before + decay(last - atMs, days);
  }
  if (atMs > last) lastAtMs[row] = atMs;
}

function decayed(
  counts: Float64Array,
  lastAtMs: Float64Array,
  halfLives: readonly number[],
  atMs: number,
): Float64Array {
  const out = new Float64Array(counts.length);
  for (let row = 0; row < lastAtMs.length; row++) {
    const age = atMs - (lastAtMs[row] as number);
    if (age === Number.POSITIVE_INFINITY) continue;
    for (let index = 0; index < halfLives.length; index++) {
      const cell = row * halfLives.length + index;
      out[cell] = (counts[cell] as number) * decay(age, halfLives[index] as number);
    }
  }
  return out;
}

function decay(ageMs: number, halfLifeDays: number): number {
  if (halfLifeDays === Number.POSITIVE_INFINITY) return 1;
  return 2 ** (-Math.max(ageMs, 0) / (halfLifeDays * DAY_MS));
}
