/**
 * The score of the Numenta Anomaly Benchmark: early detections inside labelled windows earn,
 * detections outside of them cost a little, missed windows cost much.
 *
 * @see A. Lavin, S. Ahmad, "Evaluating Real-Time Anomaly Detection Algorithms: the Numenta Anomaly
 *   Benchmark", ICMLA 2015, section II.
 */

/** Weights of a detection inside, a detection outside, and a window without any. */
export type NabProfile = {
  readonly detection: number;
  readonly falseAlarm: number;
  readonly missed: number;
};

export const NAB_STANDARD: NabProfile = {detection: 1, falseAlarm: 0.11, missed: 1};

/** Scores of one recording, and its labelled windows as first and last row, ascending. */
export type NabSeries = {
  readonly scores: ArrayLike<number>;
  readonly windows: readonly (readonly [first: number, last: number])[];
};

/** Share of a recording's rows that is not judged, up to this many rows of the longest. */
const UNJUDGED_SHARE = 0.15;
const UNJUDGED_LENGTH_MAX = 5000;

/** What one row brings if it is taken for a detection; of a window only the best row counts. */
type Point = {readonly score: number; readonly value: number; readonly window: number};

/**
 * Score of all recordings together when every row at or above `threshold` is a detection: 100 is
 * the earliest detection in each window and no other, 0 no detection at all, less is possible.
 * Without any window it is NaN. Cost O(rows).
 */
export function scoreAt(
  series: readonly NabSeries[],
  threshold: number,
  profile: NabProfile = NAB_STANDARD,
): number {
  const {points, windows} = judge(series, profile);
  const best = new Float64Array(windows).fill(-profile.missed);
  let total = 0;
  for (const {score, value, window} of points) {
    if (!(score >= threshold)) continue;
    if (window < 0) total += value;
    else if (value > (best[window] as number)) best[window] = value;
  }
  for (const value of best) total += value;
  return normalise(total, windows, profile);
}

/**
 * The best score that one threshold for all recordings reaches, and that threshold; above every
 * score (Infinity) where no detection at all is best. Cost O(rows log rows).
 */
export function scoreAtBest(
  series: readonly NabSeries[],
  profile: NabProfile = NAB_STANDARD,
): {readonly score: number; readonly threshold: number} {
  const {points, windows} = judge(series, profile);
  points.sort((a, b) => b.score - a.score);
  const best = new Float64Array(windows).fill(-profile.missed);
  let total = -profile.missed * windows;
  let highest = {total, threshold: Number.POSITIVE_INFINITY};
  for (const [index, {score, value, window}] of points.entries()) {
    if (window < 0) {
      total += value;
    } else if (value > (best[window] as number)) {
      total += value - (best[window] as number);
      best[window] = value;
    }
    const isLastOfScore = points[index + 1]?.score !== score;
    if (isLastOfScore && total > highest.total) highest = {total, threshold: score};
  }
  return {score: normalise(highest.total, windows, profile), threshold: highest.threshold};
}

function normalise(total: number, windows: number, profile: NabProfile): number {
  const none = -profile.missed * windows;
  return (100 * (total - none)) / (profile.detection * windows - none);
}

/** Judged rows of all recordings; windows are numbered through, those never judged left out. */
function judge(series: readonly NabSeries[], profile: NabProfile) {
  const points: Point[] = [];
  let windows = 0;
  for (const {scores, windows: labelled} of series) {
    const length = scores.length;
    const unjudged = Math.min(
      Math.floor(UNJUDGED_SHARE * length),
      UNJUDGED_SHARE * UNJUDGED_LENGTH_MAX,
    );
    let next = 0;
    for (let row = 0; row < length; row++) {
      while (next < labelled.length && row > (labelled[next]?.[1] as number)) next++;
      if (row < unjudged) continue;
      const window = labelled[next];
      const isInside = window !== undefined && row >= window[0];
      points.push({
        score: scores[row] as number,
        value: isInside
          ? profile.detection * valueInside(row, window)
          : profile.falseAlarm * valueOutside(row, labelled[next - 1]),
        window: isInside ? windows + next : -1,
      });
    }
    windows += labelled.length;
  }
  return {points, windows};
}

/** 1 at a window's first row, falling to about 0 at its last. */
function valueInside(row: number, [first, last]: readonly [number, number]): number {
  return sigmoid(-(last - row + 1) / (last - first + 1)) / sigmoid(-1);
}

/** From 0 right behind the window before to -1 far from it; -1 where there was none. */
function valueOutside(row: number, before: readonly [number, number] | undefined): number {
  return before === undefined ? -1 : sigmoid((row - before[1]) / (before[1] - before[0]));
}

function sigmoid(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}
