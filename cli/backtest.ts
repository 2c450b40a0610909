import {readdirSync, realpathSync} from 'node:fs';
import {Argument, type Command, Option, type OutputConfiguration} from 'commander';
import {ForestayError} from '../core/domain/errors.ts';
import type {BacktestReport} from '../models/backtest/backtest.ts';
import {BACKTESTS} from '../models/backtest/tasks.ts';
import {requireFolder} from './folders.ts';
import {wholeNumber} from './numbers.ts';
import {publish} from './publish.ts';

type BacktestFlags = {
  data: string;
  out: string;
  train?: string;
  seed: number;
  learning: boolean;
  output: 'table' | 'json';
};

/** `forestay backtest`: predicts recordings whose outcome is known, for others to judge. */
export function registerBacktest(program: Command): void {
  program
    .command('backtest')
    .description('predict recorded data as if it were live, and write the predictions')
    .addArgument(new Argument('<task>', 'what to predict').choices(Object.keys(BACKTESTS)))
    .requiredOption('--data <dir>', 'recordings to predict')
    .requiredOption('--out <dir>', 'folder for the predictions; made if there is none')
    .option(
      '--train <dir>',
      'other recordings to learn from (failure, disk); without: cross-validation',
    )
    .option('--seed <n>', 'of what is drawn: the folds of disk', wholeNumber(0), 1)
    .option('--no-learning', 'failure only: learn nothing of outcomes as they become known')
    .addOption(
      new Option('-o, --output <format>', 'how to print the summary')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addHelpText('after', () => `\nTasks:\n${describeTasks()}\n\nLayouts: docs/how-to/backtest.md`)
    .action(backtest);
}

async function backtest(task: string, flags: BacktestFlags, command: Command): Promise<void> {
  const {writeOut, writeErr} = command.configureOutput() as Required<OutputConfiguration>;
  requireRecordings(flags.data, '--data');
  if (flags.train !== undefined) requireRecordings(flags.train, '--train');
  requireFolder(flags.out, '--out');
  requireElsewhere(flags);
  const started = performance.now();
  const run = await (BACKTESTS[task] as (typeof BACKTESTS)[string]).load();
  const note = (line: string) => writeErr(`backtest: ${line}\n`);
  const report = await publish(flags.out, '--out', out =>
    run({...flags, out, train: flags.train, note}),
  );
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
  writeOut(
    flags.output === 'json'
      ? `${JSON.stringify({task, seed: flags.seed, ...report, seconds})}\n`
      : render(flags.out, report, seconds),
  );
}

/** @throws {ForestayError} `INVALID_ARGUMENT` if the folder cannot be listed. `option` named it. */
function requireRecordings(folder: string, option: string): void {
  try {
    readdirSync(folder);
  } catch (error) {
    throw unlistable(folder, option, error);
  }
}

/** A prediction may be called like a recording; none is ever written over. */
function requireElsewhere({data, train, out}: BacktestFlags): void {
  const [written, ...read] = [out, data, train ?? data].map(folder => realpathSync(folder));
  if (!read.includes(written as string)) return;
  throw new ForestayError(
    'INVALID_ARGUMENT',
    `cannot write to ${out}: recordings lie there; choose another folder with --out`,
    {details: {folder: out}},
  );
}

function unlistable(folder: string, option: string, cause: unknown): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot list ${folder}; name a folder of recordings with ${option}`,
    {details: {folder}, cause},
  );
}

function render(out: string, {files, rows}: BacktestReport, seconds: number): string {
  return `${rows} rows predicted in ${seconds} s, written to ${out}: ${files.join(', ')}\n`;
}

function describeTasks(): string {
  return Object.entries(BACKTESTS)
    .map(([name, {about}]) => `  ${name.padEnd(10)}${about}`)
    .join('\n');
}
