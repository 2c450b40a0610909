/**
 * How unlike all that a stream has shown before its newest values are: distances of its last few
 * values to the most similar runs of values in its past. It needs no model of what is usual: what
 * was seen often enough is.
 *
 * N1. A run and the past runs it is compared with have no value in common.
 * N2. The distance is that to the k-th nearest run, so that what happened less than k times
 *     before is still new.
 * N3. The past is the latest `historySamples` values; older ones are forgotten at the latest when
 *     as many again have come.
 *
 * @see V. Ishimtsev et al., "Conformal k-NN Anomaly Detector for Univariate Data Streams", COPA
 *   2017: distances of short runs to their neighbours in the past.
 */

export type NoveltyOptions = {
  /** Lengths of the runs, ascending. */
  readonly runs: readonly number[];
  /** The k of the k-th nearest. */
  readonly neighbours: number;
  readonly historySamples: number;
};

/**
 * A function that takes the next value, a finite one, and gives the distance of each run length;
 * NaN while there are too few past runs. The array is the same at every call.
 *
 * Cost O(historySamples · longest run) a value at worst; a past run is left as soon as it is too
 * far for every length, which makes it about two values each. Memory 16 bytes × historySamples.
 */
export function createNovelty({runs, neighbours, historySamples}: NoveltyOptions) {
  const values = new Float64Array(2 * historySamples);
  const distances = new Float64Array(runs.length);
  // Squares of the nearest distances, ascending, `neighbours` a run length.
  const nearest = new Float64Array(runs.length * neighbours);
  const longest = runs.at(-1) as number;
  let count = 0;

  function compare(last: number): void {
    const farthest = nearest.length - 1;
    for (let end = last - (runs[0] as number); end >= 0; end--) {
      const reach = Math.min(longest, last - end, end + 1);
      let square = 0;
      let compared = 0;
      for (let run = 0; run < runs.length; run++) {
        const length = runs[run] as number;
        if (length > reach) break;
        for (; compared < length; compared++) {
          const difference =
            (values[last - compared] as number) - (values[end - compared] as number);
          square += difference * difference;
        }
        insert(run, square);
        // Longer runs are farther, so the bound of the longest is the largest.
        if (square >= (nearest[farthest] as number)) break;
      }
      if (nearest[farthest] === 0) break;
    }
  }

  function insert(run: number, square: number): void {
    const first = run * neighbours;
    let place = first + neighbours - 1;
    if (square >= (nearest[place] as number)) return;
    while (place > first && (nearest[place - 1] as number) > square) {
      nearest[place] = nearest[place - 1] as number;
      place--;
    }
    nearest[place] = square;
  }

  return (value: number): Float64Array => {
    if (count === values.length) {
      values.copyWithin(0, historySamples);
      count = historySamples;
    }
    values[count++] = value;
    nearest.fill(Number.POSITIVE_INFINITY);
    compare(count - 1);
    for (let run = 0; run < runs.length; run++) {
      const square = nearest[(run + 1) * neighbours - 1] as number;
      distances[run] = square === Number.POSITIVE_INFINITY ? Number.NaN : Math.sqrt(square);
    }
    return distances;
  };
}
