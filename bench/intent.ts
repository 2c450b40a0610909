/**
 * What the reboot-intent model costs an agent: a prediction on its thread, and from there and back;
 * an explanation; and the memory of it all, in a process of its own and in `forestay edge`.
 */
import {spawn, spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {systemClock} from '../core/adapters/clock-system.ts';
import {openIntentModel} from '../edge/intent-model.ts';
import {openIntentThread} from '../edge/intent-thread.ts';
import {watchSteal} from './machine.ts';
import {numberOf, resultOf} from './result.ts';
import {writeDrawnIntent} from './support/drawn-intent.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

/** What an agent may spend on a prediction, and have for all of them. */
const PREDICTION_MICROS_MAX = 100;
const MIB_MAX = 100;

export const intent: BenchVerb = {
  name: 'intent',
  summary: 'what the reboot-intent model costs an agent: time, memory, explanations',
  options: [
    {flags: '--model <dir>', description: 'the model; drawn: one of its size', default: 'drawn'},
    {flags: '--rounds <n>', description: 'turns of each measurement', default: '7'},
    {flags: '--calls <n>', description: 'predictions a turn', default: '2000'},
    {
      flags: '--seconds <n>',
      description: 'also run `forestay edge` so long, with the model and without; 0: not',
      default: '60',
    },
  ],
  run: measureIntent,
};

type Runs = Record<string, number[]>;

async function measureIntent({options}: BenchArgs): Promise<BenchResult> {
  const rounds = numberOf(options.rounds, 'rounds', 1);
  const calls = numberOf(options.calls, 'calls', 1);
  const seconds = numberOf(options.seconds, 'seconds');
  const steal = watchSteal();
  const folder = await mkdtemp(join(tmpdir(), 'forestay-bench-'));
  try {
    const isDrawn = options.model === 'drawn';
    const model = isDrawn ? join(folder, 'model') : String(options.model);
    if (isDrawn) await writeDrawnIntent(model);
    const runs: Runs = {
      ...(await measureModel(model, rounds, calls)),
      ...(await measureThread(model, rounds, calls)),
      ...measureMemory(model),
    };
    const metrics = seconds > 0 ? await measureEdges(model, join(folder, 'spool'), seconds) : {};
    return resultOf({
      runs,
      metrics,
      failures: beyondBudget(runs),
      notes: [isDrawn ? 'a model of drawn parameters' : `the model in ${model}`],
      steal: steal(),
    });
  } finally {
    await rm(folder, {recursive: true});
  }
}

function beyondBudget(runs: Runs): string[] {
  const micros = Math.min(...(runs['predict.raw.cpuMicros'] ?? []));
  const mebibytes = Math.min(...(runs['memory.explained.moreMiB'] ?? []));
  return [
    ...(micros > PREDICTION_MICROS_MAX
      ? [`a prediction takes ${micros} µs, ${PREDICTION_MICROS_MAX} are allowed`]
      : []),
    ...(mebibytes > MIB_MAX ? [`it takes ${mebibytes} MiB, ${MIB_MAX} are allowed`] : []),
  ];
}

/** On this thread: what the model's own spends. */
async function measureModel(folder: string, rounds: number, calls: number): Promise<Runs> {
  const model = await openIntentModel(folder);
  const columns = model.manifest.inputs.length;
  const row = new Float32Array(columns).fill(0.5);
  const samples = new Float32Array(columns * model.manifest.explainSteps).fill(0.5);
  const state = new Float32Array(model.stateLength);
  const micros = await measureCpu(rounds, calls, () => model.next(row, state));
  const [loading = Number.NaN] = await measureCpu(1, 1, () => model.explain(samples, 10), false);
  const explaining = await measureCpu(rounds, 3, () => model.explain(samples, 10));
  await model.release();
  return {
    'predict.raw.cpuMicros': micros,
    'explain.first.cpuMillis': [loading / 1000],
    'explain.cpuMillis': explaining.map(each => each / 1000),
  };
}

/** There and back, both threads counted; wall time as the agent sees it. */
async function measureThread(folder: string, rounds: number, calls: number): Promise<Runs> {
  const thread = await openIntentThread({folder, clock: systemClock, random: {next: () => 0.5}});
  const row = new Float32Array(thread.manifest.inputs.length).fill(0.5);
  const wall: number[] = [];
  const micros = await measureCpu(rounds, calls, async () => {
    const startedAt = performance.now();
    await thread.next('h01', row);
    wall.push((performance.now() - startedAt) * 1000);
  });
  await thread.close();
  const sorted = wall.slice(calls).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return {
    'predict.thread.cpuMicros': micros,
    'predict.thread.p50Micros': [at(0.5)],
    'predict.thread.p99Micros': [at(0.99)],
  };
}

/** MiB that a process needs more, thrice. */
function measureMemory(folder: string): Runs {
  const script = fileURLToPath(new URL('./support/intent-memory.ts', import.meta.url));
  const found = Array.from({length: 3}, () => {
    const {stdout} = spawnSync(process.execPath, [script, folder], {encoding: 'utf8'});
    return JSON.parse(stdout || '[null, null]') as [number, number];
  });
  return {
    'memory.predicted.moreMiB': found.map(([predicted]) => predicted),
    'memory.explained.moreMiB': found.map(([, explained]) => explained),
  };
}

/** Resident MiB of two edges side by side, whose core is away. */
async function measureEdges(
  model: string,
  spool: string,
  seconds: number,
): Promise<Record<string, number>> {
  const program = fileURLToPath(new URL('../bin/forestay', import.meta.url));
  const edges = ['off', model].map((use, index) =>
    spawn(
      process.execPath,
      [program, 'edge', '--core', '127.0.0.1:1', '--spool', spool + index, '--intent-model', use],
      {stdio: 'ignore'},
    ),
  );
  await sleep(1000 * seconds);
  const [without = Number.NaN, withModel = Number.NaN] = edges.map(({pid}) => residentMiB(pid));
  for (const edge of edges) {
    const ended = new Promise(resolve => edge.on('exit', resolve));
    if (edge.kill('SIGKILL')) await ended;
  }
  return {
    'edge.without.residentMiB': without,
    'edge.with.residentMiB': withModel,
    'edge.moreMiB': withModel - without,
  };
}

/** NaN where the system does not tell (it is not Linux), or the process is gone. */
function residentMiB(pid: number | undefined): number {
  try {
    const [, kibibytes] =
      /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kibibytes) / 1024;
  } catch {
    return Number.NaN;
  }
}

/** Microseconds of CPU a call, in each round; one round warms up and does not count. */
async function measureCpu(
  rounds: number,
  calls: number,
  call: () => Promise<unknown>,
  warm = true,
): Promise<number[]> {
  const found: number[] = [];
  for (let round = warm ? 0 : 1; round <= rounds; round++) {
    const before = process.cpuUsage();
    for (let index = 0; index < calls; index++) await call();
    const {user, system} = process.cpuUsage(before);
    if (round > 0) found.push((user + system) / calls);
  }
  return found;
}
