/**
 * A fleet whose risky hosts are emptied and repaired: so that what was feared does not happen, and
 * nobody ever sees whether it would have. Gives rows and what the event ledger says of the hosts.
 */
import type {Component} from '../../core/domain/components.ts';
import {
  AVERAGE_KINDS,
  COMPONENT_CONTRACT,
  extractFeatures,
  type FeatureContract,
  featureColumns,
  featuresOf,
} from '../../core/domain/features.ts';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import {clearRow, createWindows, observe} from '../../core/domain/windows.ts';
import type {Random} from '../../core/ports.ts';
import type {Datacenter} from '../../core/simulation/datacenter.ts';
import {introduceGeneration} from '../../core/simulation/hardware-generation.ts';
import {createTrainingFleet} from '../../core/simulation/training-fleet.ts';
import type {SimulatedHost} from '../../core/simulation/world.ts';
import {directionsOf} from '../../models/failure/symptoms.ts';
import type {Act, HostEvent} from '../../models/learning/event-ledger.ts';
import type {TimedRow} from '../../models/learning/labels.ts';

export type ActingFleetOptions = {
  readonly random: Random;
  readonly hosts: number;
  readonly minutes: number;
  readonly rateFactor: number;
  /** All are of the newer generation of hardware, or none. */
  readonly isNewGeneration?: boolean;
  /** Risks of one row, by {@link FLEET_COMPONENTS}; left out: nobody acts. */
  readonly score?: (row: Float32Array) => Float32Array;
  /** Acts on risks above it. */
  readonly threshold?: number;
  /** Share of hosts that are left alone whatever their risk, drawn by chance; none unless given. */
  readonly heldBack?: number;
};

export type ActingFleetRows = {
  readonly rows: readonly TimedRow[];
  /** Rows × features of {@link SYMPTOM_CONTRACT}. */
  readonly features: Float32Array;
  /** In the order of their times; written down at once. */
  readonly events: readonly HostEvent[];
  readonly endMs: number;
  readonly acts: number;
};

/** Parts that show well how they are: small fleets teach enough of them. */
const FAULTS = ['dimm', 'disk', 'nic'] as const;
export const FLEET_COMPONENTS: readonly Component[] = ['memory', 'disk', 'network'];
/** What failing parts show of themselves. */
export const SYMPTOM_CONTRACT: FeatureContract & {family: 'averages'} = {
  family: 'averages',
  kinds: AVERAGE_KINDS,
  metrics: [],
  levels: featuresOf(COMPONENT_CONTRACT)
    .filter((_, column) =>
      FLEET_COMPONENTS.some(component => directionsOf(component, COMPONENT_CONTRACT)[column] !== 0),
    )
    .map(({metric}) => metric),
};
export const FLEET_FEATURES = featuresOf(SYMPTOM_CONTRACT).length;
export const HORIZON_SECONDS = 1800;
/** Ten samples in the shorter average are as good as fifty, and five times as cheap. */
const STEP_SECONDS = 5;
const ROW_EVERY_STEPS = 12;
const VMS_A_HOST = 2;
const REPAIR_MS = 5 * 60_000;

