import {Worker} from 'node:worker_threads';
import type {WatchReply, WatchRequest, WatchSettings} from '../../workers/watch-task.ts';
import type {AnomalyReport} from '../domain/anomaly/fleet-watch.ts';
import {ForestayError} from '../domain/errors.ts';
import type {Watch} from '../ports.ts';

/** What a leak would end at: 500 kinds of 0.7 MB and 10,000 hosts of 8 KB are a quarter of it. */
const MEMORY_MB_MAX = 2048;

type Waiting = {resolve(report: AnomalyReport): void; reject(error: Error): void};

/**
 * Watches in a thread of its own, which starts with the first rows. If it ends, what it has not
 * answered fails with `SCORER_FAILED`, and the next rows begin with a new one.
 */
export function createWatchThread(settings: WatchSettings): Watch {
  let worker: Worker | undefined;
  let isClosed = false;
  let nextId = 0;
  const waiting = new Map<number, Waiting>();

  const ended = (of: Worker, cause?: unknown): void => {
    if (worker !== of) return;
    worker = undefined;
    for (const {reject} of waiting.values()) reject(watchEnded(cause));
    waiting.clear();
  };

  const start = (): Worker => {
    const started = new Worker(new URL('../../workers/watch-anomalies.ts', import.meta.url), {
      workerData: settings,
      resourceLimits: {maxOldGenerationSizeMb: MEMORY_MB_MAX},
    });
    started.on('message', ({id, report}: WatchReply) => {
      waiting.get(id)?.resolve(report);
      waiting.delete(id);
    });
    started.on('error', cause => ended(started, cause));
    started.on('exit', () => ended(started));
    return started;
  };

  return {
    observe: rows =>
      new Promise((resolve, reject) => {
        if (isClosed) {
          reject(watchEnded());
          return;
        }
        worker ??= start();
        const id = nextId++;
        waiting.set(id, {resolve, reject});
        worker.postMessage({id, rows} satisfies WatchRequest);
      }),
    async close() {
      isClosed = true;
      const last = worker;
      if (last === undefined) return;
      ended(last);
      await last.terminate();
    },
  };
}

function watchEnded(cause?: unknown): ForestayError {
  return new ForestayError(
    'SCORER_FAILED',
    'the thread that watches for anomalies has ended; it begins anew with the next minute',
    {retryable: true, cause},
  );
}
