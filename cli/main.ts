import {Command, CommanderError, Help, type Option} from 'commander';
import {buildInfo} from '../core/build-info.ts';
import {formatError, isForestayError} from '../core/domain/errors.ts';
import {registerAll} from './commands.ts';
import {EXIT, exitCodeOf} from './exit-codes.ts';

/** Runs one command line. What it printed is on its way when this resolves. */
async function run(args: readonly string[]): Promise<number> {
  const program = new Command('forestay')
    .description('sees reboots, failures and overloads of hosts and VMs coming, and acts before')
    .version(buildInfo().version, '-V, --version', 'version of this program')
    .option('--no-color', 'no colour, like the environment variable NO_COLOR')
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({outputError: (text, write) => write(plainer(text))})
    .configureHelp({optionDescription: describeOption})
    .exitOverride()
    .hook('preAction', command => {
      if (command.opts().color === false) process.env.NO_COLOR = '1';
    });
  try {
    await registerAll(program, args);
    await program.parseAsync(args, {from: 'user'});
    return process.exitCode === undefined ? EXIT.done : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version are asked for, everything else of commander's is a wrong use.
      return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    }
    process.stderr.write(`${describe(error)}\n`);
    return exitCodeOf(error);
  }
}

/** A default that says nothing (no, none, no bound, empty) is left out of the help. */
function describeOption(option: Option): string {
  const {defaultValue} = option;
  const saysNothing = [false, '', Number.POSITIVE_INFINITY].includes(defaultValue);
  const isEmpty = Array.isArray(defaultValue) && defaultValue.length === 0;
  const shown = saysNothing || isEmpty ? {defaultValue: undefined} : {};
  return Help.prototype.optionDescription(Object.assign(Object.create(option), shown));
}

/** Commander calls an argument of a command a command-argument. */
function plainer(text: string): string {
  return text.replace(
    /command-argument value ('.*') is invalid for argument '(.+?)'/,
    '$1 is no $2',
  );
}

function describe(error: unknown): string {
  if (isForestayError(error)) return `forestay: ${formatError(error)}`;
  const code = exitCodeOf(error);
  if (code !== EXIT.internal) return `forestay: ${(error as Error).message}`;
  const text = error instanceof Error ? error.stack : String(error);
  return `forestay: internal error, please report it\n${text}`;
}

// Whoever reads may stop reading: `forestay hosts list | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.done);
  throw error;
});
// A failed bind is told once, by us.
process.env.GRPC_VERBOSITY ??= 'NONE';
process.exitCode = await run(process.argv.slice(2));
