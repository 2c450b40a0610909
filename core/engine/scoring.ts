/**
 * From rows that want a score to risks. At most {@link IN_FLIGHT_MAX} requests of a partition wait
 * for the pool. Results are handed on in dispatch order.
 *
 * Q1 Hosts are scored as they are: one request a tick, and while there is no room for one, rows wait
 *    and are scored once with their newest features. A failed request leaves its rows dirty.
 * Q2 Samples, if every so many of them are scored, are scored each: while there is no room the
 *    partition takes no more telemetry ({@link ScoringClient.isFull}), and a request that fails for a
 *    while is tried again.
 */
import {within} from '../domain/concurrency.ts';
import {ForestayError, isDefect, isForestayError} from '../domain/errors.ts';
import {publish} from '../events.ts';
import type {Clock, ModelSignature, Random, Scorer} from '../ports.ts';
import type {DueSamples} from './due-samples.ts';
import {modelOf} from './model-switch.ts';
import type {PartitionState} from './partition-state.ts';
import type {ScoreResult} from './score-result.ts';
import {countedReboot, withReboots} from './scored-reboots.ts';
import type {ServedModels} from './served-models.ts';
import {hasFeatures, readFeatures, rebootRisk, type SetTable} from './set-table.ts';

const IN_FLIGHT_MAX = 4;
const ATTEMPTS_MAX = 8;
const RETRY_MS = 50;

export type ScoringOptions = {
  /** A host is scored at most this often, on the time of its samples. 0: at every new sample. */
  intervalMs: number;
  /** Score every so many samples of a host instead; absent or 0: no. */
  everySamples?: number;
  /** Results bring the features that they are of. */
  withFeatures?: boolean;
};

export type ScoringClient = {
  /** Sends what wants a score after a tick, if there is room. Gives the number of the last request. */
  request(state: PartitionState): number;
  /** Whether no more requests may be made before some are taken. */
  isFull(): boolean;
  /** Requests that were sent and are not back. */
  pending(): number;
  /** Results that are back, of requests in dispatch order without a hole. */
  take(): ScoreResult[];
  /** Resolves when nothing is in flight, or after `ms`. */
  settled(ms: number): Promise<void>;
  /** Number of the last request that was taken. */
  taken(): number;
};

/** Errors: `CONFIG_INVALID` if the model has no features as often as they would be asked for. */
export function requireCadence({name, contract}: ModelSignature, everySamples: number): void {
  if (contract.family !== 'count-window' || everySamples % contract.stride === 0) return;
  throw new ForestayError(
    'CONFIG_INVALID',
    `scoring.everySamples is ${everySamples}; model ${name} has new features every ` +
      `${contract.stride} samples: take a multiple of that`,
    {details: {everySamples, stride: contract.stride}},
  );
}

type Slot = {request: number; result: ScoreResult | undefined; done: boolean};

