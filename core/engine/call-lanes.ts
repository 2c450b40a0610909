/**
 * Calls to agents that run beside the ticks: in order within a lane, side by side between lanes. An
 * agent that does not answer holds up its own lane and nothing else.
 */
export type CallLanes = {
  /** Runs a call after those of its lane; false, and nothing done, when too many are waiting. */
  run(lane: string, call: () => Promise<void>): boolean;
  /** Throws what a call failed with, once. */
  check(): void;
  /** Resolves when nothing is under way. */
  drained(): Promise<void>;
};

export function createCallLanes(waitingMax: number): CallLanes {
  const lanes = new Map<string, Promise<void>>();
  const failures: unknown[] = [];
  let waiting = 0;

  const guarded = async (call: () => Promise<void>): Promise<void> => {
    try {
      await call();
    } catch (error) {
      if (failures.length === 0) failures.push(error);
    } finally {
      waiting--;
    }
  };

  return {
    run(lane, call) {
      if (waiting >= waitingMax) return false;
      waiting++;
      const before = lanes.get(lane) ?? Promise.resolve();
      const turn = before
        .then(() => guarded(call))
        .then(() => {
          if (lanes.get(lane) === turn) lanes.delete(lane);
        });
      lanes.set(lane, turn);
      return true;
    },
    check() {
      const failure = failures.pop();
      if (failure !== undefined) throw failure;
    },
    async drained() {
      while (lanes.size > 0) await Promise.all(lanes.values());
    },
  };
}
