/**
 * The partitions that this process owns: a runtime for each one that the log hands over, another one
 * when it fails, none once it is gone.
 */
import {formatError, isForestayError} from '../domain/errors.ts';
import {publish} from '../events.ts';
import type {OwnershipHandler} from '../ports.ts';
import {PartitionRuntime, type RuntimeOptions} from './partition-runtime.ts';
import type {PartitionState} from './partition-state.ts';

export type OwnerOptions = Omit<RuntimeOptions, 'partition'> & {
  /** Told of what stops a partition; the others go on. */
  onProblem: (partition: number, problem: string) => void;
};

/** A partition that failed is tried again this much later at most, doubled up to the bound. */
const RETRY_MS = 500;
const RETRY_MS_MAX = 30_000;
/**
 * A partition that another core took while the log still says that it is ours is claimed again after
 * this long: a log that shares out anew says so sooner.
 */
const RECLAIM_MS = 15_000;

export class PartitionOwner {
  readonly #options: OwnerOptions;
  readonly #runtimes = new Map<number, PartitionRuntime>();
  /** Partitions that recover, and the hand-over (not a former one) that they recover for. */
  readonly #starting = new Map<number, {sinceMs: number}>();
  /** Partitions that another core took, although nobody said that they are not ours. */
  readonly #superseded = new Map<number, object>();
  readonly #restarts = new Set<Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(options: OwnerOptions) {
    this.#options = options;
  }

  handler(): OwnershipHandler {
    return {
      assigned: partition => this.#start(partition),
      revoking: partition => this.#handBack(partition),
      lost: partition => {
        this.#superseded.delete(partition);
        this.#starting.delete(partition);
        this.#runtimes.delete(partition);
      },
    };
  }

  /** Those that have recovered. */
  runtimes(): PartitionRuntime[] {
    return [...this.#runtimes.values()];
  }

  /** Undefined while it is not owned here, or recovers. */
  stateOf(partition: number): PartitionState | undefined {
    return this.#runtimes.get(partition)?.state;
  }

  /** Whether a partition was handed over and is not gone: it is stepped here, or recovers. */
  owns(partition: number): boolean {
    return this.#runtimes.has(partition) || this.#starting.has(partition);
  }

  /** True once every partition that was handed over so far has recovered. */
  ready(): boolean {
    return this.#starting.size === 0;
  }

  /** How far a partition is behind its telemetry, or how long it has been recovering. */
  lagMs(partition: number): number {
    const recovering = this.#starting.get(partition);
    if (recovering === undefined) return this.#runtimes.get(partition)?.lagMs() ?? 0;
    return this.#options.clock.monotonicMs() - recovering.sinceMs;
  }

  /** Whether this very runtime is in use: it has not failed, and its partition is still ours. */
  holds(runtime: PartitionRuntime): boolean {
    return this.#runtimes.get(runtime.state.partition) === runtime;
  }

  /** Works on one; if it fails it is dropped, and recovered if it is still ours. */
  async attempt(
    runtime: PartitionRuntime,
    work: (runtime: PartitionRuntime) => Promise<void>,
  ): Promise<void> {
    await work(runtime).catch(error => this.#drop(runtime, error));
  }

  /** Gives up what is still recovering. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#restarts);
  }

  async #start(partition: number): Promise<void> {
    const {clock, random, onProblem} = this.#options;
    const {signal} = this.#stopped;
    const handOver = {sinceMs: clock.monotonicMs()};
    this.#superseded.delete(partition);
    this.#starting.set(partition, handOver);
    const isOurs = () => this.#starting.get(partition) === handOver && !signal.aborted;
    const attempt = async (): Promise<boolean> => {
      try {
        const runtime = await PartitionRuntime.start({...this.#options, partition});
        if (!isOurs()) return true;
        this.#starting.delete(partition);
        this.#runtimes.set(partition, runtime);
        return true;
      } catch (error) {
        if (!isForestayError(error)) throw error;
        onProblem(partition, formatError(error));
        return false;
      }
    };
    const retry = async (): Promise<void> => {
      for (let waitMs = RETRY_MS; isOurs(); waitMs *= 2) {
        await clock.sleep(random.next() * Math.min(waitMs, RETRY_MS_MAX), signal);
        if (isOurs() && (await attempt())) return;
      }
    };
    if (await attempt()) return;
    // The others are served meanwhile; the core is not ready until this one is.
    const restart = retry().finally(() => this.#restarts.delete(restart));
    this.#restarts.add(restart);
  }

  /** R2: what was not made durable is recovered from the log. */
  #drop(runtime: PartitionRuntime, error: unknown): void {
    if (!isForestayError(error)) throw error;
    // Its ticks and its calls may both fail, and it may be gone already.
    if (!this.holds(runtime)) return;
    const {partition} = runtime.state;
    this.#runtimes.delete(partition);
    this.#options.onProblem(partition, formatError(error));
    if (error.code === 'EPOCH_SUPERSEDED') {
      publish('epoch.superseded', {partition, epoch: Number(error.details.epoch ?? 0)});
      this.#reclaim(partition);
      return;
    }
    const restart = this.#start(partition).finally(() => this.#restarts.delete(restart));
    this.#restarts.add(restart);
  }

  /** Not fought for; but without this, one that two shared out in haste might have no owner at all. */
  #reclaim(partition: number): void {
    const {clock, random} = this.#options;
    const claim = {};
    this.#superseded.set(partition, claim);
    const isOurs = () => this.#superseded.get(partition) === claim && !this.#stopped.signal.aborted;
    const waitMs = RECLAIM_MS * (1 + random.next());
    const restart = clock
      .sleep(waitMs, this.#stopped.signal)
      .then(() => (isOurs() ? this.#start(partition) : undefined))
      .finally(() => this.#restarts.delete(restart));
    this.#restarts.add(restart);
  }

  async #handBack(partition: number): Promise<void> {
    const runtime = this.#runtimes.get(partition);
    this.#superseded.delete(partition);
    this.#starting.delete(partition);
    this.#runtimes.delete(partition);
    try {
      await runtime?.stop();
    } catch (error) {
      // The next owner recovers from an older checkpoint.
      if (!isForestayError(error)) throw error;
      this.#options.onProblem(partition, formatError(error));
    }
  }
}
