const bucketMs = 5_000;
const buckets = 12;

/** Counts by class over the last minute, in steps of five seconds. */
export type MinuteCounts<Class extends string> = {
  add(kind: Class, nowMs: number): void;
  perMinute(kind: Class, nowMs: number): number;
};

export function createMinuteCounts<Class extends string>(
  classes: readonly Class[],
): MinuteCounts<Class> {
  const counts = new Map(classes.map(kind => [kind, new Uint32Array(buckets)]));
  let newest = Number.NaN;
  const advance = (nowMs: number): number => {
    const bucket = Math.floor(nowMs / bucketMs);
    // A clock that went back a little counts on; one that jumped begins anew.
    if (!(Math.abs(bucket - newest) < buckets)) {
      for (const ring of counts.values()) ring.fill(0);
      newest = bucket;
    }
    for (; newest < bucket; newest++)
      for (const ring of counts.values()) ring[(newest + 1) % buckets] = 0;
    return newest % buckets;
  };
  return {
    add(kind, nowMs) {
      const ring = counts.get(kind) as Uint32Array;
      const index = advance(nowMs);
      ring[index] = (ring[index] as number) + 1;
    },
    perMinute(kind, nowMs) {
      advance(nowMs);
      return (counts.get(kind) as Uint32Array).reduce((sum, count) => sum + count, 0);
    },
  };
}
