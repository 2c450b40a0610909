/**
 * The command line of the tools that are no verb of forestay. `--help` is answered on stdout with
 * exit code 0; a wrong use with one line that says what is wrong and the usage, on stderr, with 2.
 */

export const EXIT_WRONG_USE = 2;
export const EXIT_STOPPED = 130;

/** What a user got wrong; the message is one line for them. */
export class WrongUse extends Error {}

/**
 * What `read` makes of the arguments, or nothing: then the user has been answered, and the exit
 * code is set. Passes on what is neither a `WrongUse` nor an error of node's `parseArgs`.
 */
export function readCommandLine<Flags>(
  usage: string,
  read: (args: string[]) => Flags,
  args: readonly string[] = process.argv.slice(2),
): Flags | undefined {
  if (args.some(arg => arg === '--help' || arg === '-h')) {
    process.stdout.write(usage);
    return undefined;
  }
  try {
    return read([...args]);
  } catch (error) {
    process.stderr.write(`${wrongUse(error)}\n\n${usage}`);
    process.exitCode = EXIT_WRONG_USE;
    return undefined;
  }
}

function wrongUse(error: unknown): string {
  if (error instanceof WrongUse) return error.message;
  const {code, message} = error as NodeJS.ErrnoException;
  // The first sentence says what is wrong; the others, how to write what nobody wants to.
  if (code?.startsWith('ERR_PARSE_ARGS')) return message.split(/\.\s/)[0] as string;
  throw error;
}

/**
 * A number of a command line. What is none is an error: a run of NaN cases finds nothing wrong.
 * Errors: `WrongUse` for what is not a whole number of at least `least`.
 */
export function wholeNumber(flag: string, text: string | undefined, least = 1): number {
  const number = text?.trim() ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new WrongUse(`${flag} ${text ?? ''}: expected a whole number of at least ${least}`);
}

/** Errors: `WrongUse` for what is not a number above 0. */
export function positiveNumber(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new WrongUse(`${flag} ${text}: expected a number above 0`);
}

/** Errors: `WrongUse` for a word that is not known; its message names those that are. */
export function knownWord<Word extends string>(
  flag: string,
  text: string,
  known: readonly Word[],
): Word {
  const word = known.find(one => one === text);
  if (word !== undefined) return word;
  throw new WrongUse(`${flag} ${text}: expected one of ${known.join(', ')}`);
}

/** Aborts when the user wants no more. Later signals (npm repeats them) change nothing. */
export function untilStopped(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  return stop.signal;
}
