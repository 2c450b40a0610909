/** The thread that runs the cases: a decoder that hangs or takes all memory does so here. */
import {parentPort, workerData} from 'node:worker_threads';
import {
  allTargets,
  type Failure,
  runCases,
  shareOf,
  type TargetReport,
  type Watcher,
} from './run.ts';

export type Work = {
  seed: string;
  cases: number;
  /** One of them, or all. */
  target: string | undefined;
  /** This case alone. */
  only: number | undefined;
  /** Two numbers, see VIEW: a decoder that hangs answers no message. */
  shared: SharedArrayBuffer;
};

/** Where in the shared numbers: the case that runs, and how many have failed so far. */
export const VIEW = {case: 0, failed: 1} as const;

export type Message =
  | {kind: 'begins'; target: string; cases: number}
  /** The first of all. */
  | {kind: 'fails'; target: string; failure: Failure}
  | {kind: 'ends'; target: string; report: TargetReport}
  | {kind: 'done'};

async function work({seed, cases, target, only, shared}: Work): Promise<void> {
  const tell = (message: Message) => parentPort?.postMessage(message);
  const view = new Int32Array(shared);
  const all = await allTargets();
  const chosen = all.filter(({name}) => target === undefined || name === target);
  for (const one of chosen) {
    const from = only ?? 0;
    const to = only === undefined ? shareOf(one, chosen, cases) : only + 1;
    const watcher: Watcher = {
      begins: number => void Atomics.store(view, VIEW.case, number),
      failed: failure => {
        if (Atomics.add(view, VIEW.failed, 1) === 0) {
          tell({kind: 'fails', target: one.name, failure});
        }
      },
    };
    watcher.begins(from);
    tell({kind: 'begins', target: one.name, cases: to - from});
    const report = await runCases(one, {seed, from, to}, watcher);
    tell({kind: 'ends', target: one.name, report});
  }
  tell({kind: 'done'});
}

if (parentPort !== null) await work(workerData as Work);
