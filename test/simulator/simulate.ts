/** The command as a test calls it. */
import {spawn} from 'node:child_process';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import type {Result} from './result.ts';

export const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

export type Simulated = Result & {code: number};

/** Runs seeds from this one on in processes of their own. */
export async function simulate(
  from: number,
  {seeds = 1, plant = '', first = false}: {seeds?: number; plant?: string; first?: boolean} = {},
): Promise<Simulated> {
  const which = seeds === 1 ? ['--seed', from] : ['--from', from, '--seeds', seeds];
  const options = [...(plant === '' ? [] : ['--plant', plant]), ...(first ? ['--first'] : [])];
  const {code, stdout, stderr} = await runSimulator(...which.map(String), ...options, '-o', 'json');
  try {
    return {...(JSON.parse(stdout) as Omit<Simulated, 'code'>), code};
  } catch (cause) {
    throw new Error(`the simulator ended with ${code}: ${stderr.slice(-2_000)}`, {cause});
  }
}

export async function runSimulator(...args: readonly string[]) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args]);
  const exit = new Promise<number>(resolve => child.on('close', code => resolve(code ?? -1)));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return {code: await exit, stdout, stderr};
}
