/**
 * How far each edge's batches have been taken, so that a batch that is in the log twice is taken
 * once. Owner and recorder use the same rule:
 *
 * M1 Of an (edge, cell, incarnation) only the successor of its mark is taken.
 * M2 Without a mark the first sequence seen is taken: the reader began in the middle.
 * M3 Edges send older incarnations first: once a newer one was seen, an older one is a repeat.
 * M4 Where records are missing from the log nobody knows whose they were: of every edge the next
 *    one that is newer is taken, else its successors would be left out for ever.
 */
export type Mark = {
  edge: string;
  cell: string;
  incarnation: number;
  seq: number;
  /** M4. */
  loose?: true;
};

/** `next`: take it. `repeated`: it was taken before. `gapped`: one before it is missing. */
export type MarkVerdict = 'next' | 'repeated' | 'gapped';

export type Marks = {
  /** Moves the mark to `seq` if the verdict is `next`. */
  take(edge: string, cell: string, incarnation: number, seq: number): MarkVerdict;
  /** A gap record: sequences `fromSeq` to `toSeq` will never come. Moves the mark over them. */
  skip(
    edge: string,
    cell: string,
    incarnation: number,
    fromSeq: number,
    toSeq: number,
  ): MarkVerdict;
  /** The newest life of an edge that was seen; 0: none was. */
  newestLife(edge: string, cell: string): number;
  /** Records are missing here (M4). */
  loosen(): void;
  /** Everything, in canonical order: equal states give equal lists. */
  entries(): readonly Mark[];
};

export function createMarks(initial: readonly Mark[] = []): Marks {
  const marks = new Map<string, Mark>();
  for (const mark of initial) marks.set(keyOf(mark.edge, mark.cell), {...mark});

  const skip: Marks['skip'] = (edge, cell, incarnation, fromSeq, toSeq) => {
    const key = keyOf(edge, cell);
    const mark = marks.get(key);
    if (mark === undefined || incarnation > mark.incarnation) {
      marks.set(key, {edge, cell, incarnation, seq: toSeq});
      return 'next';
    }
    if (incarnation < mark.incarnation || toSeq <= mark.seq) return 'repeated';
    if (fromSeq > mark.seq + 1 && mark.loose === undefined) return 'gapped';
    mark.seq = toSeq;
    delete mark.loose;
    return 'next';
  };

  return {
    take: (edge, cell, incarnation, seq) => skip(edge, cell, incarnation, seq, seq),
    skip,
    newestLife: (edge, cell) => marks.get(keyOf(edge, cell))?.incarnation ?? 0,
    loosen() {
      for (const mark of marks.values()) mark.loose = true;
    },
    entries: () =>
      [...marks.keys()]
        .sort()
        .map(key => marks.get(key) as Mark)
        .map(mark => ({...mark})),
  };
}

/** Names hold no line feed, so no two pairs share a key. */
const keyOf = (edge: string, cell: string): string => `${cell}\n${edge}`;
