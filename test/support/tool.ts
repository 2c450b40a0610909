/** A tool as its users call it. */
import {spawn} from 'node:child_process';
import {text} from 'node:stream/consumers';

export type Ran = {code: number; stdout: string; stderr: string};

/** Runs a program of this repository to its end, and that of all that could write to its streams. */
export async function runTool(
  main: string,
  args: readonly string[] = [],
  {env = {}, onStarted}: {env?: NodeJS.ProcessEnv; onStarted?: (pid: number) => void} = {},
): Promise<Ran> {
  const flags = ['--disable-warning=ExperimentalWarning', main, ...args];
  const child = spawn(process.execPath, flags, {env: {...process.env, ...env}});
  // The first line of stderr says that it has begun.
  if (onStarted !== undefined) child.stderr.once('data', () => onStarted(child.pid as number));
  const exit = new Promise<number>(resolve => child.on('close', code => resolve(code ?? -1)));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return {code: await exit, stdout, stderr};
}
