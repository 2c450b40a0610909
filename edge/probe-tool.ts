import {type ChildProcess, spawn} from 'node:child_process';
import {setPriority} from 'node:os';
import {ForestayError} from '../core/domain/errors.ts';

export type ToolAnswer = {text: string; exitCode: number};

/** A program of the host that is asked now and then. */
export type Tool = {
  /**
   * What it prints, and its exit code, whatever that is.
   * Errors: `SENSOR_FAILED` when it cannot be started, prints too much, takes too long (it is
   * killed then), or when it was killed before and is still there.
   */
  run(args: readonly string[], signal: AbortSignal): Promise<ToolAnswer>;
};

export type ToolLimits = {deadlineMs: number; bytesMax: number};

const usualLimits: ToolLimits = {deadlineMs: 10_000, bytesMax: 1024 * 1024};
/** So long after the kill it counts as stuck in the kernel. */
const graceMs = 1_000;
const niceness = 10;

export function createTool(path: string, limits: Partial<ToolLimits> = {}): Tool {
  const {deadlineMs, bytesMax} = {...usualLimits, ...limits};
  // A process in uninterruptible sleep outlives its kill: it must not get company each period.
  const alive = new Set<string>();
  return {
    run(args, signal) {
      const call = [path, ...args].join(' ');
      if (alive.has(call)) return Promise.reject(failure(`${call} was killed and still hangs`));
      return new Promise((resolve, reject) => {
        const child = startTool(path, args);
        alive.add(call);
        const chunks: Buffer[] = [];
        let bytes = 0;
        let refusal: ForestayError | undefined;
        let giveUp: NodeJS.Timeout | undefined;
        const kill = (error: ForestayError): void => {
          if (refusal !== undefined) return;
          refusal = error;
          killTool(child);
          giveUp = setTimeout(() => settle(() => reject(error)), graceMs);
        };
        const tooLong = (): void => kill(failure(`${call} took more than ${deadlineMs} ms`));
        const deadline = setTimeout(tooLong, deadlineMs);
        const close = (): void => kill(failure(`${call} was stopped`));
        const settle = (answer: () => void): void => {
          clearTimeout(deadline);
          clearTimeout(giveUp);
          signal.removeEventListener('abort', close);
          child.stdout?.destroy();
          answer();
        };
        child.stdout?.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > bytesMax) kill(failure(`${call} printed more than ${bytesMax} bytes`));
          else chunks.push(chunk);
        });
        child.on('error', cause => {
          alive.delete(call);
          settle(() => reject(failure(`cannot run ${call}`, cause)));
        });
        // What it printed may arrive after it exited; `close` waits for both.
        child.on('exit', () => alive.delete(call));
        child.on('close', code => {
          const text = Buffer.concat(chunks).toString('utf8');
          settle(() => (refusal ? reject(refusal) : resolve({text, exitCode: code ?? -1})));
        });
        if (signal.aborted) close();
        else signal.addEventListener('abort', close, {once: true});
      });
    },
  };
}

/** In a process group of its own, so that it goes with whatever it has started; a polite guest. */
export function startTool(path: string, args: readonly string[]): ChildProcess {
  const env = {PATH: process.env.PATH, LC_ALL: 'C'};
  const child = spawn(path, args, {stdio: ['ignore', 'pipe', 'ignore'], detached: true, env});
  try {
    if (child.pid !== undefined) setPriority(child.pid, niceness);
  } catch {
    // Gone already, or not allowed: it runs as it is.
  }
  return child;
}

export function killTool({pid}: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}

function failure(message: string, cause?: unknown): ForestayError {
  return new ForestayError('SENSOR_FAILED', message, {retryable: true, cause});
}
