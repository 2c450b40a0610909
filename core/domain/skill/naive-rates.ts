/**
 * The method that any model has to beat: how often this host has failed, and hosts of its cell.
 *
 * Either the rate of the cell (60-day half-life, beginning with half an outage), or the host's own,
 * which is drawn from what it had lately to what it had ever, and from there to the cell's:
 * whichever has lost less so far in this cell. It is `simpleRate` of outage-view.ts for a cell whose
 * hosts come and go, with the time that was watched instead of the time since the first outage, and
 * without the noise of single hosts where hosts are alike: against that a constant would show skill.
 * On the LANL systems, weekly, any unplanned outage: log-loss 0.152 where `simpleRate` has 0.169 and
 * the cell's rate alone 0.158, AUC 0.813 (0.798), AP 0.286 (0.280).
 *
 * N1. It knows only what it was told before it is asked.
 */
import {OUTPUT_COUNT} from './skill-events.ts';

const WEEK_MS = 7 * 86_400_000;
const HALF_LIFE_MS = 60 * 86_400_000;
/** Outages a week of a host before anything is known: the mean of the LANL systems. */
const FIRST_RATE = 0.04;
const FIRST_OUTAGES = 0.5;
/** Outages that what is drawn towards counts for. */
const WEIGHT = 2;

export type NaiveRates = {
  /** Host: when it was watched last; NaN: never. */
  readonly watchedAtMs: Float64Array;
  /** Host: weeks that it was watched, ever and lately. */
  readonly weeks: Float64Array;
  readonly weeksLately: Float64Array;
  /** Host × output: outages. */
  readonly counts: Float64Array;
  readonly countsLately: Float64Array;
  /** Of the cell, lately; as of `cellAtMs`. */
  cellAtMs: number;
  cellWeeks: number;
  readonly cellCounts: Float64Array;
  /** Output × (by host, by cell): log-losses so far, fading alike. */
  readonly losses: Float64Array;
};

export function createNaiveRates(hosts: number): NaiveRates {
  return {
    watchedAtMs: new Float64Array(hosts).fill(Number.NaN),
    weeks: new Float64Array(hosts),
    weeksLately: new Float64Array(hosts),
    counts: new Float64Array(hosts * OUTPUT_COUNT),
    countsLately: new Float64Array(hosts * OUTPUT_COUNT),
    cellAtMs: Number.NaN,
    cellWeeks: 0,
    cellCounts: new Float64Array(OUTPUT_COUNT),
    losses: new Float64Array(2 * OUTPUT_COUNT),
  };
}

/** The same with room for more hosts. */
export function growNaiveRates(rates: NaiveRates, hosts: number): NaiveRates {
  const wider = createNaiveRates(hosts);
  wider.watchedAtMs.set(rates.watchedAtMs);
  wider.weeks.set(rates.weeks);
  wider.weeksLately.set(rates.weeksLately);
  wider.counts.set(rates.counts);
  wider.countsLately.set(rates.countsLately);
  wider.cellAtMs = rates.cellAtMs;
  wider.cellWeeks = rates.cellWeeks;
  wider.cellCounts.set(rates.cellCounts);
  wider.losses.set(rates.losses);
  return wider;
}

/** Forgets a host; its place is another's. The rates of its cell stay. */
export function clearNaiveHost(rates: NaiveRates, host: number): void {
  rates.watchedAtMs[host] = Number.NaN;
  rates.weeks[host] = 0;
  rates.weeksLately[host] = 0;
  rates.counts.fill(0, host * OUTPUT_COUNT, (host + 1) * OUTPUT_COUNT);
  rates.countsLately.fill(0, host * OUTPUT_COUNT, (host + 1) * OUTPUT_COUNT);
}

/**
 * The host runs and is watched at a time, in order.
 *
 * @param stepMs At most so much of the time since it was last watched counts.
 */
export function watchHost(rates: NaiveRates, host: number, atMs: number, stepMs: number): void {
  const last = rates.watchedAtMs[host] as number;
  rates.watchedAtMs[host] = atMs;
  const passedMs = Number.isNaN(last) ? 0 : Math.max(0, atMs - last);
  const watched = Math.min(passedMs, stepMs) / WEEK_MS;
  const keep = 2 ** (-passedMs / HALF_LIFE_MS);
  rates.weeks[host] = (rates.weeks[host] as number) + watched;
  rates.weeksLately[host] = (rates.weeksLately[host] as number) * keep + watched;
  for (let cell = host * OUTPUT_COUNT; cell < (host + 1) * OUTPUT_COUNT; cell++) {
    rates.countsLately[cell] = (rates.countsLately[cell] as number) * keep;
  }
  fadeCell(rates, atMs);
  rates.cellWeeks += watched;
}

/**
 * An outage became known.
 *
 * @param by −1: it turned out to be none.
 */
export function countOutage(rates: NaiveRates, host: number, output: number, by: 1 | -1 = 1): void {
  const cell = host * OUTPUT_COUNT + output;
  const add = (counts: Float64Array, at: number) => {
    counts[at] = Math.max(0, (counts[at] as number) + by);
  };
  add(rates.counts, cell);
  add(rates.countsLately, cell);
  add(rates.cellCounts, output);
}

/**
 * Probabilities of an outage within the horizon, in (0, 1): by what the host had, and by what hosts
 * of the cell have.
 */
export function naiveRisks(
  rates: NaiveRates,
  host: number,
  output: number,
  horizonMs: number,
): {ofHost: number; ofCell: number} {
  const cell = host * OUTPUT_COUNT + output;
  const weeks = rates.weeks[host] as number;
  const usual =
    ((rates.cellCounts[output] as number) + FIRST_OUTAGES) /
    (rates.cellWeeks + FIRST_OUTAGES / FIRST_RATE);
  const ever = ((rates.counts[cell] as number) + WEIGHT) / (weeks + WEIGHT / usual);
  const lately =
    ((rates.countsLately[cell] as number) + WEIGHT) /
    ((rates.weeksLately[host] as number) + WEIGHT / ever);
  const within = (rate: number) => -Math.expm1((-rate * horizonMs) / WEEK_MS);
  return {ofHost: within(lately), ofCell: within(usual)};
}

/** Which of the two has been the better one: hosts of one cell differ, or they do not. */
export function betterOf(
  {losses}: NaiveRates,
  output: number,
  {ofHost, ofCell}: {ofHost: number; ofCell: number},
): number {
  const byHost = losses[2 * output] as number;
  return byHost <= (losses[2 * output + 1] as number) ? ofHost : ofCell;
}

/** The losses of both on a forecast whose outcome is known. */
export function learnLosses(
  {losses}: NaiveRates,
  output: number,
  ofHost: number,
  ofCell: number,
): void {
  losses[2 * output] = (losses[2 * output] as number) + ofHost;
  losses[2 * output + 1] = (losses[2 * output + 1] as number) + ofCell;
}

function fadeCell(rates: NaiveRates, atMs: number): void {
  if (rates.cellAtMs >= atMs) return;
  if (!Number.isNaN(rates.cellAtMs)) {
    const keep = 2 ** (-(atMs - rates.cellAtMs) / HALF_LIFE_MS);
    rates.cellWeeks *= keep;
    for (let output = 0; output < OUTPUT_COUNT; output++) {
      rates.cellCounts[output] = (rates.cellCounts[output] as number) * keep;
    }
    for (let at = 0; at < rates.losses.length; at++) {
      rates.losses[at] = (rates.losses[at] as number) * keep;
    }
  }
  rates.cellAtMs = atMs;
}
