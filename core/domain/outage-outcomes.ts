/**
 * Rows whose outcome is still to be seen: what was known of each host at a time, and what has
 * happened since. An outcome is known when its horizon has passed, never before.
 */
import type {LabelledRows} from './logistic-posterior.ts';
import type {OutageQuestion} from './outage-features.ts';
import {DAY_MS, type Outage} from './outage-history.ts';

const NOTHING_YET = 0;
const HAPPENED = 1;
const SOMETHING_ELSE_FIRST = 2;
const UNWATCHED = 3;

export type PendingRows = {
  readonly atMs: number;
  /** Host × width. */
  readonly inputs: Float64Array;
  readonly seen: Uint8Array;
};

/** Oldest first. Numbers and typed arrays only. */
export type PendingOutcomes = {readonly question: OutageQuestion; pending: PendingRows[]};

export type KnownRows = LabelledRows & {
  readonly atMs: number;
};

export function createOutcomes(question: OutageQuestion): PendingOutcomes {
  return {question, pending: []};
}

/**
 * Awaits what becomes of `hosts` rows of inputs at a time not before that of earlier ones.
 *
 * @param isWatched Of a host that is not, nothing is learned; without it all are.
 */
export function awaitOutcomes(
  outcomes: PendingOutcomes,
  atMs: number,
  hosts: number,
  inputs: Float64Array,
  isWatched: (host: number) => boolean = () => true,
): void {
  const seen = Uint8Array.from({length: hosts}, (_, host) =>
    isWatched(host) ? NOTHING_YET : UNWATCHED,
  );
  outcomes.pending.push({atMs, inputs, seen});
}

/** Takes an outage; outages come in the order in which they began. */
export function observeOutage({question, pending}: PendingOutcomes, outage: Outage): void {
  const hit = answers(question, outage);
  if (!hit && !question.firstOnly) return;
  for (const {atMs, seen} of pending) {
    if (outage.atMs <= atMs || outage.atMs > atMs + question.horizonDays * DAY_MS) continue;
    if (seen[outage.host] === UNWATCHED) continue;
    if (question.firstOnly && seen[outage.host] !== NOTHING_YET) continue;
    seen[outage.host] = hit ? HAPPENED : SOMETHING_ELSE_FIRST;
  }
}

/** Of a host that is gone nothing is learned any more. */
export function ignoreHost({pending}: PendingOutcomes, host: number): void {
  for (const {seen} of pending) if (host < seen.length) seen[host] = UNWATCHED;
}

/** Gives, and no longer keeps, those whose horizon has passed when every outage up to `atMs` is in. */
export function takeKnown(outcomes: PendingOutcomes, atMs: number): KnownRows[] {
  const horizonMs = outcomes.question.horizonDays * DAY_MS;
  const known = outcomes.pending.filter(rows => rows.atMs + horizonMs <= atMs);
  outcomes.pending = outcomes.pending.filter(rows => rows.atMs + horizonMs > atMs);
  return known.map(watchedRows);
}

function watchedRows({atMs, inputs, seen}: PendingRows): KnownRows {
  const hosts = Array.from(seen.keys()).filter(host => seen[host] !== UNWATCHED);
  const labels = Uint8Array.from(hosts, host => (seen[host] === HAPPENED ? 1 : 0));
  if (hosts.length === seen.length) return {atMs, rows: hosts.length, inputs, labels};
  const width = inputs.length / seen.length;
  const watched = new Float64Array(hosts.length * width);
  for (const [row, host] of hosts.entries()) {
    watched.set(inputs.subarray(host * width, (host + 1) * width), row * width);
  }
  return {atMs, rows: hosts.length, inputs: watched, labels};
}

function answers({kind}: OutageQuestion, {cause}: Outage): boolean {
  return kind === 'unplanned' ? cause !== 'planned' : cause === kind;
}
