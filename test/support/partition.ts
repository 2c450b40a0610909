/** One partition with hosts made by hand: what they send, what agents answer, what the model says. */
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import {
  FEATURE_COUNT,
  FEATURE_HASH,
  FEATURES,
  FIRST_HOST_CONTRACT,
} from '../../core/domain/features.ts';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import {DEFAULT_POLICY, type Policy} from '../../core/domain/policy.ts';
import type {InboxRecord, Tick} from '../../core/domain/records.ts';
import type {Batch, InventoryHost, InventoryVm} from '../../core/domain/telemetry.ts';
import {PartitionRuntime, type RuntimeOptions} from '../../core/engine/partition-runtime.ts';
import {REBOOT_METRIC} from '../../core/engine/set-table.ts';
import type {Actuator, Log, ModelSignature, Scorer} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {createFakeAgents} from './fake-agents.ts';
import {manualClock, START_MS} from './fleet-harness.ts';

export const PARTITION = 5;
export {START_MS};

export const RISK_METRIC = 'swap_used_ratio';
const RISK_FEATURE = FEATURES.findIndex(({name}) => name === `${RISK_METRIC}.level`);
const RISK_COLUMN = HOST_METRICS.columns.indexOf(RISK_METRIC);
const REBOOT_COLUMN = HOST_METRICS.columns.indexOf(REBOOT_METRIC);
const [REBOOT_SOON_COLUMN, DUE_COLUMN, UNCLEAN_COLUMN, ...OTHER_HORIZONS] = [
  'reboot_intentional_5m_probability',
  'shutdown_in_seconds',
  'boot_last_unclean_ratio',
  'reboot_intentional_1m_probability',
  'reboot_intentional_15m_probability',
].map(column => HOST_METRICS.columns.indexOf(column)) as [number, number, number, ...number[]];

/**
 * Takes the risk of a part from one metric, times `factor`: a test says how risky a host is by what
 * it sends.
 */
export function metricScorer(fields: Partial<ModelSignature> = {}, factor = 1): Scorer {
  const signature: ModelSignature = {
    hash: 'metric',
    name: 'metric',
    contract: FIRST_HOST_CONTRACT,
    featureHash: FEATURE_HASH,
    featureCount: FEATURE_COUNT,
    components: COMPONENTS,
    requiredMetrics: [RISK_METRIC],
    ...fields,
  };
  return {
    signature: () => signature,
    score: async (_hash, rows, features) => {
      const risks = new Float32Array(rows * COMPONENTS.length);
      for (let row = 0; row < rows; row++) {
        const risk = features[row * FEATURE_COUNT + RISK_FEATURE] as number;
        risks[row * COMPONENTS.length] = Math.fround(factor * risk);
      }
      return risks;
    },
    explain: async (_hash, rows) => ({
      contributions: new Float32Array(rows * COMPONENTS.length * FEATURE_COUNT),
      usual: new Float32Array(FEATURE_COUNT),
    }),
    close: async () => {},
  };
}

export function vm(name: string, fields: Partial<InventoryVm> = {}): InventoryVm {
  return {
    vm: name,
    cpuCores: 2,
    memoryBytes: 4 * 2 ** 30,
    criticality: 0.5,
    dirtyBytesPerSecond: 1e6,
    antiAffinityGroup: '',
    pinnedReason: '',
    tenant: 't',
    ...fields,
  };
}

export function hostFacts(name: string, fields: Partial<InventoryHost> = {}): InventoryHost {
  return {
    host: name,
    rack: `rack-${name}`,
    cpuCores: 32,
    memoryBytes: 128 * 2 ** 30,
    actuatorAddress: '127.0.0.1:1',
    capabilities: ['cordon-host', 'uncordon-host', 'start-migration', 'fence-host', 'restart-vm'],
    migrationBytesPerSecond: 1e9,
    vms: [],
    bootId: 'boot-1',
    observeOnly: false,
    hardware: '',
    ...fields,
  };
}

export type Sample = {
  atMs: number;
  risk?: number | undefined;
  /** Within 30 minutes, and of that within 5. */
  reboot?: number | undefined;
  rebootSoon?: number | undefined;
  /** Until a scheduled shutdown. */
  dueInSeconds?: number | undefined;
  /** Whether it went down without a shutdown before its present boot, 1 or 0. */
  unclean?: number | undefined;
  sign?: string | undefined;
};

