import type {Clock} from '../../edge/ports.ts';

export type ManualClock = Clock & {
  /** Moves time on, waking sleepers in order, each with everything it does at once. */
  advance(ms: number): Promise<void>;
  /** A machine that did nothing for a while: only then do sleepers wake. */
  stall(ms: number): Promise<void>;
};

/** Time that stands still until it is moved. */
export function manualClock(startMs = 1_000_000): ManualClock {
  let nowMs = startMs;
  let sleepers: {dueMs: number; wake: () => void}[] = [];
  const wakeDue = async (): Promise<void> => {
    const due = sleepers.filter(({dueMs}) => dueMs <= nowMs);
    sleepers = sleepers.filter(({dueMs}) => dueMs > nowMs);
    for (const {wake} of due) wake();
    await settle();
  };
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise(resolve => {
        if (signal?.aborted) {
          resolve();
          return;
        }
        sleepers.push({dueMs: nowMs + ms, wake: resolve});
        signal?.addEventListener('abort', () => resolve(), {once: true});
      }),
    async advance(ms) {
      await settle();
      const untilMs = nowMs + ms;
      for (;;) {
        const nextMs = Math.min(...sleepers.map(({dueMs}) => dueMs));
        if (nextMs > untilMs) break;
        nowMs = Math.max(nowMs, nextMs);
        await wakeDue();
      }
      nowMs = untilMs;
      await settle();
    },
    async stall(ms) {
      await settle();
      nowMs += ms;
      await wakeDue();
    },
  };
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve));
}
