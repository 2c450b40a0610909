import {writeFile} from 'node:fs/promises';
import {constants, setPriority} from 'node:os';
import {join} from 'node:path';
import {type Command, InvalidArgumentError, Option, type OutputConfiguration} from 'commander';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {COMPONENTS} from '../core/domain/components.ts';
import {FEATURE_COUNT, FEATURE_HASH} from '../core/domain/features.ts';
import {type Dataset, simulateDataset} from '../core/simulation/dataset.ts';
import {writeArtefact} from '../models/artefact.ts';
import {renderCard, renderMetrics} from '../models/card.ts';
import {maskSensors} from '../models/failure/data.ts';
import {evaluateFailureModel} from '../models/failure/evaluation.ts';
import {FAILURE_DEFAULTS, trainFailureModel} from '../models/failure/training.ts';
import type {Manifest} from '../models/manifest.ts';
import type {ModelMetadata} from '../models/trees/tree-onnx.ts';
import {requireFolder} from './folders.ts';
import {wholeNumber} from './numbers.ts';

const count = wholeNumber(1);

/** The demo and its tests draw from seeds below, training from here on. */
const SEED_MIN = 1000;
/** Fleets that judge are drawn from the seed this far above the one that taught. */
const UNSEEN_OFFSET = 1_000_000;
/** Shares of rows, and of sensors in them, that are taken away before training. */
const MASKED_ROWS = 0.2;
const MASKED_SENSORS = 0.3;
const GOLDEN_ROWS = 16;

const REQUIRED_METRICS = ['cpu_utilisation_ratio', 'memory_used_ratio', 'disk_busy_ratio'];

const LIMITS = [
  'It has only ever seen simulated hosts: their symptoms follow what vendors and operators report, ' +
    'their rates are raised from years to an hour. On a real fleet its order of hosts may help; its ' +
    'numbers are not calibrated there.',
  'Before its first symptom a failure is not foreseeable; hangs show seconds ahead, or not at all.',
  'Intended reboots, load that outgrows a host and failures of more than one host are not in it.',
  'It reads averages of 30 seconds and 10 minutes: in a host’s first minutes its trends say little.',
];

type TrainOptions = {
  seed: number;
  fleets: number;
  unseenFleets: number;
  minutes: number;
  rowEvery: number;
  hosts: number;
  rounds: number;
  leaves: number;
  learningRate: number;
  modelVersion: string;
  out: string;
  output: 'table' | 'json';
};

type Progress = (line: string) => void;

/** `forestay train`: simulates fleets, trains on some, judges on others, writes an artefact. */
export function registerTrain(program: Command): void {
  program
    .command('train')
    .description('train a model on simulated telemetry; the same options give the same bytes')
    .addOption(
      new Option('--family <name>', 'what to predict')
        .choices(['component-failure'])
        .default('component-failure'),
    )
    .option('--seed <n>', `of fleets and sampling, from ${SEED_MIN}`, seedNumber, SEED_MIN)
    .option('--fleets <n>', 'fleets to learn from', count, 800)
    .option('--unseen-fleets <n>', 'fleets to judge on', count, 100)
    .option('--minutes <n>', 'virtual minutes of each fleet', count, 60)
    .option('--row-every <seconds>', 'time between two rows of a host', count, 90)
    .option('--hosts <n>', 'hosts of each fleet', count, 24)
    .option('--rounds <n>', 'trees of each component at most', count, FAILURE_DEFAULTS.rounds)
    .option('--leaves <n>', 'leaves of each tree at most', count, FAILURE_DEFAULTS.leavesMax)
    .option('--learning-rate <n>', 'step of each tree', share, FAILURE_DEFAULTS.learningRate)
    .option('--model-version <text>', 'version to write down', '1')
    .requiredOption('--out <dir>', 'folder of the artefact')
    .addOption(
      new Option('-o, --output <format>', 'how to print the metrics')
        .choices(['table', 'json'])
        .default('table'),
    )
    .action(train);
}

