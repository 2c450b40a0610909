import type {Clock} from '../ports.ts';

/** An agent lets its VMs run only while it holds a lease. */
export type Lease = {
  /** Starts or extends the lease, counted from now. */
  renew(leaseMs: number): void;
  stop(): void;
};

/**
 * The VMs are stopped when this part of the lease has passed, so that they are down before it
 * ends; the owner waits for the whole lease and a margin before it takes the host for lost.
 */
const usedPart = 0.8;

/** A driver that could not stop them is asked again, until it can or the lease is renewed. */
const againMs = 1_000;

/**
 * Calls `expired` when a lease is not renewed in time; a later renewal starts anew. Nothing
 * happens before the first lease: a core that never grants one asks for no watchdog.
 */
export function createLease(clock: Clock, expired: () => Promise<void>): Lease {
  const over = new AbortController();
  let endsAtMs = 0;
  let isWatched = false;

  const watch = async (): Promise<void> => {
    for (;;) {
      const leftMs = endsAtMs - clock.monotonicMs();
      if (leftMs > 0) await clock.sleep(leftMs, over.signal);
      else if (await succeeds(expired)) break;
      else await clock.sleep(againMs, over.signal);
      if (over.signal.aborted) break;
    }
    isWatched = false;
  };

  return {
    renew(leaseMs) {
      endsAtMs = clock.monotonicMs() + leaseMs * usedPart;
      if (isWatched || over.signal.aborted) return;
      isWatched = true;
      void watch();
    },
    stop: () => over.abort(),
  };
}

async function succeeds(act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch {
    return false;
  }
}
