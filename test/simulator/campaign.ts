/** Many seeds in a few processes. */
import {type ChildProcess, fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import type {Outcome} from './run.ts';

export const WORKERS = 2;
/** What killed processes wait for is never given back, about 30 MB a seed: a worker does so many. */
const WORKER_SEEDS = 20;
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** A seed takes about a second of an idle machine; one that has no end is a failure too. */
const SEED_MS = 5 * 60_000;

export type Campaign = {
  from: number;
  seeds: number;
  plant: string;
  /** Begins no more seeds once one has failed. */
  first: boolean;
  onDone: (outcome: Outcome) => void;
  /** Ends it, at once: seeds under way are given up. */
  stop: AbortSignal;
};

/** Runs the seeds and gives what came of each that was done, in their order. */
export async function runCampaign(campaign: Campaign): Promise<Outcome[]> {
  const {from, seeds, plant, first, onDone, stop} = campaign;
  const outcomes: Outcome[] = [];
  let next = from;
  let failed = 0;
  const take = (): number | undefined => {
    const isOver = next >= from + seeds || (first && failed > 0) || stop.aborted;
    return isOver ? undefined : next++;
  };
  const done = (outcome: Outcome): void => {
    outcomes.push(outcome);
    if (outcome.violations.length > 0) failed++;
    onDone(outcome);
  };
  await Promise.all(Array.from({length: WORKERS}, () => work(plant, take, done, stop)));
  return outcomes.sort((a, b) => a.seed - b.seed);
}

async function work(
  plant: string,
  take: () => number | undefined,
  done: (outcome: Outcome) => void,
  stop: AbortSignal,
): Promise<void> {
  let worker = hire(plant);
  const dismiss = () => void worker.kill('SIGKILL');
  stop.addEventListener('abort', dismiss);
  let seeds = 0;
  for (let seed = take(); seed !== undefined; seed = take()) {
    const outcome = await ask(worker, seed);
    if (stop.aborted) return;
    if (typeof outcome === 'string' || ++seeds % WORKER_SEEDS === 0) {
      dismiss();
      worker = hire(plant);
    }
    done(typeof outcome === 'string' ? withoutEnd(seed, outcome) : outcome);
  }
  stop.removeEventListener('abort', dismiss);
  worker.disconnect();
}

function hire(plant: string): ChildProcess {
  return fork(WORKER, [plant], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // Counting covered lines makes seeds take twice as long; other tests cover these.
    env: {...process.env, NODE_V8_COVERAGE: undefined},
  });
}

/** What came of a seed, or why nothing did. */
function ask(worker: ChildProcess, seed: number): Promise<Outcome | string> {
  return new Promise(resolve => {
    const end = (outcome: Outcome | string) => {
      clearTimeout(late);
      worker.off('message', answered);
      worker.off('exit', died);
      resolve(outcome);
    };
    const answered = (outcome: unknown) => end(outcome as Outcome);
    const died = () => end('its process died');
    const late = setTimeout(() => end(`no end after ${SEED_MS / 1000} s`), SEED_MS);
    worker.on('message', answered);
    worker.on('exit', died);
    worker.send(seed);
  });
}

function withoutEnd(seed: number, message: string): Outcome {
  const violation = {invariant: 'S16', message, atMs: 0} as const;
  return {seed, violations: [violation], trace: '', checks: 0, faults: 0, virtualMs: 0};
}
