/**
 * Telemetry with its truth, for training: fleets that nobody acts on, seen through the same windows
 * and features as live hosts.
 *
 * Rates of faults and false alarms are those of the demo unless `rateFactor` says otherwise: a
 * calibrated model carries its base rate with it, so train at the rate that it will meet. A hang is
 * labelled `cpu`, a memory leak `memory`.
 */
import {COMPONENTS} from '../domain/components.ts';
import {extractFeatures, FEATURE_COUNT, featureColumns} from '../domain/features.ts';
import {HOST_METRICS} from '../domain/metric-sets.ts';
import {clearRow, createWindows, observe, type Windows} from '../domain/windows.ts';
import type {Random} from '../ports.ts';
import {createChurn} from './churn.ts';
import {createDatacenter} from './datacenter.ts';
import type {FaultKind} from './faults.ts';
import {nextFailure} from './lifecycle.ts';
import {maskSensors} from './sensor-masks.ts';
import type {SimulatedHost} from './world.ts';

export type DatasetOptions = {
  random: Random;
  fleets: number;
  minutesEach: number;
  rowEverySeconds: number;
  hosts?: number;
  vms?: number;
  faults?: readonly FaultKind[] | 'all';
  rateFactor?: number;
  /** Share of hosts that lack whole groups of sensors, as real ones do. */
  maskedShare?: number;
};

export type Dataset = {
  rows: number;
  /** rows × {@link FEATURE_COUNT}. */
  features: Float32Array;
  /** rows × 5, in the order of COMPONENTS: 1 if the host's next failure is this part's, and near. */
  labels: Uint8Array;
  /** Until the host's next failure; infinite if none is in store. */
  secondsToFailure: Float32Array;
  /** Fleet × hosts + host: rows of one host's life, never to be split between train and test. */
  group: Int32Array;
  /** Virtual time of each row since its fleet began. */
  second: Int32Array;
  failures: number;
};

/** A failure within this time is a positive. */
export const HORIZON_SECONDS = 1800;

/**
 * Runs `fleets` datacenters, one after the other, and takes a row of every host that is heard each
 * `rowEverySeconds`. VMs come and go and hosts are emptied at random, whatever their health: else
 * a model would take the consequences of acting for symptoms.
 *
 * About 2 µs a host and second, window and features included.
 */
export function simulateDataset(options: DatasetOptions): Dataset {
  const {fleets, minutesEach, rowEverySeconds, hosts = 24} = options;
  const rowsMax = fleets * hosts * Math.ceil((minutesEach * 60) / rowEverySeconds);
  const dataset: Dataset = {
    rows: 0,
    features: new Float32Array(rowsMax * FEATURE_COUNT),
    labels: new Uint8Array(rowsMax * COMPONENTS.length),
    secondsToFailure: new Float32Array(rowsMax),
    group: new Int32Array(rowsMax),
    second: new Int32Array(rowsMax),
    failures: 0,
  };
  for (let fleet = 0; fleet < fleets; fleet++) simulateFleet(dataset, fleet, options);
  const {rows} = dataset;
  return {
    ...dataset,
    features: dataset.features.subarray(0, rows * FEATURE_COUNT),
    labels: dataset.labels.subarray(0, rows * COMPONENTS.length),
    secondsToFailure: dataset.secondsToFailure.subarray(0, rows),
    group: dataset.group.subarray(0, rows),
    second: dataset.second.subarray(0, rows),
  };
}

function simulateFleet(dataset: Dataset, fleet: number, options: DatasetOptions): void {
  const {minutesEach, rowEverySeconds, hosts = 24, vms = Math.round(7.5 * hosts)} = options;
  const random = options.random.fork(`fleets/${fleet}`);
  const seconds = minutesEach * 60;
  const startMs = 1000;
  const datacenter = createDatacenter({
    random,
    startMs,
    durationMs: seconds * 1000,
    hosts,
    vms,
    faults: options.faults ?? 'all',
    rateFactor: options.rateFactor ?? 1,
  });
  maskSensors(datacenter, random.fork('masks'), options.maskedShare ?? 0.15);
  const churn = createChurn(datacenter.world, random.fork('churn'));
  const windows = createWindows(HOST_METRICS.columns.length, hosts);
  const columns = featureColumns(HOST_METRICS.columns);
  for (let second = 1; second <= seconds; second++) {
    churn();
    datacenter.step(startMs + second * 1000);
    for (const host of datacenter.hosts) {
      watch(windows, host, datacenter.nowMs);
      if ((second + host.index) % rowEverySeconds !== 0 || host.state !== 'up') continue;
      extractFeatures(windows, host.index, columns, dataset.features, dataset.rows * FEATURE_COUNT);
      label(dataset, host, datacenter.nowMs);
      dataset.group[dataset.rows] = fleet * hosts + host.index;
      dataset.second[dataset.rows] = second;
      dataset.rows++;
    }
  }
  dataset.failures += datacenter.ledger.details(datacenter.nowMs).hostFailures;
}

function watch(windows: Windows, host: SimulatedHost, atMs: number): void {
  if (host.state === 'up') observe(windows, host.index, atMs, host.values, 0, 1);
  else if (windows.lastMs[host.index] !== 0) clearRow(windows, host.index);
}

function label(dataset: Dataset, host: SimulatedHost, atMs: number): void {
  const failure = nextFailure(host);
  const seconds = failure === undefined ? Number.POSITIVE_INFINITY : (failure.peakMs - atMs) / 1000;
  dataset.secondsToFailure[dataset.rows] = seconds;
  if (failure?.component === undefined || seconds > HORIZON_SECONDS) return;
  const component = COMPONENTS.indexOf(failure.component);
  dataset.labels[dataset.rows * COMPONENTS.length + component] = 1;
}
