/**
 * A core with a whole fleet is killed while it works, and started again on the same folder: how
 * long until it decides again.
 */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {numberOf, resultOf} from './result.ts';
import {startChild} from './support/children.ts';
import type {CoreOptions, CoreRequest} from './support/core-process.ts';
import type {Load} from './support/load.ts';
import type {RecoveryReport} from './support/probes.ts';
import {startGenerator} from './support/run.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

const RECOVER_MS_MAX = 120_000;
const POLL_MS = 50;

export const recover: BenchVerb = {
  name: 'recover',
  summary: 'from a killed core to the first decision of the next one, with a whole fleet',
  options: [
    {flags: '--cells <n>', description: 'cells, an edge each', default: '64'},
    {flags: '--hosts <n>', description: 'hosts of a cell', default: '157'},
    {flags: '--vms <n>', description: 'VMs of a host', default: '10'},
    {flags: '--seconds <n>', description: 'life of the core before it is killed', default: '75'},
    {flags: '--checkpoint <n>', description: 'seconds between checkpoints', default: '60'},
    {flags: '--runs <n>', description: 'kills', default: '1'},
  ],
  run: measureRecovery,
};

async function measureRecovery({options}: BenchArgs): Promise<BenchResult> {
  const load: Load = {
    edges: numberOf(options.cells, 'cells', 1),
    cells: numberOf(options.cells, 'cells', 1),
    hostsPerEdge: numberOf(options.hosts, 'hosts', 1),
    vmsPerHost: numberOf(options.vms, 'vms'),
    rounds: 1,
    hostSet: 'live',
    samplesPerSecond: 0,
    pack: false,
    herd: false,
  };
  const hosts = load.edges * load.hostsPerEdge;
  load.samplesPerSecond = hosts * (1 + load.vmsPerHost);
  const runs: Record<string, number[]> = {};
  for (let run = 0; run < numberOf(options.runs, 'runs', 1); run++) {
    const report = await killAndStart(load, {
      lifeMs: 1000 * numberOf(options.seconds, 'seconds', 1),
      checkpointMs: 1000 * numberOf(options.checkpoint, 'checkpoint', 1),
    });
    for (const [name, value] of Object.entries(report)) {
      const key = `recover.segments.${name}`;
      runs[key] = [...(runs[key] ?? []), value];
    }
  }
  const metrics = {
    'recover.segments.hosts': hosts,
    'recover.segments.vms': hosts * load.vmsPerHost,
  };
  return resultOf({runs, metrics});
}

async function killAndStart(
  load: Load,
  {lifeMs, checkpointMs}: {lifeMs: number; checkpointMs: number},
): Promise<RecoveryReport> {
  const directory = await mkdtemp(join(tmpdir(), 'forestay-bench-'));
  const log = {kind: 'segments' as const, directory: join(directory, 'log')};
  const options: CoreOptions = {log, checkpointMs, tickMs: 250, intervalMs: 0, sampleEvery: 60};
  const open: CoreRequest = {kind: 'open', options};
  const first = startChild(new URL('./support/core-process.ts', import.meta.url));
  let second: ReturnType<typeof startChild> | undefined;
  try {
    const generator = await startGenerator(await first.ask<string>(open), load);
    try {
      await generator.ask({kind: 'start', warmUpMs: lifeMs, windowMs: 10_000}, lifeMs + 60_000);
      await first.kill();
    } finally {
      await generator.stop();
    }
    const startedAtMs = performance.now();
    second = startChild(new URL('./support/core-process.ts', import.meta.url));
    await second.ask(open, RECOVER_MS_MAX);
    const openedMs = performance.now() - startedAtMs;
    const report = await firstDecision(second);
    return {...report, openedMs};
  } finally {
    await first.kill();
    await second?.stop();
    await rm(directory, {recursive: true, force: true});
  }
}

/** Asks until a decision was made on what the log still held; NaN figures if none comes. */
async function firstDecision(core: ReturnType<typeof startChild>): Promise<RecoveryReport> {
  const request: CoreRequest = {kind: 'recovery'};
  const untilMs = performance.now() + RECOVER_MS_MAX;
  for (;;) {
    const report = await core.ask<RecoveryReport>(request);
    if (Number.isFinite(report.firstDecisionMs) || performance.now() > untilMs) return report;
    await sleep(POLL_MS);
  }
}
