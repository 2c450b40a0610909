import type {Position} from './frame.ts';

/**
 * The newest batches of this life, in memory: while the core keeps up, nothing is read from disk.
 * Bounded; the oldest go first.
 */
export type Tail = {
  /** The last sequence that was given out; 0 before the first. */
  readonly lastSeq: number;
  push(body: Uint8Array): Position;
  /** The very next of this life, if it is here. */
  successor(position: Position): (Position & {body: Uint8Array}) | undefined;
  /** The first after `position` that is here. */
  after(position: Position): (Position & {body: Uint8Array}) | undefined;
  /** Forgets everything up to `acked`. */
  settle(acked: Position): void;
};

export function createTail(incarnation: number, bytesMax: number): Tail {
  const bodies = new Map<number, Uint8Array>();
  let firstSeq = 1;
  let lastSeq = 0;
  let bytes = 0;

  const dropFirst = (): void => {
    bytes -= bodies.get(firstSeq)?.length ?? 0;
    bodies.delete(firstSeq);
    firstSeq++;
  };
  const find = (seq: number): (Position & {body: Uint8Array}) | undefined => {
    const body = bodies.get(seq);
    return body && {incarnation, seq, body};
  };

  return {
    get lastSeq() {
      return lastSeq;
    },
    push(body) {
      lastSeq++;
      bodies.set(lastSeq, body);
      bytes += body.length;
      while (bytes > bytesMax && firstSeq < lastSeq) dropFirst();
      return {incarnation, seq: lastSeq};
    },
    successor: position =>
      position.incarnation === incarnation ? find(position.seq + 1) : undefined,
    after(position) {
      if (position.incarnation > incarnation) return undefined;
      const next = position.incarnation === incarnation ? position.seq + 1 : 1;
      return find(Math.max(next, firstSeq));
    },
    settle(acked) {
      if (acked.incarnation !== incarnation) return;
      while (firstSeq <= Math.min(acked.seq, lastSeq)) dropFirst();
    },
  };
}
