/** Many seeds in a few processes. */
import {type ChildProcess, fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import type {Outcome} from './run.ts';

const WORKERS = 2;
const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** A seed takes about a second; one that hangs is a failure too. */
const SEED_MS = 60_000;

export type Campaign = {
  from: number;
  seeds: number;
  plant: string;
  /** Ends with the first seed that fails. */
  first: boolean;
  onProgress: (line: string) => void;
};

/** Runs the seeds and gives what came of each, in their order. */
export async function runCampaign(campaign: Campaign): Promise<Outcome[]> {
  const {from, seeds, plant, first, onProgress} = campaign;
  const outcomes: Outcome[] = [];
  let next = from;
  let failed = 0;
  const take = (): number | undefined => {
    const isOver = next >= from + seeds || (first && failed > 0);
    return isOver ? undefined : next++;
  };
  const done = (outcome: Outcome): void => {
    outcomes.push(outcome);
    if (outcome.violations.length > 0) {
      failed++;
      const {invariant, message} = outcome.violations[0] as Outcome['violations'][number];
      onProgress(`seed ${outcome.seed}: ${invariant}: ${message}\n`);
    }
    if (outcomes.length % 50 === 0) {
      onProgress(`${outcomes.length} of ${seeds} seeds, ${failed} failed\n`);
    }
  };
  await Promise.all(Array.from({length: WORKERS}, () => work(plant, take, done)));
  return outcomes.sort((a, b) => a.seed - b.seed);
}

async function work(
  plant: string,
  take: () => number | undefined,
  done: (outcome: Outcome) => void,
): Promise<void> {
  const worker = fork(WORKER, [plant], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  try {
    for (let seed = take(); seed !== undefined; seed = take()) done(await ask(worker, seed));
  } finally {
    worker.kill();
  }
}

function ask(worker: ChildProcess, seed: number): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const end = (act: () => void) => {
      clearTimeout(late);
      worker.off('message', answered);
      worker.off('exit', died);
      act();
    };
    const answered = (outcome: unknown) => end(() => resolve(outcome as Outcome));
    const died = () => end(() => reject(new Error(`the process of seed ${seed} died`)));
    const late = setTimeout(
      () => end(() => reject(new Error(`seed ${seed} took more than ${SEED_MS / 1000} s`))),
      SEED_MS,
    );
    worker.on('message', answered);
    worker.on('exit', died);
    worker.send(seed);
  });
}
