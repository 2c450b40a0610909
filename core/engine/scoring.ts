/**
 * From dirty rows to risks. One request a tick and partition; at most {@link IN_FLIGHT_MAX} wait for
 * the pool. Results are handed on in dispatch order, and a failed request leaves its rows dirty.
 */

import {isForestayError} from '../domain/errors.ts';
import {extractFeatures, FEATURE_COUNT} from '../domain/features.ts';
import {publish} from '../events.ts';
import type {Clock, Scorer} from '../ports.ts';
import {bandRow, type PartitionState, sortedKeys} from './partition-state.ts';
import type {ScoreResult} from './score-result.ts';
import type {SetTable} from './set-table.ts';

const IN_FLIGHT_MAX = 4;

export type ScoringOptions = {
  /** A host is scored at most this often, on the time of its samples. 0: at every new sample. */
  intervalMs: number;
};

export type ScoringClient = {
  /** Sends what is dirty after a tick, if there is room. Gives the number of the last request. */
  request(state: PartitionState): number;
  /** Requests that were sent and are not back. */
  pending(): number;
  /** Results that are back, of requests in dispatch order without a hole. */
  take(): ScoreResult[];
  /** Resolves when nothing is in flight, or after `ms`. */
  settled(ms: number): Promise<void>;
  /** Number of the last request that was taken. */
  taken(): number;
};

type Slot = {request: number; result: ScoreResult | undefined; done: boolean};

export function createScoringClient(
  scorer: Scorer,
  clock: Clock,
  options: ScoringOptions,
  firstRequest = 0,
): ScoringClient {
  let last = firstRequest;
  let taken = firstRequest;
  const slots: Slot[] = [];
  const flights = new Set<Promise<void>>();

  const send = async (slot: Slot, rows: readonly DirtyRow[], features: Float32Array) => {
    const hosts = rows.map(({host}) => host);
    const startedMs = clock.monotonicMs();
    const model = scorer.signature().hash;
    try {
      const risks = await scorer.score(model, hosts.length, features);
      slot.result = {request: slot.request, hosts, risks};
      const durationMs = clock.monotonicMs() - startedMs;
      publish('scores.applied', {model, rows: hosts.length, durationMs});
    } catch (error) {
      for (const row of rows) soilAgain(row);
      publish('scores.failed', {
        model,
        code: isForestayError(error) ? error.code : 'SCORER_FAILED',
      });
    }
    slot.done = true;
  };

  return {
    request(state) {
      if (slots.length >= IN_FLIGHT_MAX) return last;
      const dirty = dirtyRows(state, options.intervalMs);
      if (dirty.length === 0) return last;
      const features = new Float32Array(dirty.length * FEATURE_COUNT);
      dirty.forEach(({table, row, sentMs}, index) => {
        extractFeatures(table.windows, row, table.features, features, index * FEATURE_COUNT);
        table.scoredMs[row] = sentMs;
      });
      const slot: Slot = {request: ++last, result: undefined, done: false};
      slots.push(slot);
      const flight = send(slot, dirty, features).finally(() => flights.delete(flight));
      flights.add(flight);
      return last;
    },
    pending: () => slots.filter(slot => !slot.done).length,
    take() {
      const results: ScoreResult[] = [];
      while (slots[0]?.done) {
        const slot = slots.shift() as Slot;
        taken = slot.request;
        if (slot.result !== undefined) results.push(slot.result);
      }
      return results;
    },
    async settled(ms) {
      if (flights.size === 0) return;
      const deadline = new AbortController();
      await Promise.race([Promise.all(flights), clock.sleep(ms, deadline.signal)]);
      deadline.abort();
    },
    taken: () => taken,
  };
}

type DirtyRow = {
  host: string;
  table: SetTable;
  row: number;
  /** Newest sample now, and the newest that had been sent before. */
  sentMs: number;
  scoredMs: number;
};

/** Its request failed: it is sent again, unless a later request has it already. */
function soilAgain({table, row, sentMs, scoredMs}: DirtyRow): void {
  if (table.scoredMs[row] === sentMs) table.scoredMs[row] = scoredMs;
}

/** Hosts with samples newer than the last that was scored, by name. */
function dirtyRows(state: PartitionState, intervalMs: number): DirtyRow[] {
  const dirty: DirtyRow[] = [];
  for (const name of sortedKeys(state.hosts)) {
    const host = state.hosts.get(name);
    const found = host && bandRow(state, host);
    if (found === undefined) continue;
    const {table, row} = found;
    const sentMs = table.windows.lastMs[row] as number;
    const scoredMs = table.scoredMs[row] as number;
    if (sentMs > scoredMs && sentMs - scoredMs >= intervalMs) {
      dirty.push({host: name, table, row, sentMs, scoredMs});
    }
  }
  return dirty;
}
