/**
 * The real services of the tests, from the command line:
 *
 *     node test/services/start.ts kafka                        until SIGINT
 *     node test/services/start.ts kafka questdb -- npm test    for a command, and as long as it runs
 *
 * Their addresses are FORESTAY_TEST_KAFKA and FORESTAY_TEST_QUESTDB: in a command's environment,
 * else as lines on stdout.
 */
import {spawn} from 'node:child_process';
import {ForestayError, formatError, isForestayError} from '../../core/domain/errors.ts';
import {
  EXIT_STOPPED,
  knownWord,
  readCommandLine,
  untilStopped,
  WrongUse,
} from '../support/command-line.ts';
import {missingTool} from './jars.ts';
import {startKafka} from './kafka.ts';
import {startQuestDb} from './questdb.ts';

export {startKafka, startQuestDb};

const USAGE = `usage: node test/services/start.ts kafka|questdb … [-- COMMAND …]

Starts them on loopback, until Ctrl-C or the end of the command. Their addresses are
FORESTAY_TEST_KAFKA and FORESTAY_TEST_QUESTDB: lines on stdout, or the command's environment.
`;

export type ServiceName = 'kafka' | 'questdb';
export type Service = {address: string; stop(): Promise<void>};

/** The variable that tells a test where a service runs already. */
export const serviceVariable: Readonly<Record<ServiceName, string>> = {
  kafka: 'FORESTAY_TEST_KAFKA',
  questdb: 'FORESTAY_TEST_QUESTDB',
};

/**
 * Starts a service by name. Takes a few seconds; the first time, a download.
 * Errors: `DEPENDENCY_UNREACHABLE` when Java or Maven is not there, or Maven cannot fetch it.
 */
export async function startService(name: ServiceName): Promise<Service> {
  const missing = missingTool(name);
  if (missing !== undefined) {
    throw new ForestayError(
      'DEPENDENCY_UNREACHABLE',
      `cannot start ${name}: ${missing}, ` +
        `or set ${serviceVariable[name]} to the address of one that runs`,
    );
  }
  if (name === 'kafka') {
    const {brokers, stop} = await startKafka();
    return {address: brokers.join(','), stop};
  }
  const {httpAddress, stop} = await startQuestDb();
  return {address: httpAddress, stop};
}

/** Where the command begins, or the end. */
const splitOf = (args: readonly string[]): number =>
  args.includes('--') ? args.indexOf('--') : args.length;

type Flags = {names: readonly ServiceName[]; command: readonly string[]};

function parse(args: readonly string[]): Flags {
  const split = splitOf(args);
  const names = args.slice(0, split);
  const command = args.slice(split + 1);
  if (names.length === 0) throw new WrongUse('which service?');
  const known = Object.keys(serviceVariable) as ServiceName[];
  return {names: names.map(name => knownWord('service', name, known)), command};
}

async function main({names, command}: Flags): Promise<number> {
  const asked = untilStopped();
  const started: Service[] = [];
  const env: NodeJS.ProcessEnv = {...process.env};
  try {
    for (const name of names) {
      const service = await startService(name);
      started.push(service);
      env[serviceVariable[name]] = service.address;
      if (command.length === 0) console.log(`${serviceVariable[name]}=${service.address}`);
      else console.error(`${name} answers on ${service.address}`);
      if (asked.aborted) return EXIT_STOPPED;
    }
    if (command.length > 0) return await run(command, env, asked);
    console.error(`${names.join(' and ')} ${names.length > 1 ? 'run' : 'runs'} until Ctrl-C`);
    return await idle(asked);
  } finally {
    for (const service of started) await service.stop();
  }
}

function idle(asked: AbortSignal): Promise<number> {
  return new Promise(resolve => {
    const timer = setInterval(() => {}, 60_000);
    asked.addEventListener('abort', () => {
      clearInterval(timer);
      resolve(0);
    });
  });
}

function run(
  [program, ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  asked: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program as string, args, {env, stdio: 'inherit'});
    asked.addEventListener('abort', () => child.kill('SIGTERM'));
    child.once('error', reject);
    child.once('exit', code => resolve(code ?? 1));
  });
}

if (import.meta.main) {
  // What follows the first -- is the command's own: its --help, too.
  const own = process.argv.slice(2);
  const flags = readCommandLine(USAGE, () => parse(own), own.slice(0, splitOf(own)));
  try {
    if (flags !== undefined) process.exitCode = await main(flags);
  } catch (error) {
    if (!isForestayError(error)) throw error;
    console.error(formatError(error));
    process.exitCode = 1;
  }
}
