/**
 * The real services of the tests, from the command line:
 *
 *     node test/services/start.ts kafka                        prints the address, runs until SIGINT
 *     node test/services/start.ts kafka questdb -- npm test    runs a command against them
 *
 * A command finds them through FORESTAY_TEST_KAFKA and FORESTAY_TEST_QUESTDB.
 */
import {spawn} from 'node:child_process';
import {startKafka} from './kafka.ts';
import {startQuestDb} from './questdb.ts';

export {startKafka, startQuestDb};

export type ServiceName = 'kafka' | 'questdb';
export type Service = {address: string; stop(): Promise<void>};

/** The variable that tells a test where a service runs already. */
export const serviceVariable: Readonly<Record<ServiceName, string>> = {
  kafka: 'FORESTAY_TEST_KAFKA',
  questdb: 'FORESTAY_TEST_QUESTDB',
};

/** Starts a service by name. Takes a few seconds; the first time, a download. */
export async function startService(name: ServiceName): Promise<Service> {
  if (name === 'kafka') {
    const {brokers, stop} = await startKafka();
    return {address: brokers.join(','), stop};
  }
  const {httpAddress, stop} = await startQuestDb();
  return {address: httpAddress, stop};
}

async function main(args: readonly string[]): Promise<number> {
  const split = args.includes('--') ? args.indexOf('--') : args.length;
  const names = args.slice(0, split);
  const command = args.slice(split + 1);
  const unknown = names.find(name => !(name in serviceVariable));
  if (names.length === 0 || unknown !== undefined) {
    console.error('usage: node test/services/start.ts kafka|questdb … [-- COMMAND …]');
    return 2;
  }
  const asked = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => asked.abort());

  const started: Service[] = [];
  const env: NodeJS.ProcessEnv = {...process.env};
  try {
    for (const name of names as ServiceName[]) {
      const service = await startService(name);
      started.push(service);
      env[serviceVariable[name]] = service.address;
      if (command.length === 0) console.log(service.address);
      else console.error(`${name} answers on ${service.address}`);
      if (asked.signal.aborted) return 130;
    }
    return command.length === 0 ? await idle(asked.signal) : await run(command, env, asked.signal);
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

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
