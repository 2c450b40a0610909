/**
 * The owner of partitions: starts a runtime for each one that the log hands over, steps them all at
 * the tick rate, and lets go of what it lost.
 */
import {formatError, isForestayError} from '../domain/errors.ts';
import {publish} from '../events.ts';
import type {Membership, OwnershipHandler} from '../ports.ts';
import {PartitionRuntime, type RuntimeOptions} from './partition-runtime.ts';

export type EngineOptions = Omit<RuntimeOptions, 'partition'> & {
  tickMs: number;
  /** How often agents are asked after effects that are under way. */
  pollMs: number;
  /** Told of what stops a partition; the engine itself goes on. */
  onProblem: (partition: number, problem: string) => void;
};

export type Engine = {
  /** Partitions that are owned and have recovered. */
  runtimes(): readonly PartitionRuntime[];
  /** True once every partition that was handed over so far has recovered. */
  ready(): boolean;
  /** One tick of every partition, in order, at a time that the caller gives. */
  stepAll(nowMs: number): Promise<void>;
  /** Ticks by the clock until {@link Engine.stop}. */
  run(): void;
  stop(): Promise<void>;
};

/** A partition that failed is tried again this much later, doubled each time up to the bound. */
const RETRY_MS = 500;
const RETRY_MS_MAX = 30_000;

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const {clock} = options;
  const runtimes = new Map<number, PartitionRuntime>();
  const starting = new Set<number>();
  const stopped = new AbortController();
  const loops: Promise<void>[] = [];

  const start = async (partition: number): Promise<void> => {
    starting.add(partition);
    for (let waitMs = RETRY_MS; starting.has(partition) && !stopped.signal.aborted; waitMs *= 2) {
      try {
        const runtime = await PartitionRuntime.start({...options, partition});
        if (starting.delete(partition)) runtimes.set(partition, runtime);
        return;
      } catch (error) {
        if (!isForestayError(error)) throw error;
        options.onProblem(partition, formatError(error));
        await clock.sleep(Math.min(waitMs, RETRY_MS_MAX), stopped.signal);
      }
    }
  };

  /** R2: what was not made durable is recovered from the log, if the partition is still ours. */
  const drop = (partition: number, error: unknown): void => {
    if (!isForestayError(error)) throw error;
    runtimes.delete(partition);
    options.onProblem(partition, formatError(error));
    if (error.code === 'EPOCH_SUPERSEDED') {
      publish('epoch.superseded', {partition, epoch: Number(error.details.epoch ?? 0)});
    } else {
      loops.push(start(partition));
    }
  };

  const handler: OwnershipHandler = {
    assigned: start,
    async revoking(partition) {
      const runtime = runtimes.get(partition);
      starting.delete(partition);
      runtimes.delete(partition);
      await runtime?.stop();
    },
    lost(partition) {
      starting.delete(partition);
      runtimes.delete(partition);
    },
  };

  const each = async (work: (runtime: PartitionRuntime) => Promise<void>): Promise<void> => {
    await Promise.all(
      [...runtimes].map(([partition, runtime]) =>
        work(runtime).catch(error => drop(partition, error)),
      ),
    );
  };

  const every = async (ms: number, work: () => Promise<void>): Promise<void> => {
    while (!stopped.signal.aborted) {
      const startedMs = clock.monotonicMs();
      await work();
      await clock.sleep(Math.max(0, ms - (clock.monotonicMs() - startedMs)), stopped.signal);
    }
  };

  const membership: Membership = await options.log.own(handler);
  return {
    runtimes: () => [...runtimes.values()],
    ready: () => starting.size === 0,
    async stepAll(nowMs) {
      for (const runtime of runtimes.values()) {
        await runtime.executor.poll();
        await runtime.step(nowMs);
        await runtime.settled();
      }
    },
    run() {
      loops.push(every(options.tickMs, () => each(runtime => runtime.step(clock.nowMs()))));
      loops.push(every(options.pollMs, () => each(runtime => runtime.executor.poll())));
    },
    async stop() {
      stopped.abort();
      await Promise.all(loops);
      await membership.leave();
      runtimes.clear();
    },
  };
}
