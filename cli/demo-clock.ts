import type {Clock} from '../core/ports.ts';

export type VirtualClock = Clock & {
  /** Moves time forward; sleepers whose time has come wake up. */
  moveTo(ms: number): void;
};

/** Virtual time: it stands still until it is moved, whatever the machine is doing. */
export function createVirtualClock(startMs: number): VirtualClock {
  let nowMs = startMs;
  const sleepers = new Set<{dueMs: number; wake: () => void}>();
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) return resolve();
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper = {dueMs: nowMs + ms, wake};
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, {once: true});
      }),
    moveTo(ms) {
      nowMs = Math.max(nowMs, ms);
      for (const {dueMs, wake} of sleepers) if (dueMs <= nowMs) wake();
    },
  };
}
