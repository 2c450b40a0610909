import {fitAnomalyModel, TRAINING_ROWS_MIN} from './host-fit.ts';
import type {AnomalyModel} from './host-model.ts';
import {createAnomalyState, observeAnomaly} from './host-score.ts';
import {spansOf} from './metric-spans.ts';
import {tailQuantile} from './tail-quantile.ts';
import type {UsualRows} from './usual-rows.ts';

/** A thousand to learn from, and some that the model has not seen. */
export const LEARNING_ROWS_MIN = TRAINING_ROWS_MIN + 150;
/** Of the rows, the oldest; the threshold is measured on the others. */
const TRAINING_SHARE = 0.75;
/** A state's first rows are not smoothed yet. */
export const SETTLING_ROWS = 5;
const JUDGED_MIN = 50;

/** What hosts of a kind do, and from which score on they do something else. */
export type Usual = {
  readonly model: AnomalyModel;
  readonly threshold: number;
  /** That it was learned from. */
  readonly rows: number;
};

/**
 * Learns from the older three quarters of the rows, at least 1000. The threshold is passed by
 * `oddShare` of the newer ones, as far as these can tell. Cost: as {@link fitAnomalyModel}.
 *
 * @throws {ForestayError} `TRAINING_DATA_INVALID` for fewer than 1,000 rows.
 */
export function learnUsual(metrics: readonly string[], all: UsualRows, oddShare: number): Usual {
  const rows = all.atMs.length;
  const times = all.atMs.toSorted();
  const wanted = Math.max(TRAINING_ROWS_MIN, Math.ceil(TRAINING_SHARE * rows));
  const untilMs = times[Math.min(wanted, rows) - 1] ?? 0;
  const older = takeUntil(all, metrics.length, untilMs);
  const model = fitAnomalyModel(older.values, metrics, {
    spans: spansOf(metrics),
    starts: older.starts,
  });
  const newer = scoresAfter(model, all, untilMs);
  const scores = newer.length < JUDGED_MIN ? scoresAfter(model, all, 0) : newer;
  return {model, threshold: tailQuantile(Float64Array.from(scores), oddShare), rows};
}

function takeUntil({values, atMs, starts}: UsualRows, width: number, untilMs: number): UsualRows {
  const kept = Array.from(atMs.keys()).filter(row => (atMs[row] as number) <= untilMs);
  const older = new Float64Array(kept.length * width);
  for (const [index, row] of kept.entries()) {
    older.set(values.subarray(row * width, (row + 1) * width), index * width);
  }
  const begins = new Set(starts);
  // Of each stretch the older rows come first, so that it begins where it began.
  return {
    values: older,
    atMs: Float64Array.from(kept, row => atMs[row] as number),
    starts: [...kept.keys()].filter(index => begins.has(kept[index] as number)),
  };
}

/** Scores of the rows behind a time; each stretch is observed from its beginning. */
function scoresAfter(
  model: AnomalyModel,
  {values, atMs, starts}: UsualRows,
  afterMs: number,
): number[] {
  const width = model.columns.length;
  const begins = new Set(starts);
  let state = createAnomalyState(model);
  const scores: number[] = [];
  for (let row = 0; row < atMs.length; row++) {
    if (begins.has(row)) state = createAnomalyState(model);
    const {score} = observeAnomaly(model, state, values.subarray(row * width, (row + 1) * width));
    if ((atMs[row] as number) > afterMs && state.rows >= SETTLING_ROWS) scores.push(score);
  }
  return scores;
}
