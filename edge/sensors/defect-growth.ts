const dayMs = 86_400_000;
const keptMs = 7 * dayMs;
/** Between two points that are kept: 168 in seven days. */
const spacingMs = 3_600_000;
const drivesMax = 512;

type Point = [atMs: number, defects: number];

/** How fast drives get worse, by what this agent has seen of them. */
export type DefectGrowth = {
  /**
   * New defects of a drive a day: its growth since the oldest reading of the last seven days, over
   * that time but at least a day, so that one defect in the first hours is one a day. NaN until it
   * was watched for an hour. A count that fell (a drive replaced under the same name) starts anew.
   */
  perDay(drive: string, defects: number, nowMs: number): number;
  /** All points, to be kept. */
  points(): Record<string, Point[]>;
};

/** `kept` is what `points` gave, unchecked. */
export function createDefectGrowth(kept?: unknown): DefectGrowth {
  const drives = new Map(Object.entries(kept ?? {}).map(([name, list]) => [name, pointsOf(list)]));
  return {
    perDay(drive, defects, nowMs) {
      if (Number.isNaN(defects)) return Number.NaN;
      let points = (drives.get(drive) ?? []).filter(
        ([atMs, earlier]) => Math.abs(nowMs - atMs) <= keptMs && earlier <= defects,
      );
      const last = points.at(-1);
      if (last === undefined || nowMs - last[0] >= spacingMs)
        points = [...points, [nowMs, defects]];
      drives.delete(drive);
      drives.set(drive, points);
      if (drives.size > drivesMax) drives.delete(drives.keys().next().value as string);
      const [firstMs, first] = points[0] as Point;
      const watchedMs = nowMs - firstMs;
      if (watchedMs < spacingMs) return Number.NaN;
      return ((defects - first) / Math.max(dayMs, watchedMs)) * dayMs;
    },
    points: () => Object.fromEntries(drives),
  };
}

function pointsOf(list: unknown): Point[] {
  if (!Array.isArray(list)) return [];
  return list.filter(
    (point): point is Point =>
      Array.isArray(point) && point.length === 2 && point.every(Number.isFinite),
  );
}
