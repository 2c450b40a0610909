import {constants, setPriority} from 'node:os';
import {parentPort, workerData} from 'node:worker_threads';
import {FleetWatch} from '../core/domain/anomaly/fleet-watch.ts';
import type {WatchReply, WatchRequest, WatchSettings} from './watch-task.ts';

/** Watches in a thread of its own: learning takes up to a second, and nobody waits for it. */
function serve(port: NonNullable<typeof parentPort>): void {
  // There a thread has its own priority; elsewhere it would be the whole process's.
  if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  const watch = new FleetWatch(workerData as WatchSettings);
  port.on('message', ({id, rows}: WatchRequest) => {
    port.postMessage({id, report: watch.observe(rows)} satisfies WatchReply);
  });
}

if (parentPort !== null) serve(parentPort);
