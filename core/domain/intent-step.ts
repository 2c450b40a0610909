/**
 * What the reboot-intent model reads of a host, one row every ten seconds: the plain mean of each
 * metric over the samples of the step, NaN where none of them has a value. The edge and the training
 * data make their rows here, from whatever they sample.
 *
 * S1. Steps end at whole multiples of {@link INTENT_STEP_MS}: a row depends on the samples of its
 *     step alone, and never on one that is observed at its end or later.
 * S2. A sample older than the step under way is late: it is left out.
 * S3. A life begins with its first sample; a first step that was only partly sampled counts.
 *
 * A mean, not a decaying average: it costs one addition a metric, keeps what lasted for seconds, and
 * leaves memory to the network.
 */
import {INTENT_INPUTS} from './host-metrics.ts';

export const INTENT_STEP_MS = 10_000;

/** Values of one row, in the order of INTENT_INPUTS. */
export const INTENT_COLUMNS = INTENT_INPUTS.length;

export type IntentStep = {
  /** Where in a sample each input is; -1: nowhere. */
  readonly positions: Int32Array;
  readonly sums: Float64Array;
  readonly counts: Uint32Array;
  /** End of the step under way; NaN before the first sample. */
  endsMs: number;
};

/** @param columns Names of a sample's values, such as those of host.v2; others than inputs are left. */
export function createIntentStep(columns: readonly string[]): IntentStep {
  return {
    positions: Int32Array.from(INTENT_INPUTS, ({name}) => columns.indexOf(name)),
    sums: new Float64Array(INTENT_COLUMNS),
    counts: new Uint32Array(INTENT_COLUMNS),
    endsMs: Number.NaN,
  };
}

/**
 * Takes one sample. If it is the first of a later step, the step that it ends is written to `into`.
 *
 * @param into {@link INTENT_COLUMNS} values from `offset` on; untouched unless a step ended.
 * @returns How many steps have ended: 0, 1, or more after a gap, of which all but the first are
 *   empty. The first of them ended at `endsMs` as it was before the call.
 */
export function takeIntentSample(
  step: IntentStep,
  atMs: number,
  values: Float32Array,
  into: Float32Array,
  offset = 0,
): number {
  const endsMs = (Math.floor(atMs / INTENT_STEP_MS) + 1) * INTENT_STEP_MS;
  const {sums, counts, positions} = step;
  if (endsMs < step.endsMs) return 0;
  let ended = 0;
  if (endsMs > step.endsMs) {
    ended = (endsMs - step.endsMs) / INTENT_STEP_MS;
    for (let column = 0; column < INTENT_COLUMNS; column++) {
      into[offset + column] = (sums[column] as number) / (counts[column] as number);
    }
    sums.fill(0);
    counts.fill(0);
  }
  step.endsMs = endsMs;
  for (let column = 0; column < INTENT_COLUMNS; column++) {
    const position = positions[column] as number;
    if (position < 0) continue;
    const value = values[position] as number;
    if (value !== value) continue;
    sums[column] = (sums[column] as number) + value;
    counts[column] = (counts[column] as number) + 1;
  }
  return ended;
}
