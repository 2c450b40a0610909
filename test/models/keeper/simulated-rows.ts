/** Rows of simulated fleets, as a partition tells them: every five minutes, of hosts that are up. */
import {seededRandom} from '../../../core/adapters/random-seeded.ts';
import {
  COMPONENT_CONTRACT,
  contractHash,
  extractFeatures,
  featureColumns,
  featuresOf,
} from '../../../core/domain/features.ts';
import {HOST_METRICS} from '../../../core/domain/metric-sets.ts';
import type {ObservedHost, ObservedRows} from '../../../core/domain/observed.ts';
import {clearRow, createWindows, observe} from '../../../core/domain/windows.ts';
import {introduceGeneration} from '../../../core/simulation/hardware-generation.ts';
import {createTrainingFleet} from '../../../core/simulation/training-fleet.ts';
import type {SimulatedHost} from '../../../core/simulation/world.ts';

export const FEATURE_HASH = contractHash(COMPONENT_CONTRACT);
export const OLD = 'Made Model 1';
export const NEW = 'Made Model 2';

const STEP_SECONDS = 300;
const POSITIONS = featureColumns(HOST_METRICS.columns, COMPONENT_CONTRACT);
const WIDTH = featuresOf(COMPONENT_CONTRACT).length;

export type SimulatedRowsOptions = {
  readonly seed: number;
  readonly hosts: number;
  readonly minutes: number;
  /** Hosts of the newer generation, and when they arrive. */
  readonly newer?: {readonly hosts: number; readonly afterMinutes: number};
};

/** About 0.02 ms a host and second. */
export function* simulateRows(options: SimulatedRowsOptions): Generator<ObservedRows> {
  const {seed, hosts, minutes, newer} = options;
  const random = seededRandom(seed);
  const shape = {random, fleets: 1, hosts};
  const {datacenter, startMs, churn} = createTrainingFleet(shape, 0, minutes * 60_000, 'lapse');
  if (newer !== undefined) {
    const arrivesAtMs = startMs + newer.afterMinutes * 60_000;
    introduceGeneration(datacenter.world, random.fork('new'), {arrivesAtMs, hosts: newer.hosts});
  }
  const windows = createWindows(HOST_METRICS.columns.length, hosts);
  const bootAtMs = new Float64Array(hosts);
  for (let second = 1; second <= minutes * 60; second++) {
    churn();
    datacenter.step(startMs + second * 1000);
    const {nowMs: atMs} = datacenter;
    for (const {index, state, values} of datacenter.hosts) {
      const wasHeard = windows.lastMs[index] !== 0;
      if (state === 'up' && !wasHeard && second > 1) bootAtMs[index] = atMs;
      if (state === 'up') observe(windows, index, atMs, values, 0, 1);
      else if (wasHeard) clearRow(windows, index);
    }
    if (second % STEP_SECONDS !== 0) continue;
    const up = datacenter.hosts.filter(({state}) => state === 'up');
    const features = new Float32Array(up.length * WIDTH);
    for (const [row, {index}] of up.entries()) {
      extractFeatures(windows, index, POSITIONS, features, row * WIDTH);
    }
    const observed = up.map(host => observedHost(host, bootAtMs[host.index] as number));
    yield rowsOf(atMs, observed, features, WIDTH);
  }
}

function observedHost({name, cell, traits}: SimulatedHost, bootAtMs: number): ObservedHost {
  const hardware = traits.generation === undefined ? OLD : NEW;
  return {name, cell, hardware, modelHash: 'm', bootAtMs};
}

export function rowsOf(
  atMs: number,
  hosts: readonly ObservedHost[],
  features: Float32Array,
  featureCount: number,
): ObservedRows {
  const risks = new Float32Array(hosts.length);
  return {
    partition: 0,
    atMs,
    featureHash: FEATURE_HASH,
    featureCount,
    hosts,
    features,
    outputs: ['any'],
    risks,
  };
}
