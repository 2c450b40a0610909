/**
 * How long an actor waits before it stops waiting, where the event that began the wait does not
 * say so itself. Deadlines are numbers in the context; the engine's timer wheel sends
 * `deadline.passed`.
 */
export const timing = {
  /** After a move, a return or a restart: nothing is decided for this long. */
  probationMs: 60_000,
  cordonMs: 30_000,
  fenceMs: 60_000,
  evacuationMs: 30 * 60_000,
  /** A cancelled migration has this long to say where the VM is. */
  cancelMs: 30_000,
  trafficMs: 30_000,
  activateMs: 30_000,
  failBackMs: 120_000,
  retireMs: 60_000,
  /** Pause before a failed shift of traffic is tried again. */
  retryMs: 2_000,
  /** After {@link attemptsMax} failures an actor rests this long, then may try again. */
  restMs: 5 * 60_000,
  /** A ghost whose primary has not returned by then is the VM from now on. */
  adoptMs: 24 * 60 * 60_000,
} as const;

export const attemptsMax = 3;
