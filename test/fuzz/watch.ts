/** Watches the thread that runs the cases: each must end in time, and memory must stay bounded. */
import {Worker} from 'node:worker_threads';
import type {Failure, TargetReport} from './run.ts';
import {type Message, VIEW, type Work} from './worker.ts';

/** No input of 64 KiB may take longer, on a loaded machine either. */
const caseMsMax = 20_000;
const residentBytesMax = 1024 * 2 ** 20;
const heapMebibytesMax = 512;
const watchEveryMs = 500;

export type Watched = {
  /** Of the targets that are through. */
  reports: ReadonlyMap<string, TargetReport>;
  /** Cases begun, of the target that was under way too. */
  cases: number;
  failed: number;
  residentBytes: number;
  /** What ended the thread before its time. */
  died?: string;
};

export type Watch = {
  /** So far. */
  so(): {done: number; failed: number};
  /** Resolves when all cases were run, the thread is dead, or `stop` aborts. */
  end: Promise<Watched>;
};

export function watch(
  work: Omit<Work, 'shared'>,
  {stop, onFailure}: {stop: AbortSignal; onFailure: (target: string, first: Failure) => void},
): Watch {
  const shared = new SharedArrayBuffer(8);
  const view = new Int32Array(shared);
  const reports = new Map<string, TargetReport>();
  let running = {target: 'none', cases: 0};
  let residentBytes = 0;
  const so = () => {
    const through = [...reports.values()].reduce((sum, {cases}) => sum + cases, 0);
    const begun = running.cases === 0 ? 0 : Atomics.load(view, VIEW.case) - (work.only ?? 0) + 1;
    return {done: through + begun, failed: Atomics.load(view, VIEW.failed)};
  };
  const where = () => `target ${running.target}, case ${Atomics.load(view, VIEW.case)}`;
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: {...work, shared},
    resourceLimits: {maxOldGenerationSizeMb: heapMebibytesMax},
  });
  const end = new Promise<Watched>(resolve => {
    let [last, sinceMs] = ['', performance.now()];
    const finish = (died?: string) => {
      clearInterval(timer);
      const {done: cases, failed} = so();
      resolve({reports, cases, failed, residentBytes, ...(died === undefined ? {} : {died})});
      void worker.terminate();
    };
    const timer = setInterval(() => {
      residentBytes = Math.max(residentBytes, process.memoryUsage.rss());
      if (where() !== last) [last, sinceMs] = [where(), performance.now()];
      if (performance.now() - sinceMs > caseMsMax) finish(`hangs at ${where()}`);
      if (residentBytes > residentBytesMax) finish(`takes too much memory at ${where()}`);
    }, watchEveryMs);
    stop.addEventListener('abort', () => finish());
    worker.on('message', (message: Message) => {
      if (message.kind === 'begins') running = message;
      if (message.kind === 'fails') onFailure(message.target, message.failure);
      if (message.kind === 'ends') {
        reports.set(message.target, message.report);
        running = {target: 'none', cases: 0};
      }
      if (message.kind === 'done') finish();
    });
    worker.once('error', error => finish(`${where()}: ${error}`));
    worker.once('exit', code => finish(`worker ended with ${code} at ${where()}`));
  });
  return {so, end};
}
