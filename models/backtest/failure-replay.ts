import type {LabelledRows} from '../../core/domain/logistic-posterior.ts';
import {fillInputs, type OutageInput} from '../../core/domain/outage-features.ts';
import {
  createOutageHistory,
  DAY_MS,
  type OutageHistory,
  recordOutage,
  recordReturn,
} from '../../core/domain/outage-history.ts';
import {
  awaitOutcomes,
  type KnownRows,
  observeOutage,
  type PendingOutcomes,
  takeKnown,
} from '../../core/domain/outage-outcomes.ts';
import {viewOutages} from '../../core/domain/outage-view.ts';
import type {System} from './failure-systems.ts';

/** When predictions are wanted. */
export type Cadence = {
  readonly everyDays: number;
  /** Of the day, when they are made. */
  readonly minuteOfDay: number;
};

/** What a replay comes upon, in order. */
export type ReplayVisitor = {
  /** Rows of an earlier time whose outcome has become known. */
  known(rows: KnownRows): void;
  /** What is known of every host now; `scored` if predictions are wanted of this time. */
  asked(atMs: number, inputs: Float64Array, scored: boolean): void;
};

export const FIRST_SCORED_DAYS = 180;
export const LAST_SCORED_DAYS = 7;
/** From its third week on a system is watched, so that something is learned before day 180. */
const FIRST_WATCHED_DAYS = 14;

/** Times of predictions: every so often from 180 days after the first outage to 7 before the last. */
export function scoredTimes({outages}: System, {everyDays, minuteOfDay}: Cadence): number[] {
  const first = (outages[0] as {atMs: number}).atMs + FIRST_SCORED_DAYS * DAY_MS;
  const end = (outages.at(-1) as {atMs: number}).atMs - LAST_SCORED_DAYS * DAY_MS;
  const times = [];
  let atMs = (Math.floor(first / DAY_MS) + 1) * DAY_MS + minuteOfDay * 60_000;
  for (; atMs < end; atMs += everyDays * DAY_MS) times.push(atMs);
  return times;
}

/**
 * Lives through a system's outages as if they happened now: what is asked at a time knows only
 * outages that had begun and returns that had happened by then.
 */
export function replaySystem(
  system: System,
  cadence: Cadence,
  inputs: readonly OutageInput[],
  outcomes: PendingOutcomes,
  visitor: ReplayVisitor,
): void {
  const history = createOutageHistory(system.hosts);
  const occasions = occasionsOf(system, outcomes);
  const scored = scoredTimes(system, cadence);
  let next = 0;
  const advance = (atMs: number) => {
    while (next < occasions.length && (occasions[next] as Occasion).atMs <= atMs) {
      (occasions[next++] as Occasion).happen(history);
    }
    for (const rows of takeKnown(outcomes, atMs)) visitor.known(rows);
  };
  const ask = (atMs: number, isScored: boolean) => {
    advance(atMs);
    const rows = fillInputs(inputs, viewOutages(history, atMs));
    visitor.asked(atMs, rows, isScored);
    awaitOutcomes(outcomes, atMs, system.hosts, rows);
  };
  for (const atMs of watchedTimes(system, cadence, scored)) ask(atMs, false);
  for (const atMs of scored) ask(atMs, true);
  advance((system.outages.at(-1) as {atMs: number}).atMs);
}

/** Every row of a system whose outcome became known. */
export function collectRows(
  system: System,
  cadence: Cadence,
  inputs: readonly OutageInput[],
  outcomes: PendingOutcomes,
): LabelledRows {
  const batches: KnownRows[] = [];
  replaySystem(system, cadence, inputs, outcomes, {
    known: rows => batches.push(rows),
    asked: () => {},
  });
  const width = inputs.length + 1;
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  const all = {rows, inputs: new Float64Array(rows * width), labels: new Uint8Array(rows)};
  let row = 0;
  for (const batch of batches) {
    all.inputs.set(batch.inputs, row * width);
    all.labels.set(batch.labels, row);
    row += batch.rows;
  }
  return all;
}

type Occasion = {atMs: number; happen(history: OutageHistory): void};

/** Begins and returns by time; of the same time, begins are first. */
function occasionsOf({outages}: System, outcomes: PendingOutcomes): Occasion[] {
  const begins = outages.map(outage => ({
    atMs: outage.atMs,
    happen: (history: OutageHistory) => {
      recordOutage(history, outage);
      observeOutage(outcomes, outage);
    },
  }));
  const returns = outages.map(({atMs, host, downMs}) => ({
    // That nobody wrote down how long it was down says nothing about how long it was.
    atMs: Number.isNaN(downMs) ? atMs : atMs + downMs,
    happen: (history: OutageHistory) => recordReturn(history, host, downMs),
  }));
  return [...begins, ...returns].sort((a, b) => a.atMs - b.atMs);
}

/** The same cadence before the first prediction. */
function watchedTimes(
  {outages}: System,
  {everyDays}: Cadence,
  scored: readonly number[],
): number[] {
  const times = [];
  const begin = (outages[0] as {atMs: number}).atMs + FIRST_WATCHED_DAYS * DAY_MS;
  const first = scored[0] ?? Number.NEGATIVE_INFINITY;
  for (let atMs = first - everyDays * DAY_MS; atMs > begin; atMs -= everyDays * DAY_MS) {
    times.unshift(atMs);
  }
  return times;
}
