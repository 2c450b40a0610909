import type {Random} from './ports.ts';

/** Something slow that runs beside the sampling loop, which only ever sees its last answer. */
export type Probe<Answer> = {
  /** The last answer, undefined once it is older than three periods; starts a run when one is due. */
  read(nowMs: number): Answer | undefined;
  /** Throws what failed since the last call, once, so that a failed run is one count. */
  rethrow(): void;
  close(): void;
};

export type Run = {
  /** Aborts when the probe is closed. */
  readonly signal: AbortSignal;
  /** When the run was started. */
  readonly atMs: number;
  /** Counts a part that failed, while the others are still worth an answer. */
  failed(error: unknown): void;
};

/** Older answers say nothing of now. */
const periodsKept = 3;
/** Hosts that were started together must not ask their tools together. */
const jitter = 0.1;

/**
 * Runs `run` every `periodMs`, give or take a tenth; never two at once: a run that takes longer
 * delays the next. Time is that of `read`.
 */
export function createProbe<Answer>(
  periodMs: number,
  random: Random,
  run: (run: Run) => Promise<Answer>,
): Probe<Answer> {
  const stopping = new AbortController();
  let last: {answer: Answer; atMs: number} | undefined;
  let failure: {error: unknown} | undefined;
  let isRunning = false;
  let startedMs = Number.NEGATIVE_INFINITY;
  let waitMs = 0;

  const failed = (error: unknown): void => {
    if (!stopping.signal.aborted) failure ??= {error};
  };
  const start = async (atMs: number): Promise<void> => {
    try {
      last = {answer: await run({signal: stopping.signal, atMs, failed}), atMs};
    } catch (error) {
      failed(error);
    } finally {
      isRunning = false;
    }
  };

  return {
    read(nowMs) {
      const isDue = !(Math.abs(nowMs - startedMs) < waitMs);
      if (isDue && !isRunning && !stopping.signal.aborted) {
        isRunning = true;
        startedMs = nowMs;
        waitMs = periodMs * (1 - jitter + 2 * jitter * random.next());
        void start(nowMs);
      }
      if (last !== undefined && Math.abs(nowMs - last.atMs) > periodsKept * periodMs)
        last = undefined;
      return last?.answer;
    },
    rethrow() {
      const thrown = failure;
      failure = undefined;
      if (thrown !== undefined) throw thrown.error;
    },
    close() {
      stopping.abort();
    },
  };
}
