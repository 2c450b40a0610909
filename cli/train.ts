import {existsSync, readdirSync, rmdirSync} from 'node:fs';
import {availableParallelism, constants, setPriority} from 'node:os';
import {type Command, InvalidArgumentError, Option, type OutputConfiguration} from 'commander';
import {nodeFiles} from '../core/adapters/files-node.ts';
import {lockDirectory} from '../core/adapters/log-segments-lock.ts';
import {ForestayError, isSystemError} from '../core/domain/errors.ts';
import {TRAINING_SEED_MIN} from '../core/simulation/seeds.ts';
import {COMPONENT_FAILURE, COMPONENT_OUTLOOK} from '../models/failure/family.ts';
import {loadModel} from '../models/load-model.ts';
import {EXIT} from './exit-codes.ts';
import {requireFile, requireFolder} from './folders.ts';
import {duration, wholeNumber} from './numbers.ts';
import {trainFailure} from './train-failure.ts';
import {trainIntentFamily} from './train-intent.ts';
import {trainOnTop} from './train-on-top.ts';
import {createProgress, type Progress} from './train-progress.ts';
import {trainingFolder} from './train-state.ts';

export type TrainFlags = {
  family: string;
  /** Rows of one's own; absent: simulated fleets. */
  data?: string;
  /** What a fleet showed, to learn from on top of `parent`. */
  examples?: string;
  /** Folder of a model. */
  parent?: string;
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

/** Options that make no difference where one trains on top of another model. */
const NOT_ON_TOP = ['data', 'budget', 'trials', 'repeats', 'baseline', 'report'];

const OF_COMPONENTS = ['component-failure', 'component-outlook'];

/** Options that some families have no use for. */
const USED_BY: Readonly<Partial<Record<string, readonly string[]>>> = {
  data: OF_COMPONENTS,
  examples: ['component-failure'],
  parent: ['component-failure'],
  minutes: ['component-failure', 'reboot-intent'],
  days: ['component-outlook'],
  rowEvery: OF_COMPONENTS,
  repeats: OF_COMPONENTS,
  baseline: OF_COMPONENTS,
};

/** Options that make simulated fleets. */
const OF_FLEETS = ['fleets', 'unseenFleets', 'minutes', 'days', 'rowEvery', 'hosts'];

/** Far beyond what is of use; more is a slip of the finger that would end in want of memory. */
const atMost = (most: number) => wholeNumber(1, most);
const FLEETS_MAX = 100_000;

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
    .option(
      '--seed <n>',
      `of fleets and sampling, from ${TRAINING_SEED_MIN}`,
      seedNumber,
      TRAINING_SEED_MIN,
    )
    .option(
      '--data <file>',
      'rows of your own, CSV or CSV.gz, instead of simulated fleets; not for reboot-intent',
    )
    .option(
      '--examples <file>',
      'what a fleet showed, as a core wrote it: trains on top of --parent; for component-failure',
    )
    .option('--parent <dir>', 'the model that --examples are trained on top of')
    .option(
      '--fleets <n>',
      'simulated fleets to learn from (600; for the outlook 300, for reboot-intent 200)',
      atMost(FLEETS_MAX),
    )
    .option(
      '--unseen-fleets <n>',
      'simulated fleets to judge on (100; for reboot-intent 30)',
      atMost(FLEETS_MAX),
    )
    .option(
      '--minutes <n>',
      'virtual minutes of each fleet (60; for reboot-intent 120; not for the outlook)',
      atMost(10_080),
    )
    .option('--days <n>', 'virtual days of each fleet, for the outlook alone', atMost(3660), 28)
    .option(
      '--row-every <seconds>',
      'time between two rows of a host (90; for the outlook 46800; not for reboot-intent)',
      atMost(604_800),
    )
    .option('--hosts <n>', 'hosts of each fleet', atMost(1000), 24)
    .option('--budget <time>', 'search for settings so long first, for instance 10m', duration, 0)
    .option('--trials <n>', 'settings that the search begins with', atMost(10_000), 18)
    .option('--threads <n>', 'threads that learn', atMost(512), availableParallelism())
    .option(
      '--repeats <n>',
      'trainings on other hosts of the data, for the spread; not for reboot-intent',
      atMost(100),
      1,
    )
    .option('--baseline <dir>', 'a model to compare with on the same rows; not for reboot-intent')
    .option('--model-version <text>', 'version to write down (2; of --parent the next one)', '2')
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
  requireUse(flags.family, command);
  requireFolder(flags.out, '--out');
  if (flags.report !== undefined) requireFile(flags.report, '--report');
  if (flags.baseline !== undefined) await loadModel(flags.baseline);
  // Serving and acting go first on a machine that does both.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const isTerminal = process.stderr.isTTY === true;
  const progress = createProgress({isTerminal, write: writeErr});
  const state = trainingFolder(flags.out);
  requireFolder(state, '--out');
  const unlock = lockDirectory(nodeFiles, state, undefined, '--out');
  const outliveStarter = endWithStarter();
  try {
    const output = {progress, write: writeOut};
    if (flags.examples === undefined) await FAMILIES[flags.family]?.(flags, output);
    else await trainOnTop(flags, output, isGiven(command, 'modelVersion'));
  } catch (error) {
    throw isSystemError(error) ? notKept(flags.out, error) : error;
  } finally {
    outliveStarter();
    unlock();
    if (existsSync(state) && readdirSync(state).length === 0) rmdirSync(state);
  }
}

/**
 * Where a program, as a core, started this one and is gone, nobody takes the model.
 *
 * @returns Takes that back.
 */
function endWithStarter(): () => void {
  const end = () => process.exit(EXIT.interrupted);
  process.once('disconnect', end);
  // The training is what keeps this process alive.
  process.channel?.unref();
  return () => process.off('disconnect', end);
}

/** An option that would change nothing is a misunderstanding, better told before hours are spent. */
function requireUse(family: string, command: Command): void {
  const given = command.options.filter(option => isGiven(command, option.attributeName()));
  const ownRows = isGiven(command, 'data');
  const onTop = isGiven(command, 'examples');
  if (onTop !== isGiven(command, 'parent')) {
    throw new ForestayError(
      'INVALID_ARGUMENT',
      `--examples and --parent go together: ${onTop ? '--parent' : '--examples'} is missing`,
    );
  }
  for (const option of given) {
    const name = option.attributeName();
    const {[name]: families = [family]} = USED_BY;
    if (!families.includes(family)) {
      throw needless(`${option.long} is for ${families.join(' and ')}, not for ${family}`);
    }
    if (ownRows && OF_FLEETS.includes(name)) {
      throw needless(`${option.long} is for simulated fleets, and --data names rows of your own`);
    }
    if (onTop && (OF_FLEETS.includes(name) || NOT_ON_TOP.includes(name))) {
      throw needless(`${option.long} is of no use with --examples, which are what is learned from`);
    }
  }
}

function isGiven(command: Command, name: string): boolean {
  return command.getOptionValueSource(name) === 'cli';
}

function needless(what: string): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', `${what}; leave it out`);
}

function notKept(folder: string, cause: Error): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot keep the training in ${folder}; make room there and say the same again: it goes on`,
    {details: {folder}, cause},
  );
}

function seedNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= TRAINING_SEED_MIN) return value;
  throw new InvalidArgumentError(
    `It must be a whole number from ${TRAINING_SEED_MIN}: the demo draws from those below.`,
  );
}
