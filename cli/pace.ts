import {systemClock} from '../core/adapters/clock-system.ts';

/** A run that could not keep up, or stood still, makes up for this much; the rest is forgotten. */
const BEHIND_MS_MAX = 5_000;

/** Holds steps of `stepMs` virtual milliseconds back to `speed` times as fast as life. */
export function createPace(
  stepMs: number,
  speed: number,
  signal?: AbortSignal,
): () => Promise<void> {
  if (!Number.isFinite(speed)) return async () => {};
  let dueMs = systemClock.monotonicMs();
  return async () => {
    const nowMs = systemClock.monotonicMs();
    dueMs = Math.max(dueMs + stepMs / speed, nowMs - BEHIND_MS_MAX);
    if (dueMs - nowMs > 1) await systemClock.sleep(dueMs - nowMs, signal);
  };
}
