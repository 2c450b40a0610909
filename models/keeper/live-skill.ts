/** How the risks that were served did, whichever model said them. */
import type {ObservedRows} from '../../core/domain/observed.ts';
import {lossOf} from '../metrics.ts';
import {UNKNOWN_OUTCOME} from '../registry/pairing.ts';
import {ANY_AT, JUDGED_OUTPUTS, labelBookRows, type Pause, takeJudged} from './judging.ts';
import type {OutcomeBook} from './outcome-book.ts';
import {type BookRow, RowBook} from './row-book.ts';

/** Of whether hosts go down at all; NaN without rows whose outcome is known. */
export type SkillFigures = {
  readonly rows: number;
  /** Hosts that failed within the horizon of a row. */
  readonly failures: number;
  /** Mean log-loss a row, in nats. */
  readonly loss: number;
  /** That of always saying the rate of these very rows, which nobody knew before. */
  readonly naiveLoss: number;
  /** 1 − loss ÷ naiveLoss: rather too low, as the naive method knows the rate in hindsight. */
  readonly skill: number;
};

export const NO_SKILL: SkillFigures = {
  rows: 0,
  failures: 0,
  loss: Number.NaN,
  naiveLoss: Number.NaN,
  skill: Number.NaN,
};

/** What was lost on a row of which it is settled what came: whether the host failed. */
export type RowLoss = {
  readonly host: string;
  readonly hardware: string;
  readonly atMs: number;
  /** Log-loss, in nats. */
  readonly loss: number;
};

const WIDTH = JUDGED_OUTPUTS.length;

export class LiveSkill {
  readonly #book: RowBook;
  readonly #outcomes: OutcomeBook;
  readonly #horizonMs: number;

  constructor(outcomes: OutcomeBook, {rowsMax, horizonMs}: {rowsMax: number; horizonMs: number}) {
    this.#outcomes = outcomes;
    this.#book = new RowBook(1, rowsMax);
    this.#horizonMs = horizonMs;
  }

  /** @param picked Numbers of the rows to take. */
  async observe(
    {atMs, hosts, outputs, risks}: ObservedRows,
    picked: readonly number[],
    pause: Pause,
  ): Promise<void> {
    if (this.#book.isFull(picked.length)) {
      await this.#book.thin(this.#outcomes, this.#horizonMs, pause);
    }
    const judged = new Float32Array(WIDTH);
    for (const row of picked) {
      const {name: host, hardware, modelHash} = hosts[row] as (typeof hosts)[number];
      takeJudged(outputs, risks, row, judged, 0);
      const any = judged[ANY_AT] as number;
      if (!Number.isNaN(any)) this.#book.add({host, atMs, hardware, modelHash}, judged, ANY_AT);
    }
  }

  get oldestMs(): number {
    return this.#book.oldestMs();
  }

  /**
   * Of rows from a time up to another, as far as it is known by now what became of them: failures are
   * known at once, and alone would make any model look blind, so what is not settled is left out.
   *
   * @param by Whose risks; of all models unless given.
   */
  async figures(fromMs: number, untilMs: number, pause: Pause, by?: string): Promise<SkillFigures> {
    const judged = await this.#judge(fromMs, untilMs, pause, by);
    const {rows, positives, lost, failures} = judged;
    const loss = lost / rows;
    const naiveLoss = entropyOf(positives / rows);
    return {rows, failures, loss, naiveLoss, skill: 1 - loss / naiveLoss};
  }

  /** What one model lost on rows of a time of which it is settled by now what came, by time. */
  async losses(fromMs: number, untilMs: number, pause: Pause, by: string): Promise<RowLoss[]> {
    const {losses} = await this.#judge(fromMs, untilMs, pause, by);
    return losses.sort((a, b) => a.atMs - b.atMs);
  }

  async #judge(fromMs: number, untilMs: number, pause: Pause, by?: string) {
    const settledMs = this.#outcomes.settledMs(this.#horizonMs);
    const from = Math.max(fromMs, this.#outcomes.knownSinceMs);
    const kept = this.#book.between(from, Math.min(untilMs, settledMs));
    const isTheirs = ({modelHash}: BookRow) => by === undefined || modelHash === by;
    const places = [...kept.rows.keys()].filter(at => isTheirs(kept.rows[at] as BookRow));
    const rows = places.map(at => kept.rows[at] as BookRow);
    const ledger = this.#outcomes.ledger();
    const {labels, failures} = await labelBookRows(ledger, rows, this.#horizonMs, pause);
    const losses: RowLoss[] = [];
    let [positives, lost, total] = [0, 0, 0];
    for (const [row, {host, hardware, atMs}] of rows.entries()) {
      const label = labels[row * WIDTH + ANY_AT] as number;
      if (label === UNKNOWN_OUTCOME) continue;
      const risk = kept.values[places[row] as number] as number;
      const weight = kept.weights[places[row] as number] as number;
      const loss = lossOf(risk, label);
      losses.push({host, hardware, atMs, loss});
      positives += weight * label;
      lost += weight * loss;
      total += weight;
    }
    return {losses, rows: total, positives, lost, failures};
  }
}

function entropyOf(rate: number): number {
  if (rate === 0 || rate === 1) return 0;
  return -rate * Math.log(rate) - (1 - rate) * Math.log(1 - rate);
}
