import {availableParallelism, constants, setPriority} from 'node:os';
import {type Command, InvalidArgumentError, Option, type OutputConfiguration} from 'commander';
import {requireFolder} from './folders.ts';
import {duration, wholeNumber} from './numbers.ts';
import {trainFailure} from './train-failure.ts';

/** The demo and its tests draw from seeds below, training from here on. */
const SEED_MIN = 1000;

export type TrainFlags = {
  family: string;
  seed: number;
  fleets: number;
  unseenFleets: number;
  minutes: number;
  rowEvery: number;
  hosts: number;
  /** Milliseconds of search; 0: none. */
  budget: number;
  trials: number;
  threads: number;
  modelVersion: string;
  out: string;
  report?: string;
  output: 'table' | 'json';
};

export type TrainOutput = {
  /** Takes a line of progress. */
  readonly note: (line: string) => void;
  readonly write: (text: string) => void;
};

/** What can be trained. */
const FAMILIES: Readonly<
  Record<string, (flags: TrainFlags, output: TrainOutput) => Promise<void>>
> = {'component-failure': trainFailure};

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
    .option('--fleets <n>', 'simulated fleets to learn from', count, 800)
    .option('--unseen-fleets <n>', 'simulated fleets to judge on', count, 100)
    .option('--minutes <n>', 'virtual minutes of each fleet', count, 60)
    .option('--row-every <seconds>', 'time between two rows of a host', count, 90)
    .option('--hosts <n>', 'hosts of each fleet', count, 24)
    .option('--budget <time>', 'search for settings so long first, for instance 10m', duration, 0)
    .option('--trials <n>', 'settings that the search begins with', count, 18)
    .option('--threads <n>', 'threads that learn', count, availableParallelism())
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
  await FAMILIES[flags.family]?.(flags, {
    note: line => writeErr(`train: ${line}\n`),
    write: writeOut,
  });
}

function seedNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= SEED_MIN) return value;
  throw new InvalidArgumentError(
    `It must be a whole number from ${SEED_MIN}: the demo draws from those below.`,
  );
}
