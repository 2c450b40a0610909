/**
 * The order of one stream. Any core may take a stream, so what this process remembers is only a
 * help; the owner of the partition has the last word (marks.ts).
 *
 * Q1 A stream's first record may have any sequence: another core may have had the ones before.
 * Q2 After it, of one incarnation, only the successor is next.
 * Q3 Incarnations never go back.
 * Q4 What is durable, or was accepted on this stream already, is a repeat.
 */
type Verdict = 'next' | 'repeated' | 'gapped' | 'out-of-order';

/** Sequences `fromSeq` to `toSeq` of an incarnation; a batch has only one. */
export type Span = {incarnation: number; fromSeq: number; toSeq: number};

/** The last durable batch of an edge. */
export type DurableMark = {incarnation: number; seq: number};

export type Sequence = {
  judge(span: Span): Verdict;
  /** Moves on, over a span that was judged next. */
  advance(span: Span): void;
  /** What must come now; undefined before the first record. */
  expected(): DurableMark | undefined;
};

/** @param durable What this process knows to be durable, if anything. */
export function createSequence(durable: () => DurableMark | undefined): Sequence {
  let first: Span | undefined;
  let last: DurableMark | undefined;

  const isDurable = ({incarnation, toSeq}: Span): boolean => {
    const mark = durable();
    if (mark === undefined) return false;
    if (incarnation !== mark.incarnation) return incarnation < mark.incarnation;
    return toSeq <= mark.seq;
  };

  return {
    judge(span) {
      if (isDurable(span)) return 'repeated';
      if (first === undefined || last === undefined) return 'next';
      if (span.incarnation > last.incarnation) return 'next';
      if (span.incarnation < last.incarnation) return 'out-of-order';
      if (span.toSeq <= last.seq) {
        return span.fromSeq >= first.fromSeq ? 'repeated' : 'out-of-order';
      }
      return span.fromSeq > last.seq + 1 ? 'gapped' : 'next';
    },
    advance(span) {
      if (first?.incarnation !== span.incarnation) first = span;
      last = {incarnation: span.incarnation, seq: span.toSeq};
    },
    expected: () => last && {incarnation: last.incarnation, seq: last.seq + 1},
  };
}
