/**
 * The job of the peers through a whole core: is the same done, and what does a sample cost? One of
 * our messages carries many samples, by design; the peers' carry one. The CPU that counts is the
 * core process's with its threads; edge and broker are told apart.
 */
import {loadavg} from 'node:os';
import {resolve} from 'node:path';
import {findBroker} from './peer/broker.ts';
import {buildJavaPeers, type JavaPeers} from './peer/java.ts';
import {type Outcome, PEERS_FOUND} from './peer/job.ts';
import {runPlain} from './peer/plain.ts';
import {type RunOptions, runJob} from './peer/run.ts';
import {KAFKA_FROM, LOG_KINDS, type LogKind, withLog} from './pipeline.ts';
import {numberOf, resultOf, wordsOf} from './result.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

/** What a sample may cost, microseconds of CPU, with the perceptron. */
const GOALS: Readonly<Record<LogKind, number>> = {segments: 0.4, kafka: 1};
const SUM_TOLERANCE = 1e-4;
/** Of scores that lie this close to a threshold rounding decides. */
const TRANSITIONS_TOLERANCE = 1e-3;

export const peer: BenchVerb = {
  name: 'peer',
  summary: 'the job of the peers (Flink, a plain loop) through a whole core',
  options: [
    {
      flags: '--log <kinds>',
      description: `segments, kafka or both; ${KAFKA_FROM}`,
      default: 'segments',
    },
    {flags: '--model <names>', description: 'mlp, forest or both', default: 'mlp'},
    {flags: '--samples <n>', description: 'of 2,000 hosts together', default: '22000000'},
    {flags: '--warm-up <n>', description: 'samples that are not counted', default: '2000000'},
    {flags: '--runs <n>', description: 'turns of each', default: '3'},
    {flags: '--tick <ms>', description: 'tick of the core', default: '250'},
    {flags: '--steps <n>', description: 'samples of a host in a message', default: '16'},
    {flags: '--task-rows <n>', description: 'rows of a scoring task', default: '2048'},
    {flags: '--peers <dir>', description: 'folder of the peers, to build and run them in turn'},
    {flags: '--profile <dir>', description: 'write a CPU profile of the core into this folder'},
  ],
  run: measurePeer,
};

type Figures = Record<string, number[]>;

async function measurePeer({options}: BenchArgs): Promise<BenchResult> {
  const samples = numberOf(options.samples, 'samples', 2000);
  const notes = [
    'one message carries many samples, by design; a sample has 8 metrics',
    'core: the process with its scoring threads, after the warm-up; edge and broker apart',
    'nothing is stored in a database: the peers store nothing either',
  ];
  const peers = await openPeers(options.peers, notes);
  const found: Found = {runs: {}, reasons: [], failures: [], steal: 0};
  try {
    for (const model of String(options.model).split(',')) {
      const modelPath = resolve(import.meta.dirname, 'peer/models', model);
      const loop = await runPlain(`${modelPath}/model.onnx`, samples);
      const known = PEERS_FOUND.get(samples);
      if (model === 'mlp' && known !== undefined) {
        found.failures.push(...differences('plain loop', loop, known));
      }
      for (let turn = 0; turn < numberOf(options.runs, 'runs', 1); turn++) {
        for (const log of wordsOf(options.log, 'log', LOG_KINDS)) {
          await withLog(log, async target => {
            const pid = log === 'kafka' ? await findBroker() : undefined;
            const job = {...jobOf(options), log: target, modelPath};
            const watched = pid === undefined ? job : {...job, brokerPid: pid};
            await measureOne(found, watched, log, model, loop);
          });
        }
        await measurePeers(found.runs, peers, modelPath, model, samples);
      }
    }
  } finally {
    await peers?.close();
  }
  found.failures.push(...missedGoals(found.runs));
  const [load = 0] = loadavg();
  notes.push(
    `load average at the end: ${load.toFixed(1)}; what shares the cores makes CPU time dearer`,
  );
  return resultOf({...found, metrics: ratiosOf(found.runs), notes});
}

type Found = {runs: Figures; reasons: string[]; failures: string[]; steal: number};

