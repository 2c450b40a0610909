import {availableParallelism, constants, setPriority} from 'node:os';
import {type Command, InvalidArgumentError, Option, type OutputConfiguration} from 'commander';
import {COMPONENT_FAILURE, COMPONENT_OUTLOOK} from '../models/failure/family.ts';
import {requireFolder} from './folders.ts';
import {duration, wholeNumber} from './numbers.ts';
import {trainFailure} from './train-failure.ts';
import {trainIntentFamily} from './train-intent.ts';
import {createProgress, type Progress} from './train-progress.ts';

/** The demo and its tests draw from seeds below, training from here on. */
const SEED_MIN = 1000;

export type TrainFlags = {
  family: string;
  /** Rows of one's own; absent: simulated fleets. */
  data?: string;
  seed: number;
  /** Of simulated fleets; absent: what the family needs. */
  fleets?: number;
  unseenFleets?: number;
  rowEvery?: number;
  minutes?: number;
  days: number;
  hosts: number;
  /** Milliseconds of search; 0: none. */
  budget: number;
  trials: number;
  threads: number;
  /** Trainings on other hosts of the same data, for the spread; 1: none. */
  repeats: number;
  /** Folder of a model to compare with. */
  baseline?: string;
  modelVersion: string;
  out: string;
  report?: string;
  output: 'table' | 'json';
};

export type TrainOutput = {
  readonly progress: Progress;
  readonly write: (text: string) => void;
};

/** What can be trained. */
const FAMILIES: Readonly<
  Record<string, (flags: TrainFlags, output: TrainOutput) => Promise<void>>
> = {
  'component-failure': (flags, output) => trainFailure(COMPONENT_FAILURE, flags, output),
  'component-outlook': (flags, output) => trainFailure(COMPONENT_OUTLOOK, flags, output),
  'reboot-intent': trainIntentFamily,
};

const count = wholeNumber(1);

/** `forestay train`: learns from data, judges on other data, writes an artefact and a report. */
export function registerTrain(program: Command): void {
  program
    .command('train')
    .description('train a model; the same options, without a budget, give the same bytes')
    .addOption(
      new Option('--family <name>', 'what to predict')
        .choices(Object.keys(FAMILIES))
        .default('component-failure'),
    )
    .option('--seed <n>', `of fleets and sampling, from ${SEED_MIN}`, seedNumber, SEED_MIN)
    .option('--data <file>', 'rows of your own, CSV or CSV.gz, instead of simulated fleets')
    .option('--fleets <n>', 'simulated fleets to learn from (600; for the outlook 300)', count)
    .option('--unseen-fleets <n>', 'simulated fleets to judge on (100)', count)
    .option('--minutes <n>', 'virtual minutes of each fleet (60; for reboot-intent 120)', count)
    .option('--days <n>', 'virtual days of each fleet, for the outlook', count, 28)
    .option('--row-every <seconds>', 'time between two rows of a host (90; 46800)', count)
    .option('--hosts <n>', 'hosts of each fleet', count, 24)
    .option('--budget <time>', 'search for settings so long first, for instance 10m', duration, 0)
    .option('--trials <n>', 'settings that the search begins with', count, 18)
    .option('--threads <n>', 'threads that learn', count, availableParallelism())
    .option('--repeats <n>', 'trainings on other hosts of the data, for the spread', count, 1)
    .option('--baseline <dir>', 'a model to compare with on the same rows')
    .option('--model-version <text>', 'version to write down', '2')
    .requiredOption('--out <dir>', 'folder of the artefact; a training that was stopped goes on')
    .option('--report <file>', 'also write a page of curves, calibration, lead times, importances')
    .addOption(
      new Option('-o, --output <format>', 'how to print the metrics')
        .choices(['table', 'json'])
        .default('table'),
    )
    .action(train);
}

async function train(flags: TrainFlags, command: Command): Promise<void> {
  const {writeOut, writeErr} = command.configureOutput() as Required<OutputConfiguration>;
  requireFolder(flags.out, '--out');
  // Serving and acting go first on a machine that does both.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const isTerminal = process.stderr.isTTY === true;
  const progress = createProgress({isTerminal, write: writeErr});
  await FAMILIES[flags.family]?.(flags, {progress, write: writeOut});
}

function seedNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= SEED_MIN) return value;
  throw new InvalidArgumentError(
    `It must be a whole number from ${SEED_MIN}: the demo draws from those below.`,
  );
}
