/**
 * What networks cost: a step of learning, against PyTorch's where Python has it; a prediction of a
 * served window and of a served stream, with the memory of its session; an explanation. And, if
 * asked for, what windows and streams learn from the same hosts.
 */
import {spawnSync} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {RISK_OUTPUTS} from '../core/domain/reboot-risks.ts';
import {openExplainer} from '../models/network/attributions.ts';
import {RISK_CLASSES, RISK_SUMS} from '../models/network/competing-risks.ts';
import {initialParameters} from '../models/network/lstm.ts';
import {batchShapeOf, type Network, type NetworkForm} from '../models/network/network.ts';
import {encodeNetwork} from '../models/network/network-onnx.ts';
import {openNetwork} from '../models/network/network-session.ts';
import {plainNormalisation} from '../models/network/normalisation.ts';
import {emptyFloats, openRunner} from '../models/network/runtime.ts';
import {encodeTrainingGraph, targetRowsOf} from '../models/network/training-graph.ts';
import {createUniform} from '../models/random.ts';
import {watchSteal} from './machine.ts';
import {numberOf, resultOf} from './result.ts';
import {compareForms} from './support/network-comparison.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

const STEPS = 60;
const INPUTS = 16;
const HIDDEN = 64;
const BATCH_ROWS = 64;
/** What an agent may spend on a prediction, and have for all of them. */
const PREDICTION_MICROS_MAX = 100;
const PROCESS_MIB_MAX = 100;

export const trainNetwork: BenchVerb = {
  name: 'train-network',
  summary: 'a step of learning of an LSTM, and what its predictions and explanations cost',
  options: [
    {flags: '--rounds <n>', description: 'turns of each measurement', default: '7'},
    {flags: '--steps <n>', description: 'steps of learning a turn', default: '10'},
    {flags: '--python <command>', description: 'a Python with PyTorch', default: 'python3'},
    {
      flags: '--compare <hosts>',
      description: 'also let windows and streams learn from so many hosts; 300 take 5 minutes',
      default: '0',
    },
    {flags: '--seeds <n>', description: 'networks of each form that learn', default: '3'},
  ],
  run: measureNetworks,
};

async function measureNetworks({options}: BenchArgs): Promise<BenchResult> {
  const rounds = numberOf(options.rounds, 'rounds', 1);
  const steps = numberOf(options.steps, 'steps', 1);
  const hosts = numberOf(options.compare, 'compare');
  const seeds = numberOf(options.seeds, 'seeds', 1);
  const steal = watchSteal();
  const runs: Record<string, number[]> = {};
  for (const form of ['window', 'stream'] as const) {
    runs[`train.${form}.cpuMillisPerStep`] = await measureLearning(form, rounds, steps);
  }
  const torch = measureTorch(String(options.python), rounds, steps);
  if (torch.length > 0) runs['train.torch.cpuMillisPerStep'] = torch;
  for (const form of ['window', 'stream'] as const) {
    for (const rows of [1, BATCH_ROWS]) {
      runs[`predict.${form}.${rows}.cpuMicrosPerRow`] = await measureServing(form, rows, rounds);
    }
    runs[`predict.${form}.processMiB`] = await measureMemory(form);
  }
  runs['explain.cpuMillis'] = await measureExplanation(rounds);
  const compared = hosts > 0 ? await compareForms(hosts, seeds) : {};
  return resultOf({
    runs: {...runs, ...compared},
    failures: ['window', 'stream'].flatMap(form => beyondBudget(form, runs)),
    notes: [
      `a step: ${BATCH_ROWS} windows × ${STEPS} steps × ${INPUTS} features, ${HIDDEN} hidden`,
      ...(torch.length > 0
        ? []
        : [`SKIPPED: PyTorch, as "${options.python}" cannot import torch; give another --python`]),
    ],
    steal: steal(),
  });
}

function beyondBudget(form: string, runs: Readonly<Record<string, readonly number[]>>): string[] {
  const micros = Math.min(...(runs[`predict.${form}.1.cpuMicrosPerRow`] ?? []));
  const mebibytes = Math.min(...(runs[`predict.${form}.processMiB`] ?? []));
  return [
    ...(micros > PREDICTION_MICROS_MAX
      ? [`a prediction of a ${form} takes ${micros} µs, ${PREDICTION_MICROS_MAX} are allowed`]
      : []),
    ...(mebibytes > PROCESS_MIB_MAX
      ? [`a ${form} takes ${mebibytes} MiB of its process, ${PROCESS_MIB_MAX} are allowed`]
      : []),
  ];
}

/** A network of drawn parameters: it predicts nothing, it costs what a trained one costs. */
function drawNetwork(form: NetworkForm): Network {
  const lstm = {inputs: INPUTS, hidden: HIDDEN, outputs: RISK_CLASSES};
  return {
    form,
    task: {kind: 'classes', classes: RISK_CLASSES},
    steps: STEPS,
    lstm,
    normalisation: plainNormalisation(INPUTS),
    theta: initialParameters(lstm, createUniform(1)),
  };
}

