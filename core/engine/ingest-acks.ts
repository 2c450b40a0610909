import type {Clock} from '../ports.ts';

/** When the sessions of a process send the acks that they owe. */
export type AckPacer = {
  /** `send` is called once, at the end of this turn or when its turn has come: first come, first served. */
  queue(send: () => void): void;
};

const ROUND_MS = 10;
/** What was not used is kept for so long: a busy turn of the event loop is made up for. */
const SAVED_MS = 500;

/**
 * Acks go at once up to so many a second over all streams; beyond that a stream waits for its turn,
 * and its one ack then says what has become durable meanwhile. An ack that carries one batch costs
 * a core as much as taking the batch in, and an edge can wait: it keeps what it has sent.
 */
export function createAckPacer(
  clock: Pick<Clock, 'monotonicMs' | 'sleep'>,
  acksPerSecondMax: number,
): AckPacer {
  const roomMax = Math.max(1, (acksPerSecondMax * SAVED_MS) / 1000);
  let waiting: (() => void)[] = [];
  let room = roomMax;
  let filledAtMs = clock.monotonicMs();

  const fill = () => {
    const nowMs = clock.monotonicMs();
    if (nowMs > filledAtMs) {
      room = Math.min(roomMax, room + ((nowMs - filledAtMs) * acksPerSecondMax) / 1000);
    }
    filledAtMs = nowMs;
  };

  const rounds = async () => {
    while (waiting.length > 0) {
      await clock.sleep(ROUND_MS);
      fill();
      const due = waiting.slice(0, Math.floor(room));
      waiting = waiting.slice(due.length);
      room -= due.length;
      for (const send of due) send();
    }
  };

  return {
    queue(send) {
      if (waiting.length > 0) {
        waiting.push(send);
        return;
      }
      fill();
      if (room >= 1) {
        room--;
        queueMicrotask(send);
        return;
      }
      waiting.push(send);
      void rounds();
    },
  };
}
