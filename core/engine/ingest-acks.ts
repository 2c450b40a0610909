import type {Clock} from '../ports.ts';

/** When the sessions of a process send the acks that they owe. */
export type AckPacer = {
  /** `send` is called once, at the end of this turn or when its turn has come: first come, first served. */
  queue(send: () => void): void;
};

const ROUND_MS = 10;

/**
 * Acks go at once up to so many a second over all streams; beyond that a stream waits for its turn,
 * and its one ack then says what has become durable meanwhile. An ack that carries one batch costs
 * a core as much as taking the batch in, and an edge can wait: it keeps what it has sent.
 */
export function createAckPacer(
  clock: Pick<Clock, 'monotonicMs' | 'sleep'>,
  acksPerSecondMax: number,
): AckPacer {
  const perRound = Math.max(1, (acksPerSecondMax * ROUND_MS) / 1000);
  const waiting: (() => void)[] = [];
  let roundAtMs = Number.NEGATIVE_INFINITY;
  let sent = 0;

  const rounds = async () => {
    while (waiting.length > 0) {
      await clock.sleep(Math.max(0, roundAtMs + ROUND_MS - clock.monotonicMs()));
      roundAtMs = clock.monotonicMs();
      const due = waiting.splice(0, perRound);
      sent = due.length;
      for (const send of due) send();
    }
  };

  return {
    queue(send) {
      const nowMs = clock.monotonicMs();
      if (waiting.length === 0 && nowMs - roundAtMs >= ROUND_MS) {
        roundAtMs = nowMs;
        sent = 0;
      }
      if (waiting.length === 0 && sent < perRound) {
        sent++;
        queueMicrotask(send);
      } else if (waiting.push(send) === 1) void rounds();
    },
  };
}
