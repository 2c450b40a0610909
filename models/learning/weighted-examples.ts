import {COMPONENTS} from '../../core/domain/components.ts';
import type {LabelledOutcome, LabelledRows} from './labels.ts';

/** Rows to learn one output from, as trees take them. */
export type WeightedExamples = {
  /** Numbers of rows, each once, or twice in a row where the label is uncertain. */
  readonly rows: Int32Array;
  readonly labels: Uint8Array;
  /** More than 0. */
  readonly weights: Float32Array;
};

/** A weight that is less teaches nothing, and trees want more than none. */
const WEIGHT_MIN = 1e-3;

/**
 * Examples of one output. What is known counts once; what is uncertain counts as both: as a failure
 * with the chance that it would have been one, and as none with what is left. What is unknown is
 * left out.
 *
 * So a model learns from failures that it prevented what it believed of them, no more and no less:
 * "migrated, nothing happened" as a negative would teach it that its own alarms are false. The
 * belief is that at the act, not that at the row: rows that led to an act are those of which more
 * was seen later.
 *
 * @see H. Li et al., "Why does Prediction Accuracy Decrease over Time? Uncertain Positive Learning
 *   for Cloud Failure Prediction", arXiv 2402.00034, 2024.
 */
export function weighExamples(
  labelled: Pick<LabelledRows, 'outcomes' | 'horizonsSeconds'>,
  output: number,
): WeightedExamples {
  const width = COMPONENTS.length * labelled.horizonsSeconds.length;
  const rows: number[] = [];
  const labels: number[] = [];
  const weights: number[] = [];
  const add = (row: number, label: number, weight: number) => {
    if (!(weight >= WEIGHT_MIN)) return;
    rows.push(row);
    labels.push(label);
    weights.push(weight);
  };
  for (let row = 0; row * width < labelled.outcomes.length; row++) {
    const {label, chance} = labelled.outcomes[row * width + output] as LabelledOutcome;
    if (label === 'unknown') continue;
    const risk = label === 'uncertain' ? chance : Number(label === 'positive');
    add(row, 1, risk);
    add(row, 0, 1 - risk);
  }
  return {
    rows: Int32Array.from(rows),
    labels: Uint8Array.from(labels),
    weights: Float32Array.from(weights),
  };
}
