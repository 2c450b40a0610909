import {climbPosterior, diagonal, type LabelledRows} from '../../core/domain/logistic-posterior.ts';
import {
  createOnlineLogistic,
  type Learning,
  learn,
  risksOf,
} from '../../core/domain/online-logistic.ts';
import {
  type OutageQuestion,
  outageInputs,
  simpleWeights,
} from '../../core/domain/outage-features.ts';
import {DAY_MS} from '../../core/domain/outage-history.ts';
import {createOutcomes} from '../../core/domain/outage-outcomes.ts';
import {type Cadence, collectRows, replaySystem} from './failure-replay.ts';
import type {System} from './failure-systems.ts';

/** Times × hosts: risks of one system. */
export type SystemRisks = {
  readonly atMs: readonly number[];
  readonly risks: readonly Float64Array[];
};

/** Rows of training systems are taken so often; neighbouring days are nearly the same rows. */
const TRAINING_DAYS_MIN = 5;
/** How firmly weights are held to the simple method's when they are fitted to other systems. */
const POOLED_PRECISION = 3;
const POOLED_INTERCEPT_PRECISION = 0.1;
/** How firmly a system holds to what others taught, until it has learned of itself. */
const ONLINE_PRECISION = 10;
/** More firmly when it is asked by the week: outages of one component are few. */
const ONLINE_PRECISION_WEEKLY = 30;
/** Systems differ most in how often hosts fail at all. */
const ONLINE_INTERCEPT_PRECISION = 3;
const LEARNING: Learning = {share: 0.5, halfLifeMs: 34 * 7 * DAY_MS, steps: 3};

/**
 * What systems teach about a question: the weights that explain all of them, and, from there, all
 * but one. Rows of a system count with the square root of their number, as they are alike.
 */
export class PooledModel {
  readonly #batches: ReadonlyMap<System, LabelledRows>;
  readonly #simple: Float64Array;
  readonly #all: Float64Array;

  /** With no system it is the simple method. */
  constructor(question: OutageQuestion, cadence: Cadence, systems: readonly System[]) {
    const inputs = outageInputs(question);
    const everyDays = Math.max(cadence.everyDays, TRAINING_DAYS_MIN);
    this.#simple = simpleWeights(inputs);
    this.#batches = new Map(
      systems.map(system => {
        const rows = collectRows(system, {...cadence, everyDays}, inputs, createOutcomes(question));
        return [system, {...rows, weight: 1 / Math.sqrt(Math.max(1, rows.rows))}];
      }),
    );
    this.#all = this.#fit([...this.#batches.values()], this.#simple);
  }

  /** Weights of all systems but this one, if it is one of them. */
  weightsWithout(system: System): Float64Array {
    if (!this.#batches.has(system)) return this.#all;
    const others = [...this.#batches].filter(([other]) => other !== system);
    if (others.length === 0) return this.#simple;
    return this.#fit(
      others.map(([, rows]) => rows),
      this.#all,
    );
  }

  #fit(batches: readonly LabelledRows[], start: Float64Array): Float64Array {
    const precision = precisionOf(start.length, POOLED_PRECISION, POOLED_INTERCEPT_PRECISION);
    const prior = {mean: this.#simple, precision: diagonal(precision)};
    return climbPosterior(start, batches, prior, {tolerance: 1e-6});
  }
}

/**
 * Predicts a system week by week or day by day, and learns of each outcome as it becomes known, unless
 * it may not: then it says what the prior says, for good.
 */
export function predictSystem(
  system: System,
  question: OutageQuestion,
  cadence: Cadence,
  {prior, learning}: {prior: Float64Array; learning: boolean},
): SystemRisks {
  const inputs = outageInputs(question);
  const held = cadence.everyDays < 7 ? ONLINE_PRECISION : ONLINE_PRECISION_WEEKLY;
  const precision = precisionOf(prior.length, held, ONLINE_INTERCEPT_PRECISION);
  const layer = createOnlineLogistic(prior, precision);
  const times: number[] = [];
  const risks: Float64Array[] = [];
  replaySystem(system, cadence, inputs, createOutcomes(question), {
    known: rows => {
      if (learning) learn(layer, rows.atMs, rows, LEARNING);
    },
    asked: (atMs, rows, scored) => {
      if (!scored) return;
      times.push(atMs);
      risks.push(risksOf(layer, rows));
    },
  });
  return {atMs: times, risks};
}

/** Of every weight, and of the last one, the intercept. */
function precisionOf(width: number, ofWeights: number, ofIntercept: number): Float64Array {
  const precision = new Float64Array(width).fill(ofWeights);
  precision[width - 1] = ofIntercept;
  return precision;
}
