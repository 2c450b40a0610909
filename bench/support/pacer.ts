/**
 * Says how many messages are due, in a thread of its own: a timer on the sender's event loop is
 * late exactly when the sender is. It sleeps in `Atomics.wait`, and wakes the sender at most once a
 * millisecond.
 */
import {parentPort, workerData} from 'node:worker_threads';
import {dueMs, type Load} from './load.ts';

export type PacerData = {
  load: Load;
  /** Epoch milliseconds of message 0. */
  startMs: number;
  endMs: number;
  /** [messages due, 1 while the sender has not looked]. */
  shared: SharedArrayBuffer;
};

const {load, startMs, endMs, shared} = workerData as PacerData;
const state = new Int32Array(shared);
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const nowMs = () => performance.timeOrigin + performance.now();
const perMs = 1 / Math.max(dueMs(load, load.edges) / load.edges, Number.EPSILON);

let due = 0;
for (let now = nowMs(); now < endMs; now = nowMs()) {
  const elapsedMs = now - startMs;
  // Due times are regular, so that the next one is near the count by rate; herds come at once.
  due = Math.max(due, Math.floor(elapsedMs * perMs) - load.edges);
  while (dueMs(load, due) <= elapsedMs) due++;
  if (due > (state[0] as number)) {
    Atomics.store(state, 0, due);
    if (Atomics.exchange(state, 1, 1) === 0) parentPort?.postMessage(null);
  }
  const restMs = startMs + dueMs(load, due) - nowMs();
  Atomics.wait(sleeper, 0, 0, Math.max(1, restMs));
}
parentPort?.postMessage('ended');
