import {type Command, Option} from 'commander';
import {type Assertion, parseAssertion} from '../bench/assertion.ts';
import {formatResult, runVerb} from '../bench/main.ts';
import type {BenchVerb} from '../bench/verb.ts';
import {verbs} from '../bench/verbs.ts';
import {EXIT} from './exit-codes.ts';
import {addOutputOption, type Format, print} from './output.ts';

type Options = {output: Format; assert: readonly Assertion[]} & Record<
  string,
  string | boolean | undefined
>;

/** `forestay bench VERB`: measures the prediction path on this machine. */
export function registerBench(program: Command): void {
  const bench = program
    .command('bench')
    .description('measure the prediction path on this machine')
    .addHelpText(
      'after',
      '\nExit code 10: an --assert failed, a regression, or a planted stall that was not found.',
    );
  for (const verb of verbs) registerVerb(bench, verb);
}

function registerVerb(bench: Command, verb: BenchVerb): void {
  const command = bench.command(verb.name).description(verb.summary);
  if (verb.operands !== undefined) command.arguments(verb.operands);
  for (const {flags, description, default: preset} of verb.options) {
    const option = new Option(flags, description);
    command.addOption(preset === undefined ? option : option.default(preset));
  }
  command.addOption(
    new Option('--assert <condition>', 'METRIC<NUMBER with < <= > or >=; may be repeated')
      .argParser((text: string, before: readonly Assertion[]) => [...before, parseAssertion(text)])
      .default([], 'none'),
  );
  addOutputOption(command, ['table', 'json']);
  command.action(async (...received: unknown[]) => {
    const operands = command.args;
    const {output, assert: assertions, ...options} = received.at(-2) as Options;
    const result = await runVerb(verb, {options, operands}, assertions);
    if (output === 'json') print(JSON.stringify(result, null, 2));
    else print(formatResult(verb.name, result));
    if (result.failures.length > 0) process.exitCode = EXIT.no;
  });
}
