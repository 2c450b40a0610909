import {fnv1a32} from '../../core/domain/hash.ts';
import type {TimedRow} from './labels.ts';

export type TimeSplitOptions = {
  /** Judged rows are of this time and later. */
  readonly cutMs: number;
  /** The longest horizon of the labels. */
  readonly horizonMs: number;
  /** Between the cut and the first judged row; what is learned may still echo. */
  readonly embargoMs: number;
  /** Hosts are dealt into so many folds; those of `fold` judge. */
  readonly folds: number;
  readonly fold: number;
};

/** Numbers of rows. */
export type TimeSplit = {readonly learned: Int32Array; readonly judged: Int32Array};

/**
 * Rows to learn from and rows to judge by: no host is on both sides, and no label of the one reaches
 * into the time of the other. A host's fold depends on its name alone.
 *
 * @see M. López de Prado, "Advances in Financial Machine Learning", 2018, chapter 7: purging and
 *   embargo.
 */
export function splitByTime(rows: readonly TimedRow[], options: TimeSplitOptions): TimeSplit {
  const {cutMs, horizonMs, embargoMs, folds, fold} = options;
  const learned: number[] = [];
  const judged: number[] = [];
  for (const [row, {host, atMs}] of rows.entries()) {
    const isJudge = fnv1a32(host) % folds === fold;
    if (isJudge && atMs >= cutMs + embargoMs) judged.push(row);
    if (!isJudge && atMs + horizonMs <= cutMs) learned.push(row);
  }
  return {learned: Int32Array.from(learned), judged: Int32Array.from(judged)};
}
