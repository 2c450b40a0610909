import {ForestayError} from '../errors.ts';
import {DEVIATION_NUMBERS, type DeviationMemory, observeDeviation} from './stream-deviation.ts';
import {observeTail, resetTail, TAIL_NUMBERS} from './tail.ts';

/** Five minutes of level and an hour of deviations at one sample a second. */
const MEMORY: DeviationMemory = {levelSamples: 300, deviationSamples: 3600};

/** Values of a metric that are learned from before any is judged. */
export const UNJUDGED_SAMPLES = 100;

const SEEN = 0;
const DEVIATION = 1;
const TAIL = DEVIATION + DEVIATION_NUMBERS;
const METRIC_NUMBERS = TAIL + TAIL_NUMBERS;

/** Watches many metrics, each against nothing but its own past. */
export type StreamDetector = {
  /**
   * How rare the value is by the metric's past: the share of its values that lie at least as far
   * from their level. Taking values below a rate for alarms gives about that rate of false ones,
   * for rates of 1e-5 to 1e-2. 1 while too little was seen; NaN for what is not finite, which is
   * not learned. The first move of a metric that has been constant for n values has 1 / (n + 1).
   *
   * Cost O(1), no allocation; 608 bytes a metric. Equal values give equal answers.
   */
  observe(metric: number, value: number): number;
  /** A copy of all that was learned, for {@link createStreamDetector}. */
  state(): Float64Array;
};

/**
 * @param metrics How many; they are numbered from 0.
 * @param state What a detector of as many metrics had learned.
 * @throws {ForestayError} `CHECKPOINT_INVALID` when `state` is of another size or has a NaN.
 */
export function createStreamDetector(
  metrics: number,
  {state, memory = MEMORY}: {state?: Float64Array; memory?: DeviationMemory} = {},
): StreamDetector {
  const numbers = state === undefined ? emptyState(metrics) : checkedCopy(state, metrics);
  return {
    observe(metric, value) {
      if (!Number.isFinite(value)) return Number.NaN;
      const offset = metric * METRIC_NUMBERS;
      const seen = numbers[offset + SEEN] as number;
      numbers[offset + SEEN] = seen + 1;
      const deviation = observeDeviation(numbers, offset + DEVIATION, value, memory);
      const rarity =
        deviation === Number.POSITIVE_INFINITY
          ? 1 / (seen + 1)
          : observeTail(numbers, offset + TAIL, deviation);
      return seen < UNJUDGED_SAMPLES ? 1 : rarity;
    },
    state: () => numbers.slice(),
  };
}

function emptyState(metrics: number): Float64Array {
  const numbers = new Float64Array(metrics * METRIC_NUMBERS);
  for (let metric = 0; metric < metrics; metric++) {
    resetTail(numbers, metric * METRIC_NUMBERS + TAIL);
  }
  return numbers;
}

function checkedCopy(state: Float64Array, metrics: number): Float64Array {
  const expected = metrics * METRIC_NUMBERS;
  if (state.length !== expected || state.includes(Number.NaN)) {
    throw new ForestayError(
      'CHECKPOINT_INVALID',
      `cannot go on from the learned state of ${metrics} metrics: it has ${state.length} numbers, not ${expected}, or one of them is NaN; start without it`,
      {details: {metrics, numbers: state.length, expected}},
    );
  }
  return state.slice();
}
