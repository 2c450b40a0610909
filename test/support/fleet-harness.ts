/**
 * The engine around a simulated datacenter without a network: batches are made and appended
 * directly, effects go straight to the drivers. Everything between is the real code.
 */

import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {type EffectReport, NEVER_BEGUN} from '../../core/domain/effects.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {partitionOfCell} from '../../core/domain/hash.ts';
import {HOST_METRICS, VM_METRICS} from '../../core/domain/metric-sets.ts';
import {DEFAULT_POLICY, type Policy} from '../../core/domain/policy.ts';
import type {Tick} from '../../core/domain/records.ts';
import type {Block} from '../../core/domain/telemetry.ts';
import {PartitionRuntime, type RuntimeOptions} from '../../core/engine/partition-runtime.ts';
import type {Actuator, Clock, Log, Scorer} from '../../core/ports.ts';
import {
  createDatacenter,
  type Datacenter,
  type DatacenterOptions,
} from '../../core/simulation/datacenter.ts';
import {concludeIntent} from '../../edge/intent.ts';
import type {IntentThread} from '../../edge/intent-thread.ts';
import type {Conclusion} from '../../edge/sensor.ts';
import {codec} from '../../proto/codec.ts';

export const START_MS = Date.UTC(2026, 0, 5, 8);

/** A clock that stands still until it is moved; sleeping moves nothing. */
export function manualClock(startMs = START_MS): Clock & {set(ms: number): void} {
  let nowMs = startMs;
  return {
    set: ms => {
      nowMs = ms;
    },
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (_ms, signal) =>
      new Promise(resolve => {
        // Without a signal it is a pause before another try, not a deadline.
        if (signal === undefined || signal.aborted) resolve();
        signal?.addEventListener('abort', () => resolve(), {once: true});
      }),
  };
}

/** The drivers behind agents that are as reachable as their hosts. */
export function driversActuator(world: Datacenter, clock: Clock): Actuator {
  const {drivers} = world;
  const hosts = new Set(world.hosts.map(host => host.name));
  const refused = new Map<string, EffectReport>();
  const reach = (agent: string): void => {
    if (!hosts.has(agent) || world.isReporting(agent)) return;
    throw new ForestayError('AGENT_UNREACHABLE', `${agent} does not answer`, {retryable: true});
  };
  return {
    announce: async ({agent}) => reach(agent),
    async execute(effect) {
      reach(effect.agent);
      return refused.get(effect.id) ?? drivers.start(effect, clock.nowMs());
    },
    async query({agent}, ids) {
      reach(agent);
      return ids.map(id => refused.get(id) ?? drivers.progress(id, clock.nowMs()));
    },
    async cancel({agent}, id) {
      reach(agent);
      const report = drivers.cancel(id, clock.nowMs());
      if (report.status !== 'unknown') return report;
      refused.set(id, {...report, status: 'cancelled', code: NEVER_BEGUN});
      return refused.get(id) as EffectReport;
    },
    renewLease: async () => {},
    close: async () => {},
  };
}

export type Harness = Awaited<ReturnType<typeof createHarness>>;

