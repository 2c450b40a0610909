import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, rmSync} from 'node:fs';
import {setPriority} from 'node:os';
import {join} from 'node:path';
import {ForestayError, toErrorCode} from '../../core/domain/errors.ts';

/** What one training is of. */
export type TrainerJob = {
  /** File of examples. */
  readonly examples: string;
  /** Folder of the model to train on top of. */
  readonly parent: string;
  /** Folder that the artefact is written to; what lies there is removed first. */
  readonly out: string;
  readonly seed: number;
};

export type Trainer = {
  /**
   * @returns The folder of the artefact, once it is whole.
   * @throws {ForestayError} The code that the trainer itself gave; `TIMED_OUT` if it took too long or was
   *   stopped; `DEPENDENCY_UNREACHABLE` if it could not be started or died; `MODEL_UNREADABLE` if it ended
   *   well and wrote no model. Nothing is left in `out` then.
   */
  train(job: TrainerJob, signal: AbortSignal): Promise<{folder: string}>;
};

export type TrainerOptions = {
  /** Program and its first arguments, up to and with `--family` and its name. It ends with its channel. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly timeMsMax?: number;
  /** Between asking it to end and ending it. */
  readonly graceMs?: number;
};

const TIME_MS_MAX = 30 * 60_000;
const GRACE_MS = 5000;
/** Serving and acting go first on a machine that does both. */
const NICE = 10;
/** Of what it wrote to standard error, the last. */
const TAIL_LENGTH = 2000;
const FILES = ['model.onnx', 'manifest.json', 'golden.json'];

/** Trains in a process of its own, one a call; however it ends, none is left behind. */
export function createTrainer({
  command: [program, ...first],
  timeMsMax = TIME_MS_MAX,
  graceMs = GRACE_MS,
}: TrainerOptions): Trainer {
  return {
    async train({examples, parent, out, seed}, signal) {
      rmSync(out, {recursive: true, force: true});
      const more = ['--examples', examples, '--parent', parent, '--out', out];
      const args = [...first, ...more, '--seed', String(seed)];
      try {
        if (signal.aborted) throw stopped(signal);
        await run(program, args, signal, {timeMsMax, graceMs});
        const missing = FILES.filter(name => !existsSync(join(out, name)));
        if (missing.length > 0) throw wroteNothing(out, missing);
        return {folder: out};
      } catch (error) {
        rmSync(out, {recursive: true, force: true});
        throw error;
      }
    },
  };
}

type Limits = {readonly timeMsMax: number; readonly graceMs: number};

/** Resolves when the process has ended well; rejects after it has ended in any other way. */
async function run(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  {timeMsMax, graceMs}: Limits,
): Promise<void> {
  // By the channel it sees that nobody waits any more, however this process ended.
  const child = spawn(program, args, {stdio: ['ignore', 'ignore', 'pipe', 'ipc']});
  const tail = tailOf(child);
  let why: ForestayError | undefined;
  const timers: NodeJS.Timeout[] = [];
  const end = (error: ForestayError) => {
    if (why !== undefined) return;
    why = error;
    child.kill('SIGTERM');
    timers.push(setTimeout(() => child.kill('SIGKILL'), graceMs));
  };
  const onAbort = () => end(stopped(signal));
  signal.addEventListener('abort', onAbort, {once: true});
  timers.push(setTimeout(() => end(tookTooLong(timeMsMax, tail())), timeMsMax));
  try {
    const ended = await endOf(child);
    if (why !== undefined) throw why;
    if (ended !== '') throw died(ended, tail());
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** How it ended; empty: well. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', cause => {
      if (child.pid === undefined) reject(notStarted(child.spawnfile, cause));
    });
    child.once('spawn', () => {
      try {
        setPriority(child.pid as number, NICE);
      } catch {
        // It is gone already, or the system has no such thing.
      }
    });
    // After its standard error was read to the end.
    child.once('close', (code, signal) => {
      if (child.pid !== undefined) resolve(code === 0 ? '' : (signal ?? `exit code ${code}`));
    });
  });
}

function tailOf({stderr}: ChildProcess): () => string {
  let text = '';
  stderr?.setEncoding('utf8').on('data', (more: string) => {
    text = (text + more).slice(-TAIL_LENGTH);
  });
  return () => text.trim();
}

function stopped({reason}: AbortSignal): ForestayError {
  return new ForestayError('TIMED_OUT', `the training was stopped: ${reason}; try again later`, {
    retryable: true,
  });
}

function tookTooLong(timeMsMax: number, tail: string): ForestayError {
  return new ForestayError(
    'TIMED_OUT',
    `the training took longer than ${timeMsMax} ms and was stopped; give it more time, or fewer examples`,
    {retryable: true, details: {timeMsMax, tail}},
  );
}

function died(how: string, tail: string): ForestayError {
  const [, given, message] = /^(?:forestay: )?\[([A-Z_]+)\] (.*)$/m.exec(tail) ?? [];
  const code = toErrorCode(given);
  if (code !== undefined) {
    return new ForestayError(code, `the training failed: ${message}`, {details: {how, tail}});
  }
  return new ForestayError(
    'DEPENDENCY_UNREACHABLE',
    `the training died (${how}): ${tail.split('\n').at(-1) || 'it said nothing'}; try again, and look at ` +
      'the memory and the disk of this machine if it dies again',
    {retryable: true, details: {how, tail}},
  );
}

function notStarted(program: string, cause: Error): ForestayError {
  return new ForestayError(
    'DEPENDENCY_UNREACHABLE',
    `cannot start a training: ${program} does not run; check where forestay is installed`,
    {details: {program}, cause},
  );
}

function wroteNothing(out: string, missing: readonly string[]): ForestayError {
  return new ForestayError(
    'MODEL_UNREADABLE',
    `the training ended well, but ${missing.join(', ')} are not in ${out}; check the disk`,
    {details: {out, missing: missing.join(', ')}},
  );
}
