/** Fleets of which a part is of a new generation of hardware, as examples to learn from and to judge by. */
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import {COMPONENT_CONTRACT, contractHash} from '../../core/domain/features.ts';
import {type ComponentRows, createRowTaking} from '../../core/simulation/component-dataset.ts';
import {introduceGeneration} from '../../core/simulation/hardware-generation.ts';
import {UNKNOWN} from '../../core/simulation/outcomes.ts';
import {LAPSE} from '../../core/simulation/tempo.ts';
import {createTrainingFleet} from '../../core/simulation/training-fleet.ts';
import {pickValues} from '../../models/failure/data.ts';
import {type ExampleSet, noneDropped} from '../../models/keeper/example-set.ts';
import {cleanCounts} from '../../models/learning/event-ledger.ts';

export const OLD = 'gen-1';
export const NEW = 'gen-2';

export type RenewalFleetOptions = {
  readonly seed: number;
  readonly name: string;
  readonly hosts: number;
  readonly newHosts: number;
  readonly hours: number;
};

const ROW_EVERY_SECONDS = 300;
const HORIZON_SECONDS = 1800;

/** In time lapse, where a host fails every few hours. About 9 ms a host and hour. */
export function runRenewalFleet(options: RenewalFleetOptions): ExampleSet {
  const {seed, name, hosts, newHosts, hours} = options;
  const random = seededRandom(seed).fork(name);
  const seconds = hours * 3600;
  const {datacenter, startMs, churn} = createTrainingFleet(
    {random, fleets: 1, hosts},
    0,
    seconds * 1000,
    'lapse',
  );
  const arriving = {arrivesAtMs: startMs, hosts: newHosts};
  introduceGeneration(datacenter.world, random.fork('renewal'), arriving);
  const rowsMax = hosts * Math.ceil(seconds / ROW_EVERY_SECONDS);
  const taking = createRowTaking(undefined, rowsMax, hosts, startMs, 0);
  for (let second = 1; second <= seconds; second++) {
    churn();
    datacenter.step(startMs + second * 1000);
    for (const host of datacenter.hosts) {
      taking.watch(host, datacenter.nowMs);
      if ((second + host.index) % ROW_EVERY_SECONDS === 0) taking.take(host, datacenter.nowMs);
    }
  }
  datacenter.leap(datacenter.nowMs + LAPSE.labelMs);
  const rows = taking.finish(datacenter.hosts, startMs + seconds * 1000, [HORIZON_SECONDS]);
  const described = datacenter.hosts.map(host => ({
    name: `${name}/${host.name}`,
    cell: host.cell,
    hardware: host.traits.generation === undefined ? OLD : NEW,
  }));
  return toExamples(rows, described, startMs);
}

function toExamples(
  {rows, features, labels, group, second, secondsToDown}: ComponentRows,
  hosts: ExampleSet['hosts'],
  startMs: number,
): ExampleSet {
  const set: ExampleSet = {
    rows,
    featureHash: contractHash(COMPONENT_CONTRACT),
    featureCount: features.length / rows,
    outputs: COMPONENTS,
    horizonSeconds: HORIZON_SECONDS,
    hosts,
    features,
    targets: Float32Array.from(labels, label => (label === UNKNOWN ? Number.NaN : label)),
    weights: new Float32Array(rows).fill(1),
    host: group,
    atMs: Float64Array.from(second, each => startMs + 1000 * each),
    secondsToFailure: secondsToDown,
    counts: {
      failures: {},
      unnamed: 0,
      labels: {},
      ledger: cleanCounts(0),
      dropped: noneDropped(),
    },
  };
  return {...set, counts: {...set.counts, failures: countFailures(set)}};
}

/** What was known when so many hosts had failed. */
export function untilFailures(set: ExampleSet, failures: number): ExampleSet {
  const times = [...failureTimes(set).values()].sort((a, b) => a - b);
  const endMs = times[failures - 1] ?? Number.POSITIVE_INFINITY;
  const order = Int32Array.from(set.atMs.keys()).filter(row => (set.atMs[row] as number) <= endMs);
  const pick = (width: number, values: Float32Array) =>
    pickValues(values, order, new Float32Array(order.length * width));
  const known: ExampleSet = {
    ...set,
    rows: order.length,
    features: pick(set.featureCount, set.features),
    targets: pick(set.outputs.length, set.targets),
    weights: pick(1, set.weights),
    secondsToFailure: pick(1, set.secondsToFailure),
    host: Int32Array.from(order, row => set.host[row] as number),
    atMs: Float64Array.from(order, row => set.atMs[row] as number),
  };
  return {...known, counts: {...set.counts, failures: countFailures(known)}};
}

/** When each failure with rows before it came, by host and time, of one output or of all. */
function failureTimes(
  {rows, outputs, targets, host, atMs, secondsToFailure}: ExampleSet,
  output?: number,
): Map<string, number> {
  const times = new Map<string, number>();
  for (let row = 0; row < rows; row++) {
    const own = targets.subarray(row * outputs.length, (row + 1) * outputs.length);
    if (output === undefined ? !own.includes(1) : own[output] !== 1) continue;
    const failedAtMs = Math.round((atMs[row] as number) + 1000 * (secondsToFailure[row] as number));
    times.set(`${host[row]}/${failedAtMs}`, failedAtMs);
  }
  return times;
}

function countFailures(set: ExampleSet): Record<string, number> {
  return Object.fromEntries(set.outputs.map((name, at) => [name, failureTimes(set, at).size]));
}

/** Failures of all parts together, and those of hosts of the new generation. */
export function tellFailures(set: ExampleSet): {all: number; ofNew: number} {
  const hosts = [...failureTimes(set).keys()].map(key => Number(key.split('/')[0]));
  const ofNew = hosts.filter(host => set.hosts[host]?.hardware === NEW);
  return {all: hosts.length, ofNew: ofNew.length};
}