/** About 1 ms a host and minute. */
export function runActingFleet(options: ActingFleetOptions, fleet: number): ActingFleetRows {
  const {random, hosts, minutes, rateFactor, score, threshold = 1, heldBack = 0} = options;
  const durationMs = minutes * 60_000;
  const shape = {random, fleets: 1, hosts, vms: VMS_A_HOST * hosts, rateFactor, faults: FAULTS};
  const {datacenter, startMs, churn} = createTrainingFleet(shape, fleet, durationMs, 'lapse');
  if (options.isNewGeneration) {
    introduceGeneration(datacenter.world, random.fork('new'), {arrivesAtMs: startMs, hosts});
  }
  const taking = createTaking(hosts, Math.ceil((minutes * 60) / STEP_SECONDS / ROW_EVERY_STEPS));
  const held = datacenter.hosts.map(
    ({name}) => random.fork(`held/${fleet}/${name}`).next() < heldBack,
  );
  const events: HostEvent[] = [];
  for (let step = 1; step * STEP_SECONDS <= minutes * 60; step++) {
    churn();
    datacenter.leap(startMs + step * STEP_SECONDS * 1000);
    for (const host of datacenter.hosts) {
      taking.watch(host, datacenter.nowMs);
      if (host.state !== 'up' || (step + host.index) % ROW_EVERY_STEPS !== 0) continue;
      const row = taking.take(host, `${fleet}/${host.name}`, datacenter.nowMs);
      if (score === undefined || held[host.index]) continue;
      const act = actOn(score(row), threshold, 1 - heldBack);
      if (act !== undefined) repair(datacenter, host, fleet, act, events);
    }
  }
  const endMs = datacenter.nowMs;
  datacenter.leap(endMs + HORIZON_SECONDS * 1000);
  const acts = events.filter(({kind}) => kind === 'evacuated').length;
  for (const host of datacenter.hosts) {
    const name = `${fleet}/${host.name}`;
    const own = events.filter(event => event.host === name);
    events.push(...eventsOf(host, name, new Set(own.map(({atMs}) => atMs))));
  }
  events.sort((a, b) => a.recordedAtMs - b.recordedAtMs);
  return {rows: taking.rows, features: taking.features(), events, endMs: datacenter.nowMs, acts};
}

function createTaking(hosts: number, times: number) {
  const positions = featureColumns(HOST_METRICS.columns, SYMPTOM_CONTRACT);
  const windows = createWindows(HOST_METRICS.columns.length, hosts);
  const features = new Float32Array(hosts * (times + 1) * FLEET_FEATURES);
  const rows: TimedRow[] = [];
  return {
    rows,
    features: () => features.subarray(0, rows.length * FLEET_FEATURES),
    watch({index, state, values}: SimulatedHost, atMs: number): void {
      if (state === 'up') observe(windows, index, atMs, values, 0, 1);
      else if (windows.lastMs[index] !== 0) clearRow(windows, index);
    },
    take({index}: SimulatedHost, host: string, atMs: number): Float32Array {
      const offset = rows.length * FLEET_FEATURES;
      extractFeatures(windows, index, positions, features, offset);
      rows.push({host, atMs});
      return features.subarray(offset, offset + FLEET_FEATURES);
    },
  };
}

function actOn(risks: Float32Array, threshold: number, propensity: number): Act | undefined {
  const risk = Math.max(...risks);
  const component = FLEET_COMPONENTS[risks.indexOf(risk)];
  if (component === undefined || risk < threshold) return undefined;
  return {component, risk, propensity};
}

/** Its VMs move away, then it is shut down and what is failing is replaced. */
function repair(
  {nowMs}: Datacenter,
  host: SimulatedHost,
  fleet: number,
  act: Act,
  events: HostEvent[],
): void {
  const times = {host: `${fleet}/${host.name}`, atMs: nowMs, recordedAtMs: nowMs};
  events.push({...times, kind: 'evacuated', act}, {...times, kind: 'taken-away', act});
  host.occasions.push({
    kind: 'maintenance',
    beginsMs: nowMs,
    rebootMs: nowMs,
    downMs: REPAIR_MS,
    steps: [],
    next: 0,
    regression: undefined,
  });
  host.rebootsAtMs = nowMs;
}

/** What happened to a host by itself, and when it came back. */
function eventsOf(host: SimulatedHost, name: string, repairedAtMs: ReadonlySet<number>) {
  return host.outages.flatMap(({fromMs, untilMs, cause, component}): HostEvent[] => {
    const times = {host: name, atMs: fromMs, recordedAtMs: fromMs};
    const returned = {host: name, atMs: untilMs, recordedAtMs: untilMs, kind: 'returned'} as const;
    if (repairedAtMs.has(fromMs)) return [returned];
    if (cause === 'planned') return [{...times, kind: 'rebooted'}];
    return component === undefined
      ? [{...times, kind: 'crashed'}, returned]
      : [{...times, kind: 'failed', component}, returned];
  });
}