export function hostBatch(
  host: string,
  seq: number,
  samples: readonly Sample[],
  fields: Partial<Batch> = {},
): Batch {
  const rows = samples.length;
  const values = new Float32Array(rows * HOST_METRICS.columns.length).fill(0.1);
  samples.forEach(({risk = 0, reboot, rebootSoon, dueInSeconds, unclean}, row) => {
    values[RISK_COLUMN * rows + row] = risk;
    values[REBOOT_COLUMN * rows + row] = reboot ?? Number.NaN;
    values[REBOOT_SOON_COLUMN * rows + row] = rebootSoon ?? Number.NaN;
    values[DUE_COLUMN * rows + row] = dueInSeconds ?? Number.NaN;
    values[UNCLEAN_COLUMN * rows + row] = unclean ?? Number.NaN;
    for (const column of OTHER_HORIZONS) values[column * rows + row] = Number.NaN;
  });
  return {
    edge: host,
    cell: 'c1',
    incarnation: 1,
    seq,
    timeBase: 'simulated',
    blocks: [
      {
        metricSet: HOST_METRICS.name,
        metricSetHash: HOST_METRICS.hash,
        rows,
        entities: [`hosts/${host}`],
        rowEntity: new Uint16Array(rows),
        observedAtMs: Float64Array.from(samples, ({atMs}) => atMs),
        values,
        devices: samples.flatMap(({sign}, row) =>
          sign === undefined ? [] : [{row, column: REBOOT_COLUMN, name: sign}],
        ),
      },
    ],
    ...fields,
  };
}

export const QUICK_BANDS = {enter: 0.2, enterHoldMs: 0, leave: 0.1, leaveHoldMs: 0};

export type RigOptions = {
  log?: Log;
  scorer?: Scorer;
  policy?: Partial<Policy>;
  timeBase?: Batch['timeBase'];
  runtime?: Partial<RuntimeOptions>;
};

export type Rig = ReturnType<typeof createRig>;

/** A log, agents, and runtimes that are started on them as often as a test likes. */
export function createRig({log = createMemoryLog(), ...options}: RigOptions = {}) {
  const clock = manualClock();
  const agents = createFakeAgents();
  const ticks: Tick[] = [];
  const seqs = new Map<string, number>();
  const actuator: Actuator = agents.actuator;
  const policy = {...DEFAULT_POLICY, mode: 'auto' as const, band: QUICK_BANDS, ...options.policy};
  const scorer = options.scorer ?? metricScorer();

  const start = (more: Partial<RuntimeOptions> = {}) =>
    PartitionRuntime.start({
      partition: PARTITION,
      log,
      codec,
      clock,
      random: seededRandom(1),
      scorer,
      actuators: {hypervisor: actuator, balancer: actuator},
      policy,
      owner: {owner: 'test', address: ''},
      scoring: {intervalMs: 0, waitMs: 60_000},
      tickMs: 1000,
      checkpointMs: 3_600_000,
      tickBytesMax: 4 << 20,
      time: 'clock',
      onTick: tick => ticks.push(tick),
      ...options.runtime,
      ...more,
    });

  return {
    log,
    clock,
    agents,
    ticks,
    policy,
    scorer,
    start,
    /** Appends telemetry of a host, with its inventory. */
    async send(
      host: string,
      risk = 0,
      facts: Partial<InventoryHost> = {},
      said: Omit<Sample, 'atMs' | 'risk'> = {},
    ): Promise<void> {
      const seq = (seqs.get(host) ?? 0) + 1;
      seqs.set(host, seq);
      const batch = hostBatch(host, seq, [{atMs: clock.nowMs(), risk, ...said}], {
        timeBase: options.timeBase ?? 'simulated',
        inventory: {hosts: [hostFacts(host, facts)]},
      });
      await log.append('telemetry', PARTITION, [codec.encodeTelemetry({kind: 'batch', batch})]);
    },
    async command(record: Partial<InboxRecord> & {kind: InboxRecord['kind']}): Promise<void> {
      const base = {requestId: `r${requests++}`, atMs: clock.nowMs(), author: 'operator'};
      const bytes = codec.encodeInbox({...base, ...record} as InboxRecord);
      await log.append('inbox', PARTITION, [bytes]);
    },
    pass(ms = 1000): void {
      clock.set(clock.nowMs() + ms);
    },
  };
}

let requests = 0;

/** One second: telemetry of these hosts (name → risk and inventory), then agents and a tick. */
export async function second(
  rig: Rig,
  runtime: PartitionRuntime,
  hosts: Readonly<Record<string, Omit<Sample, 'atMs'> & Partial<InventoryHost>>>,
): Promise<void> {
  rig.pass();
  for (const [host, said] of Object.entries(hosts)) {
    const {risk, reboot, rebootSoon, dueInSeconds, unclean, sign, ...facts} = said;
    await rig.send(host, risk, facts, {reboot, rebootSoon, dueInSeconds, unclean, sign});
  }
  await runtime.executor.poll();
  await runtime.step(rig.clock.nowMs());
  await runtime.settled();
}
