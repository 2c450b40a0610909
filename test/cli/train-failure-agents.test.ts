import test from 'ava';
import {hostSensor, vmSensor} from '../../cli/datacenter-sensors.ts';
import {openTrainingAgents} from '../../cli/train-failure-agents.ts';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {HOST_METRIC_CATALOGUE} from '../../core/domain/host-metrics.ts';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import type {Datacenter} from '../../core/simulation/datacenter.ts';
import {createTrainingFleet} from '../../core/simulation/training-fleet.ts';
import {concludeIntent} from '../../edge/intent.ts';
import {openIntentThread} from '../../edge/intent-thread.ts';
import {limitNotes} from '../../edge/note.ts';
import {concludeOddness} from '../../edge/oddness.ts';
import {createSampler, type Sampler} from '../../edge/sampler.ts';

const SEED = 88;
const FLEETS = 8;
const MINUTES = 30;
const MODEL = new URL('../../models/artefacts/reboot-intent', import.meta.url).pathname;
const CONCLUDED = HOST_METRIC_CATALOGUE.flatMap(({name, source}) =>
  source === 'anomaly' || source === 'intent'
    ? [{name, source, place: HOST_METRICS.columns.indexOf(name)}]
    : [],
);
/** Of one host in batches and alone: the same sums in another order. */
const TOLERANCE = 1e-5;

const fleetOf = (fleet: number) =>
  createTrainingFleet(
    {random: seededRandom(SEED), fleets: FLEETS, hosts: 4, vms: 20, rateFactor: 8},
    fleet,
    MINUTES * 60_000,
    'lapse',
  );

/** The conclusions of real edges, one a host, that die and come back with it. */
function createEdges(
  datacenter: Datacenter,
  thread: Parameters<typeof concludeIntent>[0]['thread'],
) {
  const edges = new Map<string, Sampler>();
  const rows = new Map<string, Float32Array>();
  const start = (host: string) =>
    createSampler({
      sensors: [hostSensor(datacenter, host)],
      fleets: [vmSensor(datacenter, host)],
      conclusions: [
        concludeOddness({intervalMs: 1000}),
        concludeIntent({key: host, thread, explainThreshold: 2}),
      ],
      hostRow: () => ({
        set: (column, value) => {
          (rows.get(host) as Float32Array)[HOST_METRICS.columns.indexOf(column)] = value;
        },
      }),
      vmRow: () => ({set: () => {}}),
      note: limitNotes(message => {
        throw new Error(message);
      }),
    });
  let lives = 0;
  return {
    rows,
    lives: () => lives,
    async sample() {
      for (const {name} of datacenter.hosts) {
        rows.set(name, new Float32Array(HOST_METRICS.columns.length).fill(Number.NaN));
        if (!datacenter.isReporting(name)) {
          edges.delete(name);
          continue;
        }
        let edge = edges.get(name);
        if (edge === undefined) {
          edge = start(name);
          edges.set(name, edge);
          lives++;
        }
        edge.sample(datacenter.nowMs);
        await edge.settled();
      }
    },
  };
}

test('training hosts say of themselves what the edges of the same hosts say, second by second', async t => {
  t.log(`seed ${SEED}`);
  const thread = await openIntentThread({
    folder: MODEL,
    clock: systemClock,
    random: seededRandom(SEED),
  });
  const agents = await openTrainingAgents();
  t.teardown(() => Promise.all([thread.close(), agents.close()]));
  const concludeFor = agents.concludeFor(seededRandom(SEED));
  const compared = {anomaly: 0, intent: 0, odd: 0};
  const fleets = {anomaly: 0, intent: 0, both: 0, none: 0};
  let lives = 0;
  for (let fleet = 0; fleet < FLEETS; fleet++) {
    const [taught, live] = [fleetOf(fleet), fleetOf(fleet)];
    const conclude = concludeFor(fleet, taught.datacenter);
    const edges = createEdges(live.datacenter, thread);
    const seen = {anomaly: false, intent: false};
    for (let second = 0; second < MINUTES * 60; second++) {
      for (const {churn, datacenter} of [taught, live]) {
        churn();
        datacenter.step(datacenter.nowMs + 1000);
      }
      await conclude();
      await edges.sample();
      for (const {name, values} of taught.datacenter.hosts) {
        const row = edges.rows.get(name) as Float32Array;
        for (const {source, place} of CONCLUDED) {
          const [own, served] = [values[place] as number, row[place] as number];
          if (Number.isNaN(own)) continue;
          seen[source as 'anomaly' | 'intent'] = true;
          compared[source as 'anomaly' | 'intent']++;
          compared.odd += Number(source === 'anomaly' && own > 0);
          if (!(Math.abs(own - served) <= TOLERANCE))
            t.fail(`${name} ${second}: ${own}, ${served}`);
        }
      }
      if (second % 600 !== 599) continue;
      // What an agent has is never missing where the edge knows it.
      for (const {name, values} of taught.datacenter.hosts) {
        for (const {source, place} of CONCLUDED) {
          const served = (edges.rows.get(name) as Float32Array)[place] as number;
          if (!seen[source as 'anomaly' | 'intent'] || Number.isNaN(served)) continue;
          t.false(Number.isNaN(values[place] as number), `${name} ${second}`);
        }
      }
    }
    lives += edges.lives();
    const kind =
      seen.anomaly && seen.intent
        ? 'both'
        : seen.anomaly
          ? 'anomaly'
          : seen.intent
            ? 'intent'
            : 'none';
    fleets[kind]++;
  }
  t.log(compared, fleets, `${lives} lives`);
  t.true(compared.anomaly > 10_000 && compared.intent > 100_000 && compared.odd > 100);
  t.true(fleets.both > 0 && fleets.none > 0 && fleets.anomaly + fleets.intent > 0);
  t.true(lives > 4 * FLEETS, 'some of them went down and came back');
});

test('fleets of the component models are not those that the intent model has learned from', t => {
  const temperatures = (random: ReturnType<typeof seededRandom>) => {
    const {datacenter} = createTrainingFleet(
      {random, fleets: 1, hosts: 4, vms: 4},
      0,
      60_000,
      'lapse',
    );
    return datacenter.hosts.map(({traits}) => traits.inletCelsius);
  };
  const intent = seededRandom(1000);
  t.notDeepEqual(temperatures(intent), temperatures(intent.fork('component-failure')));
});
