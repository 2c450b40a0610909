/**
 * Bytes that were accepted and are not yet durable. A stream that has too many, or that adds to a
 * total that is too high, is not read until both have fallen to half their bound.
 */
import type {IngestLimits} from './ingest-limits.ts';

/** A stream that can be paused. */
type PausableSession = {
  readonly pendingBytes: number;
  readonly stream: {pause(): void; resume(): void};
};

export type Pressure = {
  /** Bytes were accepted (positive) or settled (negative). */
  account(session: PausableSession, bytes: number): void;
  /** The session is over: it is not resumed any more. */
  closed(session: PausableSession): void;
  /** Resolves when nothing is pending. */
  drained(): Promise<void>;
};

export function createPressure({
  streamBytesMax,
  totalBytesMax,
}: Pick<IngestLimits, 'streamBytesMax' | 'totalBytesMax'>): Pressure {
  const paused = new Set<PausableSession>();
  let totalBytes = 0;
  let whenDrained: (() => void)[] = [];

  const pauseIfFull = (session: PausableSession) => {
    if (session.pendingBytes <= streamBytesMax && totalBytes <= totalBytesMax) return;
    if (paused.has(session)) return;
    paused.add(session);
    session.stream.pause();
  };

  const resumeWhatMay = () => {
    if (totalBytes > totalBytesMax / 2) return;
    for (const session of paused) {
      if (session.pendingBytes > streamBytesMax / 2) continue;
      paused.delete(session);
      session.stream.resume();
    }
  };

  return {
    account(session, bytes) {
      totalBytes += bytes;
      if (bytes > 0) return pauseIfFull(session);
      resumeWhatMay();
      if (totalBytes > 0) return;
      for (const resolve of whenDrained) resolve();
      whenDrained = [];
    },
    closed(session) {
      paused.delete(session);
    },
    drained() {
      if (totalBytes === 0) return Promise.resolve();
      return new Promise(resolve => whenDrained.push(resolve));
    },
  };
}
