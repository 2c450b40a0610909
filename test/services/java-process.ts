import {type ChildProcess, spawn} from 'node:child_process';
import {closeSync, openSync, readFileSync, rmSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {setTimeout as sleep} from 'node:timers/promises';

const startMsMax = 120_000;
const stopMsMax = 15_000;
const pollMs = 200;

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export type JavaProcess = {
  stop(): Promise<void>;
  /** SIGKILL; its directory stays for the next one. */
  kill(): Promise<void>;
};

/**
 * Starts a Java program and waits until `ready` says yes. `directory` is its own: the program's
 * output goes to `output.log` there, and it is removed by `stop`. If this process ends first, so
 * does the program.
 */
export async function startJava(options: {
  name: string;
  args: readonly string[];
  directory: string;
  ready: () => Promise<boolean>;
}): Promise<JavaProcess> {
  const {name, directory} = options;
  const output = join(directory, 'output.log');
  const file = openSync(output, 'a');
  const child = spawn('java', options.args, {cwd: directory, stdio: ['ignore', file, file]});
  closeSync(file);
  child.unref();
  const abandon = (): void => {
    child.kill('SIGKILL');
    rmSync(directory, {recursive: true, force: true});
  };
  process.once('exit', abandon);

  const stop = async (): Promise<void> => {
    await end(child);
    process.off('exit', abandon);
    rmSync(directory, {recursive: true, force: true});
  };
  const kill = async (): Promise<void> => {
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
    if (child.kill('SIGKILL')) await ended;
    process.off('exit', abandon);
  };
  const startedAt = performance.now();
  while (!(await options.ready())) {
    const waitedMs = performance.now() - startedAt;
    if (child.exitCode !== null || waitedMs > startMsMax) {
      const tail = readFileSync(output, 'utf8').split('\n').slice(-20).join('\n');
      await stop();
      throw new Error(`${name} did not answer within ${Math.round(waitedMs)} ms:\n${tail}`);
    }
    await sleep(pollMs);
  }
  return {stop, kill};
}

/** Runs a Java program to its end. What it says is told only if that is not a good one. */
export async function runJava(directory: string, args: readonly string[]): Promise<void> {
  const child = spawn('java', args, {cwd: directory, stdio: ['ignore', 'ignore', 'pipe']});
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [code, said] = await Promise.all([ended, text(child.stderr)]);
  if (code !== 0) throw new Error(`java ${args.join(' ')} ended with ${code}: ${said}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
  await ended;
  clearTimeout(timer);
}
