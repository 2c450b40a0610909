import type {Clock} from '../ports.ts';
import type {IngestLimits} from './ingest-limits.ts';

/** When the appenders of a process write what they have. */
export type Gathering = {
  /** So many bytes wait; `flush` is called when their time has come, if it is given. */
  add(bytes: number, flush?: () => void): void;
};

/**
 * Lets all appenders write at the same moment, at most once in `gatherMs`, or when `gatherBytesMax`
 * wait: with thousands of streams every append would else carry one record, and a write and a sync
 * of a file cost more than taking the record in. After a pause the first one goes in the same turn
 * of the event loop.
 */
export function createGathering(
  clock: Pick<Clock, 'monotonicMs' | 'sleep'>,
  {gatherMs, gatherBytesMax}: Pick<IngestLimits, 'gatherMs' | 'gatherBytesMax'>,
): Gathering {
  let waiting: (() => void)[] = [];
  let waitingBytes = 0;
  let ranAtMs = Number.NEGATIVE_INFINITY;
  let sleeping: AbortController | undefined;

  const run = () => {
    const flushes = waiting;
    waiting = [];
    waitingBytes = 0;
    ranAtMs = clock.monotonicMs();
    for (const flush of flushes) flush();
  };

  const begin = async () => {
    const restMs = ranAtMs + gatherMs - clock.monotonicMs();
    if (restMs > 0) {
      sleeping = new AbortController();
      if (waitingBytes < gatherBytesMax) await clock.sleep(restMs, sleeping.signal);
      sleeping = undefined;
    }
    setImmediate(run);
  };

  return {
    add(bytes, flush) {
      waitingBytes += bytes;
      if (flush !== undefined && waiting.push(flush) === 1) void begin();
      else if (waitingBytes >= gatherBytesMax) sleeping?.abort('enough');
    },
  };
}