function jobOf(options: BenchArgs['options']): Omit<RunOptions, 'log' | 'modelPath'> {
  const {profile} = options;
  return {
    samples: numberOf(options.samples, 'samples', 2000),
    warmUpSamples: numberOf(options.warmUp, 'warm-up'),
    tickMs: numberOf(options.tick, 'tick', 10),
    rowsPerTask: numberOf(options.taskRows, 'task-rows', 1),
    stepsPerMessage: numberOf(options.steps, 'steps', 1),
    execArgv:
      typeof profile === 'string' ? ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`] : [],
  };
}

async function openPeers(
  folder: string | boolean | undefined,
  notes: string[],
): Promise<JavaPeers | undefined> {
  if (typeof folder === 'string') return buildJavaPeers(resolve(folder));
  notes.push('Flink and the plain Java loop were skipped: name their folder with --peers');
  return undefined;
}

async function measureOne(
  found: Found,
  job: RunOptions,
  log: LogKind,
  model: string,
  loop: Outcome,
): Promise<void> {
  const {outcome, problems, steal, ...figures} = await runJob(job);
  found.steal = Math.max(found.steal, steal);
  found.reasons.push(...problems);
  found.failures.push(...differences(`${log} ${model}`, outcome, loop));
  const prefix = model === 'mlp' ? `peer.${log}` : `peer.${log}.${model}`;
  for (const [name, value] of Object.entries(figures)) add(found.runs, `${prefix}.${name}`, value);
}

/** Goals that the middle of the runs misses. */
export function missedGoals(runs: Figures): string[] {
  return LOG_KINDS.flatMap(log => {
    const cost = middle(runs[`peer.${log}.cpuMicrosPerSample`] ?? []);
    if (!(cost > GOALS[log])) return [];
    const shown = cost.toFixed(3);
    return [`${log}: a sample costs ${shown} microseconds of CPU, the goal is ${GOALS[log]}`];
  });
}

async function measurePeers(
  runs: Figures,
  peers: JavaPeers | undefined,
  modelPath: string,
  model: string,
  samples: number,
): Promise<void> {
  const suffix = model === 'mlp' ? '' : `.${model}`;
  const path = `${modelPath}/model.onnx`;
  const loop = await runPlain(path, samples);
  add(runs, `peer.loop${suffix}.cpuMicrosPerSample`, loop.cpuMicrosPerSample);
  if (peers === undefined) return;
  const flink = await peers.flink(path, Math.max(samples, 10_000_000), 2_000_000);
  const plain = await peers.plain(path, samples);
  add(runs, `peer.flink${suffix}.cpuMicrosPerSample`, flink.cpuMicrosPerSample);
  add(runs, `peer.plain${suffix}.cpuMicrosPerSample`, plain.cpuMicrosPerSample);
}

/** What is not the same, but for rounding. */
export function differences(name: string, found: Outcome, wanted: Outcome): string[] {
  const wrong: string[] = [];
  if (found.scores !== wanted.scores) {
    wrong.push(`${name}: ${found.scores} scores, not ${wanted.scores}`);
  }
  if (Math.abs(found.scoreSum / wanted.scoreSum - 1) > SUM_TOLERANCE) {
    wrong.push(`${name}: the scores sum up to ${found.scoreSum}, not ${wanted.scoreSum}`);
  }
  const apart = Math.abs(found.transitions - wanted.transitions);
  if (apart > Math.ceil(TRANSITIONS_TOLERANCE * wanted.transitions)) {
    wrong.push(`${name}: ${found.transitions} transitions, not ${wanted.transitions}`);
  }
  return wrong;
}

/** Cost of a sample here over its cost there, of the same turns. */
function ratiosOf(runs: Figures): Record<string, number> {
  const cost = (name: string) => middle(runs[`${name}.cpuMicrosPerSample`] ?? []);
  const ratios: Record<string, number> = {};
  for (const ours of ['peer.segments', 'peer.kafka']) {
    for (const theirs of ['flink', 'plain', 'loop']) {
      const ratio = cost(ours) / cost(`peer.${theirs}`);
      if (Number.isFinite(ratio)) ratios[`${ours}.ratio.${theirs}`] = ratio;
    }
  }
  return ratios;
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function add(runs: Figures, name: string, value: number): void {
  const values = runs[name] ?? [];
  runs[name] = values;
  values.push(value);
}
