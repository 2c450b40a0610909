/** Work that is awaited only so long, and work of which only so much is under way at once. */

/** The part of a clock that a deadline is made of. */
type Sleeper = {
  /** Resolves after `ms`, or at once when `signal` aborts (never rejects). */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
};

/**
 * Waits for `work`, but no longer than `ms`; says whether it is done. What came too late goes on,
 * and if it fails then, nobody hears of it here; an earlier failure is thrown. Leaves no timer.
 */
export async function within(clock: Sleeper, ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([
      work.then(() => true),
      clock.sleep(ms, over.signal).then(() => false),
    ]);
  } finally {
    // A reason of its own: the default one is an error with a stack, at every tick.
    over.abort('over');
  }
}

/**
 * Does `work` for each item in order, for at most `atOnceMax` of them at a time. After a failure
 * nothing more is begun, and it is thrown once what was begun is over.
 */
export async function eachAtOnce<Item>(
  items: Iterable<Item>,
  atOnceMax: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  let next = 0;
  const worker = async (): Promise<void> => {
    try {
      while (next < waiting.length) await work(waiting[next++] as Item);
    } catch (error) {
      next = waiting.length;
      throw error;
    }
  };
  const workers = Array.from({length: Math.min(atOnceMax, waiting.length)}, worker);
  const failed = (await Promise.allSettled(workers)).find(({status}) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
