/**
 * The way from streams into one partition of the telemetry topic. Records that arrive within the
 * time of gathering, and those that wait for an append to end, share the next one.
 */
import {ForestayError, isDefect} from '../domain/errors.ts';
import type {Log} from '../ports.ts';
import type {Gathering} from './ingest-gathering.ts';
import type {IngestLimits} from './ingest-limits.ts';

/** A record on its way. */
export type Entry = {
  readonly bytes: Uint8Array;
  /** False when nobody waits for it any more: it is left out. */
  isWanted(): boolean;
  /** Called once, in the order of the pushes; `error` if it is not known to be durable. */
  settle(error: ForestayError | undefined): void;
};

export type Appender = {push(entry: Entry): void};

export function createAppender(
  log: Pick<Log, 'append'>,
  partition: number,
  limits: Pick<IngestLimits, 'appendBytesMax' | 'appendsInFlightMax'>,
  gathering: Gathering,
): Appender {
  const queue: Entry[] = [];
  let inFlight = 0;
  let flushing = false;
  /** Settled up to here: a later append may end first, and must wait to say so. */
  let order: Promise<void> = Promise.resolve();

  const flush = () => {
    flushing = false;
    while (inFlight < limits.appendsInFlightMax && queue.length > 0) {
      const group = takeGroup(queue, limits.appendBytesMax);
      if (group.length === 0) continue;
      inFlight++;
      order = settleAfter(order, append(group), group);
    }
  };

  const append = async (group: readonly Entry[]): Promise<ForestayError | undefined> => {
    try {
      const values = group.map(({bytes}) => bytes);
      await log.append('telemetry', partition, values);
      return undefined;
    } catch (cause) {
      return appendError(cause, partition, group.length);
    } finally {
      inFlight--;
      if (queue.length > 0) gather(0);
    }
  };

  const gather = (bytes: number) => {
    gathering.add(bytes, flushing ? undefined : flush);
    flushing = true;
  };

  return {
    push(entry) {
      queue.push(entry);
      gather(entry.bytes.length);
    },
  };
}

async function settleAfter(
  before: Promise<void>,
  appended: Promise<ForestayError | undefined>,
  group: readonly Entry[],
): Promise<void> {
  await before;
  const error = await appended;
  for (const entry of group) entry.settle(error);
}

/** The oldest entries that fit, at least one; those nobody waits for are settled on the way. */
function takeGroup(queue: Entry[], bytesMax: number): Entry[] {
  const group: Entry[] = [];
  let bytes = 0;
  let taken = 0;
  for (const entry of queue) {
    if (group.length > 0 && bytes + entry.bytes.length > bytesMax) break;
    taken++;
    if (!entry.isWanted()) {
      entry.settle(new ForestayError('LOG_APPEND_FAILED', 'an append before it failed'));
      continue;
    }
    group.push(entry);
    bytes += entry.bytes.length;
  }
  queue.splice(0, taken);
  return group;
}

function appendError(cause: unknown, partition: number, records: number): ForestayError {
  if (cause instanceof ForestayError) return cause;
  if (isDefect(cause)) throw cause;
  return new ForestayError(
    'LOG_APPEND_FAILED',
    `cannot append ${records} records to telemetry partition ${partition}; send them again`,
    {retryable: true, details: {partition, records}, cause},
  );
}
