/** Rates of outages at one time, of hosts and of what is around them; see outage-history.ts. */
import {
  CELL_HALF_LIFE_DAYS,
  cellCountsAt,
  countsAt,
  DAY_MS,
  HALF_LIFE_DAYS,
  KIND_COUNT,
  LIFETIME,
  type OutageHistory,
} from './outage-history.ts';

const LIVES = HALF_LIFE_DAYS.length;
const CELL_LIVES = CELL_HALF_LIFE_DAYS.length;
/** Cells of one host, or of one rack. */
const LINE = KIND_COUNT * LIVES;
/** Hosts so many places away in the order of the cell are neighbours. */
const NEAR = 2;
/** Weeks of the host's own past that the simple rate waits for. */
const SIMPLE_WEEKS = 8;

export type OutageView = {
  readonly history: OutageHistory;
  readonly atMs: number;
  /** Since the cell's first outage; at least a day. */
  readonly ageWeeks: number;
  /** Host × kind × half-life, and rack × kind × half-life: decayed counts. */
  readonly counts: Float64Array;
  readonly rackCounts: Float64Array;
  readonly rackHosts: Int32Array;
  /** Kind × half-life. */
  readonly cellCounts: Float64Array;
  /** Weeks that the counts of a half-life stand for. */
  readonly weeks: Float64Array;
  readonly cellWeeks: Float64Array;
  /** Host: share of hosts that have had fewer unplanned outages, less one half; ties share. */
  readonly ranks: Float64Array;
  /** Share of hosts that are down. */
  readonly downShare: number;
};

/** What the history says at a time, which is not before its newest outage. O(hosts log hosts). */
export function viewOutages(history: OutageHistory, atMs: number): OutageView {
  const ageMs = Number.isNaN(history.startedAtMs) ? 0 : atMs - history.startedAtMs;
  const ageWeeks = Math.max(ageMs, DAY_MS) / (7 * DAY_MS);
  const counts = countsAt(history, atMs);
  const racks = history.racks.reduce((most, rack) => Math.max(most, rack + 1), 0);
  const rackCounts = new Float64Array(racks * LINE);
  const rackHosts = new Int32Array(racks);
  let down = 0;
  for (let host = 0; host < history.hosts; host++) {
    const rack = history.racks[host] as number;
    rackHosts[rack] = (rackHosts[rack] as number) + 1;
    for (let cell = 0; cell < LINE; cell++) {
      const at = rack * LINE + cell;
      rackCounts[at] = (rackCounts[at] as number) + (counts[host * LINE + cell] as number);
    }
    if ((history.open[host] as number) > 0) down++;
  }
  return {
    history,
    atMs,
    ageWeeks,
    counts,
    rackCounts,
    rackHosts,
    cellCounts: cellCountsAt(history, atMs),
    weeks: Float64Array.from(HALF_LIFE_DAYS, days => weeksSeen(ageWeeks, days)),
    cellWeeks: Float64Array.from(CELL_HALF_LIFE_DAYS, days => weeksSeen(ageWeeks, days)),
    ranks: rankHosts(counts, history.hosts),
    downShare: down / history.hosts,
  };
}

/** Decayed count of a host's outages. */
export function hostCount(view: OutageView, host: number, kind: number, life: number): number {
  return view.counts[host * LINE + kind * LIVES + life] as number;
}

/** Outages a week of a host. */
export function hostRate(view: OutageView, host: number, kind: number, life: number): number {
  return hostCount(view, host, kind, life) / (view.weeks[life] as number);
}

/** The same of its neighbours on average; the cell's usual rate if there are none. */
export function nearRate(view: OutageView, host: number, kind: number, life: number): number {
  let sum = 0;
  let near = 0;
  const last = Math.min(host + NEAR, view.history.hosts - 1);
  for (let other = Math.max(0, host - NEAR); other <= last; other++) {
    if (other === host) continue;
    sum += hostRate(view, other, kind, life);
    near++;
  }
  return near === 0 ? usualRate(view, kind) : sum / near;
}

/** The same of the other hosts of its rack. */
export function rackRate(view: OutageView, host: number, kind: number, life: number): number {
  const rack = view.history.racks[host] as number;
  const others = (view.rackHosts[rack] as number) - 1;
  if (others === 0) return usualRate(view, kind);
  const all = view.rackCounts[rack * LINE + kind * LIVES + life] as number;
  const theirs = Math.max(0, all - hostCount(view, host, kind, life));
  return theirs / others / (view.weeks[life] as number);
}

/** The same of all hosts; `life` is an index of `CELL_HALF_LIFE_DAYS`. */
export function cellRate(view: OutageView, kind: number, life: number): number {
  const count = view.cellCounts[kind * CELL_LIVES + life] as number;
  return count / (view.cellWeeks[life] as number) / view.history.hosts;
}

/** Outages a week of a host of this cell, over all the time; half an outage is added, so never 0. */
export function usualRate(view: OutageView, kind: number): number {
  const count = view.cellCounts[kind * CELL_LIVES + CELL_LIVES - 1] as number;
  return (count + 0.5) / view.ageWeeks / view.history.hosts;
}

/**
 * A rate that needs no model: what a host had lately, then what it had ever, then what hosts of
 * this cell have. Outages a week.
 */
export function simpleRate(view: OutageView, host: number, kind: number): number {
  const life = HALF_LIFE_DAYS.indexOf(60);
  const lately = (HALF_LIFE_DAYS[life] as number) / 7 / Math.LN2;
  const usual = cellRate(view, kind, CELL_LIVES - 1);
  const ever = (hostCount(view, host, kind, LIFETIME) + usual) / (view.ageWeeks + 1);
  return (hostCount(view, host, kind, life) + SIMPLE_WEEKS * ever) / (lately + SIMPLE_WEEKS);
}

/** Weeks that a decayed count stands for: what makes it a rate. */
function weeksSeen(ageWeeks: number, halfLifeDays: number): number {
  if (halfLifeDays === Number.POSITIVE_INFINITY) return ageWeeks;
  const mean = halfLifeDays / 7 / Math.LN2;
  return -mean * Math.expm1(-ageWeeks / mean);
}

function rankHosts(counts: Float64Array, hosts: number): Float64Array {
  const countOf = (host: number) => counts[host * LINE + LIFETIME] as number;
  const order = Uint32Array.from({length: hosts}, (_, host) => host);
  order.sort((a, b) => countOf(a) - countOf(b) || a - b);
  const ranks = new Float64Array(hosts);
  for (let from = 0, to = 0; from < hosts; from = to) {
    const count = countOf(order[from] as number);
    while (to < hosts && countOf(order[to] as number) === count) to++;
    for (const host of order.subarray(from, to)) ranks[host] = (from + to) / 2 / hosts - 0.5;
  }
  return ranks;
}
