/** The command as a test calls it. */
import {fileURLToPath} from 'node:url';
import {type Ran, runTool} from '../support/tool.ts';
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

export function runSimulator(...args: readonly string[]): Promise<Ran> {
  return runTool(MAIN, args);
}