export async function createHarness(options: {
  seed: number;
  scorer: Scorer;
  policy?: Partial<Policy>;
  world?: Partial<DatacenterOptions>;
  log?: Log;
  runtime?: Partial<RuntimeOptions>;
  /** Ticks a second; hosts report in turn, some before each. */
  ticksPerSecond?: number;
  /** The reboot-intent model of the agents; absent: they have none. */
  intent?: IntentThread;
}) {
  const clock = manualClock();
  const log = options.log ?? createMemoryLog({nowMs: clock.nowMs});
  const world = createDatacenter({
    random: seededRandom(options.seed),
    startMs: START_MS,
    durationMs: 3_600_000,
    ...options.world,
  });
  const {drivers} = world;
  const actuator = driversActuator(world, clock);
  const ticks: Tick[] = [];
  const start = (partition: number) =>
    PartitionRuntime.start({
      partition,
      log,
      codec,
      clock,
      random: seededRandom(options.seed),
      scorer: options.scorer,
      actuators: {hypervisor: actuator, balancer: actuator},
      policy: {...DEFAULT_POLICY, mode: 'auto', ...options.policy},
      owner: {owner: 'test', address: ''},
      scoring: {intervalMs: 0, waitMs: 60_000},
      tickMs: 1000,
      checkpointMs: 60_000,
      tickBytesMax: 4 << 20,
      time: 'clock',
      onTick: tick => ticks.push(tick),
      ...options.runtime,
    });
  const cells = [...new Set(world.hosts.map(host => host.cell))];
  const runtimes = new Map<number, PartitionRuntime>();
  for (const cell of cells) {
    const partition = partitionOfCell(cell);
    runtimes.set(partition, await start(partition));
  }
  const seqs = new Map<string, number>();

  const agents = options.intent && createConclusions(options.intent);
  const batchOf = (host: string, cell: string): Uint8Array => {
    const seq = (seqs.get(host) ?? 0) + 1;
    seqs.set(host, seq);
    const inventory = {
      ...world.inventory(host, 'sim:1'),
      capabilities: drivers.capabilities(),
    };
    const vms = inventory.vms.map(vm => vm.vm);
    return codec.encodeTelemetry({
      kind: 'batch',
      batch: {
        edge: host,
        cell,
        incarnation: 1,
        seq,
        timeBase: 'simulated',
        inventory: {hosts: [inventory]},
        blocks: [
          block(
            HOST_METRICS,
            [`hosts/${host}`],
            [agents?.of(host) ?? world.readHost(host).slice()],
            clock.nowMs(),
          ),
          block(
            VM_METRICS,
            vms.map(vm => `vms/${vm}`),
            vms.map(vm => world.readVm(vm).slice()),
            clock.nowMs(),
          ),
        ],
      },
    });
  };

  return {
    clock,
    log,
    world,
    drivers,
    runtimes,
    ticks,
    start,
    /** One virtual second: world, telemetry, then a tick of every partition. */
    async second(): Promise<void> {
      const startMs = clock.nowMs();
      world.step(startMs + 1000);
      const reporting = world.hosts.filter(({name}) => world.isReporting(name));
      await agents?.conclude(world, startMs + 1000);
      const parts = options.ticksPerSecond ?? 1;
      for (let part = 1; part <= parts; part++) {
        clock.set(startMs + (1000 * part) / parts);
        for (const [index, {name, cell}] of reporting.entries()) {
          if (index % parts !== part - 1) continue;
          await log.append('telemetry', partitionOfCell(cell), [batchOf(name, cell)]);
        }
        await this.step();
      }
    },
    async step(): Promise<void> {
      for (const runtime of runtimes.values()) {
        await runtime.executor.poll();
        await runtime.step(clock.nowMs());
        await runtime.settled();
      }
    },
    async seconds(count: number): Promise<void> {
      for (let second = 0; second < count; second++) await this.second();
    },
  };
}

/** What agents add to the samples of their hosts; an agent lives as long as its host is heard. */
function createConclusions(thread: IntentThread) {
  const intents = new Map<string, Conclusion>();
  const rows = new Map<string, Float32Array>();
  return {
    of: (host: string) => rows.get(host),
    async conclude(world: Datacenter, nowMs: number): Promise<void> {
      for (const {name} of world.hosts) {
        if (!world.isReporting(name)) {
          intents.delete(name);
          continue;
        }
        const intent = intents.get(name) ?? concludeIntent({key: name, thread});
        intents.set(name, intent);
        const row = world.readHost(name).slice();
        const listener = intent.hostRow({set: () => {}});
        for (const [at, column] of HOST_METRICS.columns.entries()) {
          if (!intent.columns.includes(column)) listener.set(column, row[at] as number);
        }
        intent.read(nowMs, {
          set(column, value) {
            row[HOST_METRICS.columns.indexOf(column)] = value;
          },
        });
        rows.set(name, row);
      }
      await Promise.all([...intents.values()].map(intent => intent.settled?.()));
    },
  };
}

function block(
  set: typeof HOST_METRICS,
  entities: string[],
  rows: Float32Array[],
  nowMs: number,
): Block {
  const values = new Float32Array(set.columns.length * rows.length);
  rows.forEach((row, index) => {
    for (let column = 0; column < set.columns.length; column++) {
      values[column * rows.length + index] = row[column] as number;
    }
  });
  return {
    metricSet: set.name,
    metricSetHash: set.hash,
    rows: rows.length,
    entities,
    rowEntity: Uint16Array.from(rows.keys()),
    observedAtMs: new Float64Array(rows.length).fill(nowMs),
    values,
    devices: [],
  };
}
