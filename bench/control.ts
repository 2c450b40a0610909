/**
 * The control plane at the size that it is made for, on this machine:
 *
 *     node bench/control.ts [--seconds 60] [--cells 64] [--log segments|memory]
 *       [--scorer pool|metric] [--risky 32] [--checkpoint 60] [-o json]
 *
 * Virtual seconds go by as fast as they can: each brings one sample of every host and VM, and four
 * ticks of every partition. Only the engine is measured, not who makes the samples.
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {type Profiler, Session} from 'node:inspector/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {systemClock} from '../core/adapters/clock-system.ts';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {createNoActuator} from '../core/adapters/hypervisor-none.ts';
import {createMemoryLog} from '../core/adapters/log-memory.ts';
import {openSegmentLog} from '../core/adapters/log-segments.ts';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {createPiscinaScorer} from '../core/adapters/scorer-piscina.ts';
import {DEFAULT_POLICY} from '../core/domain/policy.ts';
import {type Engine, startEngine} from '../core/engine/engine.ts';
import {listen} from '../core/events.ts';
import type {Log, Scorer} from '../core/ports.ts';
import {codec} from '../proto/codec.ts';
import {manualClock} from '../test/support/fleet-harness.ts';
import {metricScorer} from '../test/support/partition.ts';
import {createBigFleet} from './support/big-fleet.ts';

const TICKS = 4;
const START_MS = Date.UTC(2026, 0, 5, 8);

const {values: args} = parseArgs({
  options: {
    seconds: {type: 'string', default: '60'},
    cells: {type: 'string', default: '64'},
    log: {type: 'string', default: 'segments'},
    scorer: {type: 'string', default: 'metric'},
    checkpoint: {type: 'string', default: '60'},
    risky: {type: 'string', default: '32'},
    output: {type: 'string', short: 'o', default: 'table'},
  },
});

/** Virtual, but for how long things take. */
const clock = {...manualClock(START_MS), monotonicMs: () => performance.now()};
const directory = mkdtempSync(join(tmpdir(), 'forestay-control-'));
const fleet = createBigFleet({cells: Number(args.cells)});
const openLog = async (): Promise<Log> =>
  openSegmentLog({directory, files: nodeFiles, clock: systemClock, sync: 'none'});

/** Microseconds of CPU of this process, all threads. */
const cpuMicros = (): number => {
  const {user, system} = process.cpuUsage();
  return user + system;
};

async function start(log: Log, scorer: Scorer): Promise<Engine> {
  return await startEngine({
    log,
    codec,
    clock,
    random: seededRandom(1),
    scorer,
    actuators: {hypervisor: createNoActuator(), balancer: createNoActuator()},
    policy: DEFAULT_POLICY,
    owner: {owner: 'bench', address: ''},
    scoring: {intervalMs: 1000, waitMs: 100},
    checkpointMs: 1000 * Number(args.checkpoint),
    tickBytesMax: 4 << 20,
    time: 'data',
    tickMs: 1000 / TICKS,
    pollMs: 500,
    onProblem: (partition, problem) => console.error(`partition ${partition}: ${problem}`),
  });
}

/** Self time by function, in milliseconds, of what ran while the profiler did. */
function selfTimes({nodes, samples = [], timeDeltas = []}: Profiler.Profile): Map<string, number> {
  const names = new Map(
    nodes.map(({id, callFrame: {functionName, url}}) => [
      id,
      `${functionName || '(anonymous)'} ${url.slice(url.lastIndexOf('/') + 1)}`,
    ]),
  );
  const times = new Map<string, number>();
  samples.forEach((node, index) => {
    const name = names.get(node) as string;
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] as number) / 1000);
  });
  return times;
}

/** Time below the named functions, each counted where it is first met on the way down. */
function inclusiveTimes(profile: Profiler.Profile, wanted: readonly string[]): Map<string, number> {
  const byId = new Map(profile.nodes.map(node => [node.id, node]));
  const owner = new Map<number, string>();
  const descend = (id: number, above: string): void => {
    const node = byId.get(id) as Profiler.ProfileNode;
    const name = node.callFrame.functionName;
    const mine = above === '' && wanted.includes(name) ? name : above;
    owner.set(id, mine);
    for (const child of node.children ?? []) descend(child, mine);
  };
  descend((profile.nodes[0] as Profiler.ProfileNode).id, '');
  const times = new Map<string, number>();
  profile.samples?.forEach((id, index) => {
    const name = owner.get(id) || 'other';
    times.set(name, (times.get(name) ?? 0) + (profile.timeDeltas?.[index] as number) / 1000);
  });
  return times;
}

/** Rows of a table, longest first. */
function tabled(times: ReadonlyMap<string, number>, per: number, leastMs: number) {
  return [...times]
    .map(([name, ms]) => ({name, ms: round(ms / per)}))
    .filter(({ms}) => ms >= leastMs)
    .sort((a, b) => b.ms - a.ms);
}

const RESTART_PARTS = ['decodeState', 'decodeJournal', 'readRange', 'claimJournal', 'openLog'];
const PARTS = [
  'takeInventory',
  'takeTelemetry',
  'takeInbox',
  'takeScores',
  'noticeSilence',
  'fireTimers',
  'spreadRisk',
  'planTick',
  'finish',
  'decodeTelemetry',
  'request',
  'writeTick',
  'poll',
  'encodeState',
  'writeCheckpoint',
  'encodeScores',
  'read',
  '(garbage collector)',
  '(idle)',
  '(program)',
];