export function createScoringClient(
  models: Pick<ServedModels, 'scorerOf'>,
  clock: Clock,
  random: Random,
  options: ScoringOptions,
  firstRequest = 0,
): ScoringClient {
  let last = firstRequest;
  let taken = firstRequest;
  const slots: Slot[] = [];
  const flights = new Set<Promise<void>>();

  const send = async (
    request: Omit<ScoreResult, 'risks' | 'model'> & {model: ModelSignature},
    reboots: Float32Array,
    features: Float32Array,
    attempts: number,
    failed: () => void,
  ) => {
    const slot: Slot = {request: request.request, result: undefined, done: false};
    slots.push(slot);
    const startedMs = clock.monotonicMs();
    const {model} = request;
    const rows = reboots.length;
    try {
      const score = () => scorerOf(models, model, rows).score(model.hash, rows, features);
      const risks = await tried(score, attempts, clock, random);
      slot.result = {
        ...request,
        risks: withReboots(model, risks, reboots),
        ...(options.withFeatures ? {features} : {}),
      };
      const durationMs = clock.monotonicMs() - startedMs;
      publish('scores.applied', {model: model.hash, rows, durationMs});
    } catch (error) {
      failed();
      const code = isForestayError(error) ? error.code : 'SCORER_FAILED';
      publish('scores.failed', {model: model.hash, code});
      if (isDefect(error)) throw error;
    } finally {
      slot.done = true;
    }
  };

  const track = (sent: Promise<void>): void => {
    const flight = sent.finally(() => flights.delete(flight));
    flights.add(flight);
  };

  const sendDue = (
    {request, hosts, samples, features}: DueSamples,
    model: ModelSignature,
  ): void => {
    last = request;
    // What was said as of each sample is gone by now.
    const reboots = new Float32Array(samples.host.length).fill(Number.NaN);
    track(send({request, hosts, samples, model}, reboots, features, ATTEMPTS_MAX, () => {}));
  };

  const sendDirty = (state: PartitionState): void => {
    const dirty = dirtyRows(state, options.intervalMs);
    for (const [model, rows] of Map.groupBy(dirty, ({host}) => modelOf(state, host))) {
      const request = {request: ++last, hosts: rows.map(({host}) => host), model};
      const reboots = rebootsOf(rows, state.policy.reboot.threshold);
      const soil = () => rows.forEach(soilAgain);
      track(send(request, reboots, takeFeatures(rows, model), 1, soil));
    }
  };

  return {
    request(state) {
      if (options.everySamples) {
        for (const due of state.unscored) if (due.request > last) sendDue(due, state.model);
      } else if (slots.length < IN_FLIGHT_MAX) {
        sendDirty(state);
      }
      return last;
    },
    isFull: () => slots.length >= IN_FLIGHT_MAX,
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
      await within(clock, ms, Promise.all(flights));
    },
    taken: () => taken,
  };
}

/** What `work` gives, tried again after failures that may pass, later each time. */
async function tried<Value>(
  work: () => Promise<Value>,
  attempts: number,
  clock: Clock,
  random: Random,
): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === attempts || !isForestayError(error) || !error.retryable) throw error;
      await clock.sleep(RETRY_MS * 2 ** (attempt - 1) * (0.5 + random.next()));
    }
  }
}

function scorerOf(
  models: Pick<ServedModels, 'scorerOf'>,
  {hash}: ModelSignature,
  rows: number,
): Scorer {
  const scorer = models.scorerOf(hash);
  if (scorer !== undefined) return scorer;
  throw new ForestayError(
    'SCORER_FAILED',
    `cannot score ${rows} rows with model ${hash}: it is not open`,
    {details: {model: hash, rows}},
  );
}

function rebootsOf(rows: readonly DirtyRow[], threshold: number): Float32Array {
  return Float32Array.from(rows, ({table, row}) =>
    countedReboot(rebootRisk(table, row), threshold),
  );
}

type DirtyRow = {
  host: string;
  table: SetTable;
  row: number;
  /** Newest sample now, and the newest that had been sent before. */
  sentMs: number;
  scoredMs: number;
};

/** Features of rows, rows × featureCount; they count as scored from now on. */
function takeFeatures(rows: readonly DirtyRow[], model: ModelSignature): Float32Array {
  const features = new Float32Array(rows.length * model.featureCount);
  rows.forEach(({table, row, sentMs}, index) => {
    readFeatures(table, row, model, features, index * model.featureCount);
    table.scoredMs[row] = sentMs;
  });
  return features;
}

/** Its request failed: it is sent again, unless a later request has it already. */
function soilAgain({table, row, sentMs, scoredMs}: DirtyRow): void {
  if (table.scoredMs[row] === sentMs) table.scoredMs[row] = scoredMs;
}

/** Hosts with samples newer than the last that was scored, by name. */
function dirtyRows(state: PartitionState, intervalMs: number): DirtyRow[] {
  const dirty: DirtyRow[] = [];
  for (const table of state.tables.values()) {
    if (!table.scored) continue;
    const {names, scoredMs, windows, set} = table;
    for (let row = 0; row < names.length; row++) {
      const sentMs = windows.lastMs[row] as number;
      const beforeMs = scoredMs[row] as number;
      if (sentMs <= beforeMs || sentMs - beforeMs < intervalMs) continue;
      const host = (names[row] as string).slice('hosts/'.length);
      const entry = state.hosts.get(host);
      if (entry?.row !== row || entry.table !== set.name || !hasFeatures(table, row)) continue;
      dirty.push({host, table, row, sentMs, scoredMs: beforeMs});
    }
  }
  return dirty.sort((a, b) => (a.host < b.host ? -1 : 1));
}