function drawValues(length: number): Float32Array {
  const uniform = createUniform(2);
  return Float32Array.from({length}, () => 2 * uniform() - 1);
}

async function measureLearning(
  form: NetworkForm,
  rounds: number,
  steps: number,
): Promise<number[]> {
  const network = drawNetwork(form);
  const shape = batchShapeOf(network, BATCH_ROWS);
  const runner = await openRunner(encodeTrainingGraph(shape, 1), 'train');
  const rows = targetRowsOf(shape);
  const {length: count} = network.theta;
  const targets = Float32Array.from({length: rows * RISK_CLASSES}, (_, at) =>
    Number(at % RISK_CLASSES === 0),
  );
  const state = emptyFloats([BATCH_ROWS, 2 * HIDDEN]);
  const feeds = {
    inputs: {values: drawValues(STEPS * BATCH_ROWS * INPUTS), shape: [STEPS * BATCH_ROWS, INPUTS]},
    targets: {values: targets, shape: [rows, RISK_CLASSES]},
    weights: {values: new Float32Array(rows).fill(1), shape: [rows, 1]},
    state,
    theta: {values: network.theta, shape: [count]},
    mean: emptyFloats([count]),
    variance: emptyFloats([count]),
    rate: {values: Float32Array.of(1e-3, 1e-8), shape: [2]},
  };
  const found = {
    nextTheta: emptyFloats([count]),
    nextMean: emptyFloats([count]),
    nextVariance: emptyFloats([count]),
    nextState: emptyFloats(state.shape),
    loss: emptyFloats([]),
  };
  const millis = await measureCpu(rounds, steps, () => runner.run(feeds, found));
  await runner.release();
  return millis.map(micros => micros / 1000);
}

function encodeDrawn(form: NetworkForm): Uint8Array {
  return encodeNetwork(drawNetwork(form), {outputs: RISK_OUTPUTS, sums: RISK_SUMS});
}

async function measureServing(form: NetworkForm, rows: number, rounds: number): Promise<number[]> {
  const session = await openNetwork(encodeDrawn(form));
  const features = drawValues(rows * INPUTS * (form === 'window' ? STEPS : 1));
  const risks = new Float32Array(rows * RISK_OUTPUTS.length);
  const state = new Float32Array(rows * 2 * HIDDEN);
  const micros = await measureCpu(rounds, Math.ceil(2000 / rows), () =>
    session.run(rows, features, risks, state),
  );
  await session.release();
  return micros.map(micro => micro / rows);
}

/** MiB that a process needs more with a network in it, thrice. */
async function measureMemory(form: NetworkForm): Promise<number[]> {
  const directory = await mkdtemp(join(tmpdir(), 'forestay-bench-'));
  try {
    const file = join(directory, 'model.onnx');
    await writeFile(file, encodeDrawn(form));
    const script = fileURLToPath(new URL('./support/network-memory.ts', import.meta.url));
    return Array.from({length: 3}, () =>
      Number(spawnSync(process.execPath, [script, file], {encoding: 'utf8'}).stdout || Number.NaN),
    );
  } finally {
    await rm(directory, {recursive: true});
  }
}

async function measureExplanation(rounds: number): Promise<number[]> {
  const explainer = await openExplainer(drawNetwork('window'));
  const samples = drawValues(STEPS * INPUTS);
  const classes = Array.from({length: RISK_CLASSES}, (_, index) => index % 2);
  const micros = await measureCpu(rounds, 5, () => explainer.explain(samples, classes));
  await explainer.release();
  return micros.map(micro => micro / 1000);
}

/** Microseconds of CPU a call, in each round; one round warms up and does not count. */
async function measureCpu(
  rounds: number,
  calls: number,
  call: () => Promise<unknown>,
): Promise<number[]> {
  const found: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const before = process.cpuUsage();
    for (let index = 0; index < calls; index++) await call();
    const {user, system} = process.cpuUsage(before);
    if (round > 0) found.push((user + system) / calls);
  }
  return found;
}

/** The same step in PyTorch on one thread; empty where Python has none. */
function measureTorch(python: string, rounds: number, steps: number): number[] {
  const program = `
import json, time, torch
torch.set_num_threads(1)
lstm, head = torch.nn.LSTM(${INPUTS}, ${HIDDEN}), torch.nn.Linear(${HIDDEN}, ${RISK_CLASSES})
learned = [*lstm.parameters(), *head.parameters()]
optimiser = torch.optim.Adam(learned)
x, y = torch.rand(${STEPS}, ${BATCH_ROWS}, ${INPUTS}), torch.zeros(${BATCH_ROWS}, dtype=torch.long)
found = []
for round in range(${rounds + 1}):
    before = time.process_time()
    for step in range(${steps}):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(head(lstm(x)[0][-1]), y).backward()
        torch.nn.utils.clip_grad_norm_(learned, 1)
        optimiser.step()
    found.append((time.process_time() - before) * 1000 / ${steps})
print(json.dumps(found[1:]))
`;
  const {status, stdout} = spawnSync(python, ['-c', program], {encoding: 'utf8'});
  return status === 0 ? (JSON.parse(stdout) as number[]) : [];
}
