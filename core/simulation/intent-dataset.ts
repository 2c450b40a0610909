/**
 * Sequences of hosts with what became of them, for the model of reboot intent: what an agent would
 * feed it, step by step, and when and why the host went down.
 *
 * Rates are those of a demonstration with intents (`RATES`, faults.ts) unless `rateFactor` says
 * otherwise: in an hour of a host 0.21 intended reboots and 0.3 failures are drawn.
 */
import {
  createIntentStep,
  INTENT_COLUMNS,
  INTENT_STEP_MS,
  takeIntentSample,
} from '../domain/intent-step.ts';
import {HOST_METRICS} from '../domain/metric-sets.ts';
import {causeOf, nextOutage} from './outcomes.ts';
import {LAPSE} from './tempo.ts';
import {createTrainingFleet, type FleetOptions} from './training-fleet.ts';
import type {SimulatedHost} from './world.ts';

export type IntentDatasetOptions = FleetOptions & {minutesEach: number};

/** One fleet's. A sequence is one life of a host, from a boot to whatever ended it. */
export type IntentSequences = {
  rows: number;
  columns: number;
  /** rows × columns, in the order of INTENT_INPUTS; NaN is missing. One row a step of 10 s. */
  features: Float32Array;
  /** First row of every sequence, and after the last one the number of rows. */
  starts: Uint32Array;
  /** Of each sequence: fleet × hosts + host. Never to be split between train and test. */
  group: Int32Array;
  /** End of each row's step, in seconds since the fleet began. */
  second: Int32Array;
  /** From then until the host goes down; infinite: not within 30 minutes after the fleet's end. */
  secondsToDown: Float32Array;
  /** Why it goes down, by position in DOWN_CAUSES; 0 where `secondsToDown` is infinite. */
  cause: Uint8Array;
};

/**
 * Runs fleets one after the other and gives each one's sequences; memory is one fleet's, 35 MB an
 * hour of 1000 hosts. Rows know nothing of what comes after them; 30 minutes beyond the last row are
 * simulated, so that all horizons up to there are known.
 *
 * About 2 µs a host and second: 300 host-hours in 2 to 3 s of CPU.
 */
export function* simulateIntentDataset(options: IntentDatasetOptions): Generator<IntentSequences> {
  for (let fleet = 0; fleet < options.fleets; fleet++) yield simulateFleet(options, fleet);
}

/** Rows of one host while the fleet runs. */
type Record = {features: Float32Array; endsMs: number[]; lives: number[]; boots: number};

function simulateFleet(options: IntentDatasetOptions, fleet: number): IntentSequences {
  const durationMs = options.minutesEach * 60_000;
  const {datacenter, startMs, hosts, churn} = createTrainingFleet(
    options,
    fleet,
    durationMs,
    'lapse',
  );
  const steps = Math.ceil(durationMs / INTENT_STEP_MS) + 1;
  const records = datacenter.hosts.map(
    (): Record => ({
      features: new Float32Array(steps * INTENT_COLUMNS),
      endsMs: [],
      lives: [],
      boots: 0,
    }),
  );
  const watches = datacenter.hosts.map(() => createIntentStep(HOST_METRICS.columns));
  for (let nowMs = startMs + 1000; nowMs <= startMs + durationMs; nowMs += 1000) {
    churn();
    datacenter.step(nowMs);
    for (const host of datacenter.hosts) {
      if (host.state !== 'up') continue;
      const record = records[host.index] as Record;
      if (record.boots !== host.boots) {
        record.boots = host.boots;
        record.lives.push(record.endsMs.length);
        watches[host.index] = createIntentStep(HOST_METRICS.columns);
      }
      watch(record, watches[host.index] as ReturnType<typeof createIntentStep>, host, nowMs);
    }
  }
  datacenter.leap(startMs + durationMs + LAPSE.labelMs);
  return collect(records, datacenter.hosts, startMs, fleet * hosts);
}

function watch(
  {features, endsMs}: Record,
  step: ReturnType<typeof createIntentStep>,
  host: SimulatedHost,
  nowMs: number,
): void {
  const before = step.endsMs;
  const offset = endsMs.length * INTENT_COLUMNS;
  if (takeIntentSample(step, nowMs, host.values, features, offset) > 0) endsMs.push(before);
}

function collect(
  records: readonly Record[],
  hosts: readonly SimulatedHost[],
  startMs: number,
  firstGroup: number,
): IntentSequences {
  const rows = records.reduce((sum, {endsMs}) => sum + endsMs.length, 0);
  const starts: number[] = [];
  const group: number[] = [];
  const sequences: IntentSequences = {
    rows,
    columns: INTENT_COLUMNS,
    features: new Float32Array(rows * INTENT_COLUMNS),
    starts: new Uint32Array(0),
    group: new Int32Array(0),
    second: new Int32Array(rows),
    secondsToDown: new Float32Array(rows).fill(Number.POSITIVE_INFINITY),
    cause: new Uint8Array(rows),
  };
  let row = 0;
  records.forEach(({features, endsMs, lives}, index) => {
    const {outages} = hosts[index] as SimulatedHost;
    sequences.features.set(
      features.subarray(0, endsMs.length * INTENT_COLUMNS),
      row * INTENT_COLUMNS,
    );
    for (const [life, first] of lives.entries()) {
      if (first === (lives[life + 1] ?? endsMs.length)) continue;
      starts.push(row + first);
      group.push(firstGroup + index);
    }
    for (const atMs of endsMs) {
      const outage = nextOutage(outages, atMs);
      sequences.second[row] = (atMs - startMs) / 1000;
      sequences.cause[row] = causeOf(outage);
      if (outage !== undefined) sequences.secondsToDown[row] = (outage.fromMs - atMs) / 1000;
      row++;
    }
  });
  return {...sequences, starts: Uint32Array.from([...starts, rows]), group: Int32Array.from(group)};
}
