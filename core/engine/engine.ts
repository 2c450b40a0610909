/**
 * The owner of partitions: starts a runtime for each one that the log hands over, steps each at the
 * tick rate, and lets go of what it lost.
 */
import {type OwnerOptions, PartitionOwner} from './partition-owner.ts';
import type {PartitionRuntime} from './partition-runtime.ts';
import type {PartitionState} from './partition-state.ts';

export type EngineOptions = OwnerOptions & {
  /** How often agents are asked after effects that are under way. */
  pollMs: number;
};

export type Engine = {
  /** Partitions that are owned and have recovered. */
  runtimes(): readonly PartitionRuntime[];
  /**
   * How far the owner of a partition is behind its telemetry, in milliseconds; 0 for those that are
   * not owned here.
   */
  lagMs(partition: number): number;
  /** The state of a partition that is owned here and has recovered. */
  stateOf(partition: number): PartitionState | undefined;
  /** Whether a partition is owned here, recovered or not. */
  owns(partition: number): boolean;
  /** True once every partition that was handed over so far has recovered. */
  ready(): boolean;
  /** One tick of every partition, in order, at a time that the caller gives. */
  stepAll(nowMs: number): Promise<void>;
  /** Ticks by the clock until {@link Engine.stop}. */
  run(): void;
  stop(): Promise<void>;
};

type Work = (runtime: PartitionRuntime) => Promise<void>;

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const {clock, tickMs, pollMs} = options;
  const owner = new PartitionOwner(options);
  const stopped = new AbortController();
  const loops: Promise<void>[] = [];

  /** One that is slow, or writes a checkpoint, keeps only itself waiting. */
  const each = async (runtime: PartitionRuntime, ms: number, work: Work): Promise<void> => {
    while (!stopped.signal.aborted && owner.holds(runtime)) {
      const startedMs = clock.monotonicMs();
      await owner.attempt(runtime, work);
      const nowMs = clock.monotonicMs();
      // In step with the others where it can be: ticks of one moment share a commit of the log.
      const restMs = nowMs - startedMs >= ms ? 0 : ms - (nowMs % ms);
      await clock.sleep(restMs, stopped.signal);
    }
  };
  const every = async (ms: number, work: Work): Promise<void> => {
    const running = new Map<PartitionRuntime, Promise<void>>();
    while (!stopped.signal.aborted) {
      for (const runtime of owner.runtimes()) {
        if (running.has(runtime)) continue;
        running.set(
          runtime,
          each(runtime, ms, work).finally(() => running.delete(runtime)),
        );
      }
      await clock.sleep(ms, stopped.signal);
    }
    await Promise.all(running.values());
  };

  const membership = await options.log.own(owner.handler());
  return {
    runtimes: () => owner.runtimes(),
    lagMs: partition => owner.lagMs(partition),
    stateOf: partition => owner.stateOf(partition),
    owns: partition => owner.owns(partition),
    ready: () => owner.ready(),
    async stepAll(nowMs) {
      for (const runtime of owner.runtimes()) {
        await runtime.executor.poll();
        await runtime.step(nowMs);
        await runtime.settled();
      }
    },
    run() {
      loops.push(every(tickMs, runtime => runtime.step(clock.nowMs())));
      loops.push(every(pollMs, runtime => runtime.executor.poll()));
    },
    async stop() {
      stopped.abort();
      await Promise.all(loops);
      await owner.stop();
      await membership.leave();
    },
  };
}