async function train(options: TrainOptions, command: Command): Promise<void> {
  const {writeOut, writeErr} = command.configureOutput() as Required<OutputConfiguration>;
  const progress: Progress = line => writeErr(`train: ${line}\n`);
  requireFolder(options.out, '--out');
  // Serving and acting go first on a machine that does both.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const data = simulate(options, options.seed, options.fleets, progress);
  maskSensors(data, options.seed, MASKED_ROWS, MASKED_SENSORS);
  const training = {
    ...FAILURE_DEFAULTS,
    seed: options.seed,
    rounds: options.rounds,
    leavesMax: options.leaves,
    learningRate: options.learningRate,
  };
  const {model, usual} = trainFailureModel(data, training, ({component, trees, ...loss}) => {
    const [learned, held] = [loss.trainLoss.toFixed(4), loss.validationLoss.toFixed(4)];
    progress(`${component}: ${trees} trees, log-loss ${learned}, held out ${held}`);
  });
  const unseenSeed = options.seed + UNSEEN_OFFSET;
  const unseen = simulate(options, unseenSeed, options.unseenFleets, progress);
  const metadata: ModelMetadata = {
    name: 'component-failure',
    featureHash: FEATURE_HASH,
    components: COMPONENTS,
    requiredMetrics: REQUIRED_METRICS,
    seed: options.seed,
    data: describe(options, data, unseen),
  };
  const metrics = evaluateFailureModel(model, unseen);
  const provenance = {version: options.modelVersion, metrics, limits: LIMITS, usual};
  const golden = pickRows(unseen, GOLDEN_ROWS);
  const manifest = await writeArtefact(options.out, model, metadata, provenance, golden);
  await writeFile(join(options.out, 'README.md'), renderCard(manifest));
  progress(`wrote ${options.out}: ${manifest.sha256}`);
  writeOut(`${render(options, manifest)}\n`);
}

function simulate(
  options: TrainOptions,
  seed: number,
  fleets: number,
  progress: Progress,
): Dataset {
  const {hosts, minutes} = options;
  progress(`seed ${seed}: ${fleets} fleets of ${hosts} hosts, ${minutes} minutes each`);
  const data = simulateDataset({
    random: seededRandom(seed),
    fleets,
    minutesEach: minutes,
    rowEverySeconds: options.rowEvery,
    hosts,
  });
  progress(`${data.rows} rows, ${data.failures} failures`);
  return data;
}

function describe(options: TrainOptions, data: Dataset, unseen: Dataset): string {
  const {fleets, unseenFleets, hosts, minutes, rowEvery} = options;
  return (
    `${fleets} simulated fleets of ${hosts} hosts over ${minutes} minutes, a row of each host every ` +
    `${rowEvery} s: ${data.rows} rows, ${data.failures} failures (70 % to learn, 15 % to stop, 15 % ` +
    `to calibrate, split by host). Judged on ${unseenFleets} other fleets: ${unseen.rows} rows, ` +
    `${unseen.failures} failures. The demo draws from other seeds again.`
  );
}

/** Rows spread over the data. */
function pickRows(data: Dataset, rows: number): Float32Array {
  const picked = new Float32Array(Math.min(rows, data.rows) * FEATURE_COUNT);
  for (let at = 0; at < picked.length; at += FEATURE_COUNT) {
    const row = Math.floor((at / picked.length) * data.rows);
    picked.set(data.features.subarray(row * FEATURE_COUNT, (row + 1) * FEATURE_COUNT), at);
  }
  return picked;
}

function render({out, output}: TrainOptions, {sha256, rounds, metrics}: Manifest): string {
  return output === 'json'
    ? JSON.stringify({out, sha256, rounds, metrics})
    : renderMetrics(metrics);
}

function seedNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= SEED_MIN) return value;
  throw new InvalidArgumentError(
    `It must be a whole number from ${SEED_MIN}: the demo draws from those below.`,
  );
}

function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be above 0 and at most 1.');
}
