/**
 * Rows of hosts with which part fails within 30 minutes, for the model of component failure: fleets
 * in time lapse, seen through the same windows and features as live hosts.
 *
 * A hang is labelled `cpu`, as is a watchdog that had to bite; a memory leak `memory`. An intended
 * reboot is no failure: see `writeLabels`.
 */
import {COMPONENTS} from '../domain/components.ts';
import {
  COMPONENT_CONTRACT,
  extractFeatures,
  type FeatureColumns,
  type FeatureContract,
  featureColumns,
  featuresOf,
} from '../domain/features.ts';
import {HOST_METRICS} from '../domain/metric-sets.ts';
import {clearRow, createWindows, observe, type Windows} from '../domain/windows.ts';
import {causeOf, nextOutage, writeLabels} from './outcomes.ts';
import {LAPSE} from './tempo.ts';
import {type Conclude, createTrainingFleet, type FleetOptions} from './training-fleet.ts';
import type {SimulatedHost} from './world.ts';

export type ComponentDatasetOptions = FleetOptions & {
  minutesEach: number;
  rowEverySeconds: number;
  /** What is read of a host; {@link COMPONENT_CONTRACT} unless given. */
  contract?: FeatureContract & {family: 'averages'};
  /** Columns that agents conclude are missing unless given. */
  conclude?: Conclude;
};

/** One fleet's rows, by time. */
export type ComponentRows = {
  rows: number;
  columns: number;
  /** rows × columns, in the order of the contract's features. */
  features: Float32Array;
  horizonsSeconds: readonly number[];
  /** rows × COMPONENTS × horizons: 1, 0, or UNKNOWN. */
  labels: Uint8Array;
  /** Until the host goes down, and why: infinite and 0 if not within the longest horizon at least. */
  secondsToDown: Float32Array;
  cause: Uint8Array;
  /** Fleet × hosts + host: rows of one host, never to be split between train and test. */
  group: Int32Array;
  /** Virtual time of each row since its fleet began. */
  second: Int32Array;
  /** Hosts that failed, and that were rebooted on purpose, while rows were taken. */
  failures: number;
  reboots: number;
};

const HORIZONS_SECONDS = [1800];

/**
 * Runs fleets one after the other and gives each one's rows: one of every host that is heard each
 * `rowEverySeconds`. About 2.5 µs a host and second, without what agents conclude.
 */
export async function* simulateComponentDataset(
  options: ComponentDatasetOptions,
): AsyncGenerator<ComponentRows> {
  for (let fleet = 0; fleet < options.fleets; fleet++) yield await simulateFleet(options, fleet);
}

async function simulateFleet(
  options: ComponentDatasetOptions,
  fleet: number,
): Promise<ComponentRows> {
  const {minutesEach, rowEverySeconds} = options;
  const seconds = minutesEach * 60;
  const {datacenter, startMs, hosts, churn} = createTrainingFleet(
    options,
    fleet,
    seconds * 1000,
    'lapse',
  );
  const conclude = options.conclude?.(fleet, datacenter);
  const rowsMax = hosts * Math.ceil(seconds / rowEverySeconds);
  const taking = createRowTaking(options.contract, rowsMax, hosts, startMs, fleet * hosts);
  for (let second = 1; second <= seconds; second++) {
    churn();
    datacenter.step(startMs + second * 1000);
    await conclude?.();
    for (const host of datacenter.hosts) {
      taking.watch(host, datacenter.nowMs);
      if ((second + host.index) % rowEverySeconds === 0) taking.take(host, datacenter.nowMs);
    }
  }
  datacenter.leap(datacenter.nowMs + LAPSE.labelMs);
  return taking.finish(datacenter.hosts, startMs + seconds * 1000, HORIZONS_SECONDS);
}

/** Collects rows of a fleet's hosts; labels them when all that matters has happened. */
export type RowTaking = {
  /** Takes one sample, or sees that there is none. */
  watch(host: SimulatedHost, atMs: number): void;
  /** Takes a row of what was watched, if the host is up. */
  take(host: SimulatedHost, atMs: number): void;
  /** Forgets what was watched of a host. */
  forget(host: SimulatedHost): void;
  finish(
    hosts: readonly SimulatedHost[],
    endMs: number,
    horizonsSeconds: readonly number[],
  ): ComponentRows;
};

export function createRowTaking(
  contract: (FeatureContract & {family: 'averages'}) | undefined = COMPONENT_CONTRACT,
  rowsMax: number,
  hosts: number,
  startMs: number,
  firstGroup: number,
): RowTaking {
  const windows: Windows = createWindows(HOST_METRICS.columns.length, hosts);
  const positions: FeatureColumns = featureColumns(HOST_METRICS.columns, contract);
  const columns = featuresOf(contract).length;
  const features = new Float32Array(rowsMax * columns);
  const owners = new Int32Array(rowsMax);
  const takenMs = new Float64Array(rowsMax);
  let rows = 0;
  const forget = ({index}: SimulatedHost): void => {
    if (windows.lastMs[index] !== 0) clearRow(windows, index);
  };
  return {
    forget,
    watch(host, atMs) {
      if (host.state === 'up') observe(windows, host.index, atMs, host.values, 0, 1);
      else forget(host);
    },
    take(host, atMs) {
      if (host.state !== 'up') return;
      extractFeatures(windows, host.index, positions, features, rows * columns);
      owners[rows] = host.index;
      takenMs[rows] = atMs;
      rows++;
    },
    finish(all, endMs, horizonsSeconds) {
      const labelled: ComponentRows = {
        rows,
        columns,
        features: features.subarray(0, rows * columns),
        horizonsSeconds,
        labels: new Uint8Array(rows * COMPONENTS.length * horizonsSeconds.length),
        secondsToDown: new Float32Array(rows).fill(Number.POSITIVE_INFINITY),
        cause: new Uint8Array(rows),
        group: new Int32Array(rows),
        second: new Int32Array(rows),
        failures: countOutages(all, 'failed', endMs),
        reboots: countOutages(all, 'planned', endMs),
      };
      for (let row = 0; row < rows; row++) {
        const {outages, index} = all[owners[row] as number] as SimulatedHost;
        label(labelled, row, nextOutage(outages, takenMs[row] as number), takenMs[row] as number);
        labelled.group[row] = firstGroup + index;
        labelled.second[row] = ((takenMs[row] as number) - startMs) / 1000;
      }
      return labelled;
    },
  };
}

function label(
  {horizonsSeconds, labels, secondsToDown, cause}: ComponentRows,
  row: number,
  outage: ReturnType<typeof nextOutage>,
  atMs: number,
): void {
  const width = COMPONENTS.length * horizonsSeconds.length;
  writeLabels(outage, atMs, horizonsSeconds, labels, row * width);
  if (outage === undefined) return;
  secondsToDown[row] = (outage.fromMs - atMs) / 1000;
  cause[row] = causeOf(outage);
}

function countOutages(
  hosts: readonly SimulatedHost[],
  cause: 'failed' | 'planned',
  endMs: number,
): number {
  return hosts
    .flatMap(({outages}) => outages)
    .filter(outage => outage.cause === cause && outage.fromMs <= endMs).length;
}