const scorer =
  args.scorer === 'pool'
    ? await createPiscinaScorer({
        modelPath: join(import.meta.dirname, '../models/artefacts/component-failure'),
        threads: 1,
      })
    : metricScorer();
let log = args.log === 'memory' ? createMemoryLog() : await openLog();
let engine = await start(log, scorer);
const tickMs: number[] = [];
const checkpointMs: number[] = [];
listen('tick.completed', ({durationMs}) => tickMs.push(durationMs));
let checkpointBytes = 0;
listen('checkpoint.written', ({bytes, durationMs}) => {
  checkpointMs.push(durationMs);
  checkpointBytes = bytes;
});
let replayedTicks = 0;
listen('partition.started', ({ticks}) => {
  replayedTicks += ticks;
});
let decisions = 0;
listen('decision.made', () => decisions++);

/** Samples of a second arrive spread over its ticks, as they do from edges that began at random. */
async function oneSecond(second: number): Promise<number> {
  let used = 0;
  for (let tick = 0; tick < TICKS; tick++) {
    const nowMs = START_MS + second * 1000 + (tick * 1000) / TICKS;
    clock.set(nowMs);
    for (const [index, cell] of fleet.cells.entries()) {
      if (index % TICKS !== tick) continue;
      const bytes = codec.encodeTelemetry({kind: 'batch', batch: fleet.batch(cell, nowMs)});
      await log.append('telemetry', cell.partition, [bytes]);
    }
    const before = cpuMicros();
    const all = engine.runtimes();
    await Promise.all(all.map(runtime => runtime.step(nowMs)));
    if (tick % 2 === 0) await Promise.all(all.map(runtime => runtime.executor.poll()));
    await new Promise(setImmediate);
    used += cpuMicros() - before;
  }
  return used / 1000;
}

const seconds = Number(args.seconds);
for (let risky = 0; risky < Number(args.risky); risky++) {
  const cell = fleet.cells[(risky * 7) % fleet.cells.length];
  const host = cell?.hosts[risky % cell.hosts.length];
  if (host !== undefined) fleet.burden(host.host, 0.9);
}
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', {interval: 500});
const WARM = Math.min(20, Math.floor(seconds / 3));
let second = 0;
const firstMs = await oneSecond(second++);
for (; second < WARM; second++) await oneSecond(second);
tickMs.length = 0;
await session.post('Profiler.start');
const used: number[] = [];
for (; second < WARM + seconds; second++) used.push(await oneSecond(second));
const {profile} = await session.post('Profiler.stop');
globalThis.gc?.();
const memory = process.memoryUsage();
const ordered = used.toSorted((a, b) => a - b);

const parts = tabled(inclusiveTimes(profile, PARTS), seconds, 0.1);
const self = tabled(selfTimes(profile), seconds, 0.1).slice(0, 30);

/** A crash: the partitions are left as they are, and another owner starts on the same log. */
let restartMs = Number.NaN;
let restartCpuMs = Number.NaN;
if (args.log === 'segments') {
  await log.close();
  log = await openLog();
}
await session.post('Profiler.start');
const restartFrom = performance.now();
const restartCpu = cpuMicros();
engine = await start(log, scorer);
await Promise.all(engine.runtimes().map(runtime => runtime.step(clock.nowMs() + 250)));
restartMs = performance.now() - restartFrom;
restartCpuMs = (cpuMicros() - restartCpu) / 1000;
const {profile: restart} = await session.post('Profiler.stop');
const restartParts = tabled(inclusiveTimes(restart, [...PARTS, ...RESTART_PARTS]), 1, 5);
const restartSelf = tabled(selfTimes(restart), 1, 5).slice(0, 15);

const result = {
  hosts: fleet.hosts,
  vms: fleet.vms,
  cpuMsPerSecondMedian: round(ordered[Math.floor(ordered.length / 2)] as number),
  cpuMsPerSecondMean: round(used.reduce((sum, ms) => sum + ms, 0) / used.length),
  cpuMsPerSecondMax: round(ordered.at(-1) as number),
  firstSecondMs: round(firstMs),
  tickP99Ms: round(
    tickMs.toSorted((a, b) => a - b)[Math.floor(tickMs.length * 0.99)] ?? Number.NaN,
  ),
  checkpoints: checkpointMs.length,
  checkpointMs: round(checkpointMs.reduce((sum, ms) => sum + ms, 0) / checkpointMs.length),
  checkpointKib: round(checkpointBytes / 1024),
  decisions,
  rssMib: round(memory.rss / 2 ** 20),
  heapMib: round(memory.heapUsed / 2 ** 20),
  externalMib: round((memory.external + memory.arrayBuffers) / 2 ** 20),
  restartMs: round(restartMs),
  restartCpuMs: round(restartCpuMs),
  replayedTicks,
};
if (args.output === 'json')
  console.log(JSON.stringify({...result, parts, self, restartParts, restartSelf}));
else {
  console.table(result);
  for (const rows of [parts, self, restartParts, restartSelf]) console.table(rows);
}
await engine.stop();
await scorer.close();
await log.close();
rmSync(directory, {recursive: true, force: true});

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
