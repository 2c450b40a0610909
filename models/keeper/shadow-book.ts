/** What two models said of identical rows, and which of them was right. */
import {
  type Cost,
  decidePromotion,
  type Evaluation,
  GUARDRAILS,
  type Guardrails,
} from '../registry/promotion.ts';
import {
  ANY,
  compareBooks,
  JUDGED_OUTPUTS,
  labelBookRows,
  type Pause,
  takeJudged,
} from './judging.ts';
import type {OutcomeBook} from './outcome-book.ts';
import {type BookRow, RowBook} from './row-book.ts';

/** Which two are compared: the one that should be replaced first. */
export type Pair = {readonly champion: string; readonly challenger: string};

/** What both say of rows of one time. */
export type PairedRisks = {
  readonly rows: readonly BookRow[];
  readonly outputs: readonly string[];
  /** Rows × outputs. */
  readonly champion: Float32Array;
  readonly challenger: Float32Array;
};

export type Look = {
  /** The first is 1. */
  readonly number: number;
  readonly doubt: number;
  readonly seed: number;
  readonly costs: {readonly champion: Cost; readonly challenger: Cost};
};

/**
 * `better`: it gained and broke no guardrail. `worse`: with the same doubt it lost, or it broke a
 * guardrail. `open`: neither is shown yet.
 */
export type Verdict = 'better' | 'worse' | 'open';

export type Judgement = {
  readonly verdict: Verdict;
  readonly evaluation: Evaluation;
  /** Failures that were behind it. */
  readonly failures: number;
  /** Outputs whose risks are further from the truth than a guardrail allows. */
  readonly uncalibrated: readonly string[];
};

/**
 * Rows of one host follow each other, and a failure colours half a dozen of them: an output with
 * fewer positives than this, twenty failures, holds up nothing.
 */
const LIVE_GUARDRAILS: Guardrails = {...GUARDRAILS, segmentLeastPositives: 120};
const WIDTH = JUDGED_OUTPUTS.length;

export class ShadowBook {
  readonly pair: Pair;
  readonly #book: RowBook;
  readonly #outcomes: OutcomeBook;
  readonly #horizonMs: number;

  constructor(
    pair: Pair,
    outcomes: OutcomeBook,
    {rowsMax, horizonMs}: {rowsMax: number; horizonMs: number},
  ) {
    this.pair = pair;
    this.#outcomes = outcomes;
    this.#horizonMs = horizonMs;
    this.#book = new RowBook(2 * WIDTH, rowsMax);
  }

  get oldestMs(): number {
    return this.#book.oldestMs();
  }

  async add({rows, outputs, champion, challenger}: PairedRisks, pause: Pause): Promise<void> {
    if (this.#book.isFull(rows.length))
      await this.#book.thin(this.#outcomes, this.#horizonMs, pause);
    const values = new Float32Array(2 * WIDTH);
    for (const [row, each] of rows.entries()) {
      takeJudged(outputs, champion, row, values, 0);
      takeJudged(outputs, challenger, row, values, WIDTH);
      this.#book.add(each, values);
    }
  }

  /** Compares them as far as it is known by now what came. Equal books and seeds give equal verdicts. */
  async judge({number, doubt, seed, costs}: Look, pause: Pause): Promise<Judgement> {
    // Failures are known at once, quiet times are not: rows are judged when either would be.
    const settledMs = this.#outcomes.settledMs(this.#horizonMs);
    const {rows, values, weights} = this.#book.between(this.#outcomes.knownSinceMs, settledMs);
    await pause();
    const ledger = this.#outcomes.ledger();
    const {labels, failures} = await labelBookRows(ledger, rows, this.#horizonMs, pause);
    const half = (offset: number) =>
      Float32Array.from(
        {length: rows.length * WIDTH},
        (_, at) => values[2 * WIDTH * Math.floor(at / WIDTH) + offset + (at % WIDTH)] as number,
      );
    const champion = half(0);
    await pause();
    const challenger = half(WIDTH);
    const compared = await compareBooks({rows, weights, labels, champion, challenger}, pause);
    const decision = decidePromotion({...compared, ...costs}, seed, {...LIVE_GUARDRAILS, doubt});
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const data = aboutRows(rows, total, failures, number);
    const evaluation: Evaluation = {...this.pair, data, seed, ...decision};
    return {
      verdict: verdictOf(evaluation),
      evaluation,
      failures,
      uncalibrated: evaluation.checks
        .filter(({name, passed}) => !passed && name.endsWith(CALIBRATION))
        .map(({name}) => name.slice(0, -CALIBRATION.length)),
    };
  }
}

const CALIBRATION = ' calibration';

function verdictOf({passed, gain, checks}: Evaluation): Verdict {
  if (passed) return 'better';
  const broken = checks.some(check => check.name !== 'gain' && !check.passed);
  const enough = gain.blocks >= LIVE_GUARDRAILS.leastBlocks;
  return broken || (enough && gain.upper < 0) ? 'worse' : 'open';
}

function aboutRows(
  rows: readonly BookRow[],
  total: number,
  failures: number,
  look: number,
): string {
  if (rows.length === 0) return `no rows (look ${look})`;
  const first = rows.reduce((least, {atMs}) => Math.min(least, atMs), Number.POSITIVE_INFINITY);
  const last = rows.reduce((most, {atMs}) => Math.max(most, atMs), Number.NEGATIVE_INFINITY);
  const hosts = new Set(rows.map(({host}) => host)).size;
  return (
    `${total} rows of ${hosts} hosts that were served, ${hours(last - first)} from ` +
    `${new Date(first).toISOString()} on, ${failures} failures of ${ANY} part (look ${look})`
  );
}

function hours(ms: number): string {
  return `${(ms / 3_600_000).toFixed(1)} hours`;
}
