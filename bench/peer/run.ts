/** The job through a whole Forestay: edges in one process, a core in another, a durable log. */
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {watchSteal} from '../machine.ts';
import {type BenchLog, openBenchLog} from '../support/bench-log.ts';
import {startChild} from '../support/children.ts';
import type {CoreRequest, Progress} from './core.ts';
import type {EdgeReport, EdgeRequest} from './edge.ts';
import {HOSTS, type Outcome, STRIDE, WINDOW} from './job.ts';
import {readOutcome} from './journal.ts';

export type RunOptions = {
  log: {kind: 'segments'} | {kind: 'kafka'; brokers: readonly string[]};
  /** Where the log's files are made; by default the folder of temporary files. */
  directory?: string;
  modelPath: string;
  samples: number;
  /** Not counted in the CPU time: the compiler works on them. */
  warmUpSamples: number;
  tickMs: number;
  rowsPerTask: number;
  stepsPerMessage: number;
  /** For Node of the core: `--cpu-prof`. */
  execArgv?: readonly string[];
  /** A process whose CPU time is told apart. */
  brokerPid?: number;
};

export type RunReport = {
  outcome: Outcome;
  /** Core process with its workers, after the warm-up. */
  cpuMicrosPerSample: number;
  /** The same from the first sample on. */
  wholeCpuMicrosPerSample: number;
  samplesPerSecond: number;
  edgeCpuMicrosPerSample: number;
  brokerCpuMicrosPerSample: number;
  bytesPerSample: number;
  rssBytes: number;
  steal: number;
  problems: readonly string[];
};

const LOOK_MS = 20;
const DEADLINE_MS = 600_000;

let runs = 0;

/** How many scores the job has: each host's first when its window is full. */
export function scoresOf(samples: number): number {
  let scores = 0;
  for (let host = 0; host < HOSTS; host++) {
    for (let count = WINDOW; count <= samples / HOSTS; count++) {
      if ((count + host) % STRIDE === 0) scores++;
    }
  }
  return scores;
}

export async function runJob(options: RunOptions): Promise<RunReport> {
  const directory = await mkdtemp(join(options.directory ?? tmpdir(), 'forestay-peer-'));
  const log: BenchLog =
    options.log.kind === 'segments'
      ? {kind: 'segments', directory: join(directory, 'log')}
      : {...options.log, topicPrefix: `peer-${process.pid}-${++runs}`};
  const core = startChild(new URL('./core.ts', import.meta.url), [], options.execArgv);
  const edge = startChild(new URL('./edge.ts', import.meta.url));
  const tell = <Answer>(request: CoreRequest) => core.ask<Answer>(request, DEADLINE_MS);
  try {
    const {modelPath, tickMs, rowsPerTask} = options;
    const address = await tell<string>({kind: 'open', log, modelPath, tickMs, rowsPerTask});
    const measured = await measure(options, address, tell, request =>
      edge.ask<EdgeReport>(request, DEADLINE_MS),
    );
    await tell({kind: 'close'});
    const written = await openBenchLog(log);
    try {
      return {...measured, outcome: await readOutcome(written)};
    } finally {
      await written.close();
    }
  } finally {
    await edge.stop();
    await core.stop();
    await rm(directory, {recursive: true, force: true});
  }
}

async function measure(
  {samples, warmUpSamples, stepsPerMessage, brokerPid}: RunOptions,
  address: string,
  tell: (request: CoreRequest) => Promise<unknown>,
  send: (request: EdgeRequest) => Promise<EdgeReport>,
): Promise<Omit<RunReport, 'outcome'>> {
  const look = async () => ({
    ...((await tell({kind: 'progress'})) as Progress),
    atMs: performance.now(),
    brokerMicros: brokerPid === undefined ? 0 : await cpuMicrosOf(brokerPid),
  });
  const until = async (isDone: (progress: Progress) => boolean) => {
    const deadlineMs = performance.now() + DEADLINE_MS;
    while (true) {
      const seen = await look();
      if (isDone(seen)) return seen;
      if (performance.now() > deadlineMs) {
        throw new Error(`the core took ${seen.samples} samples and ${seen.scores} scores, no more`);
      }
      await sleep(LOOK_MS);
    }
  };
  const steal = watchSteal();
  const before = await look();
  const sending = send({kind: 'send', address, samples, stepsPerMessage});
  const warm = await Promise.race([until(seen => seen.samples >= warmUpSamples), never(sending)]);
  const edge = await sending;
  const scores = scoresOf(samples);
  const after = await until(seen => seen.samples >= samples && seen.scores >= scores);
  const counted = after.samples - warm.samples;
  return {
    cpuMicrosPerSample: (after.cpuMicros - warm.cpuMicros) / counted,
    wholeCpuMicrosPerSample: (after.cpuMicros - before.cpuMicros) / samples,
    samplesPerSecond: (1000 * counted) / (after.atMs - warm.atMs),
    edgeCpuMicrosPerSample: edge.cpuMicros / samples,
    brokerCpuMicrosPerSample: (after.brokerMicros - warm.brokerMicros) / counted,
    bytesPerSample: edge.bytes / samples,
    rssBytes: after.rssBytes,
    steal: steal(),
    problems: after.problems,
  };
}

/** Only fails, with what it waits for: what goes wrong at the edge ends the wait for the core. */
async function never(work: Promise<unknown>): Promise<never> {
  await work;
  return new Promise(() => {});
}

/** From /proc, in ticks of 10 ms. */
async function cpuMicrosOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10_000 * (Number(fields[11]) + Number(fields[12]));
}
