/**
 * Losses of hosts, one value for each spell of a host: rows of a host that follow each other
 * share what becomes of it, and count once.
 */

import type {RowLoss} from './live-skill.ts';

/** Mean loss of one host in one spell, within [0, 1]. */
export type SpellLoss = {
  readonly hardware: string;
  readonly atMs: number;
  readonly loss: number;
};

/** A wrong forecast costs this at most: the bound of ADWIN is for values within [0, 1]. */
const LOSS_MAX = 1;

type Spell = {number: number; hardware: string; atMs: number; sum: number; rows: number};

export class HostSpells {
  readonly #spellMs: number;
  readonly #spells = new Map<string, Spell>();

  constructor(spellMs: number) {
    this.#spellMs = spellMs;
  }

  /**
   * Takes losses, by time; one that is no number ≥ 0 is not taken.
   *
   * @returns The spells that are over, in the order in which their hosts were first told of.
   */
  take(losses: readonly RowLoss[]): SpellLoss[] {
    const over: SpellLoss[] = [];
    // Of these losses: a clock may have gone back.
    let newest = Number.NEGATIVE_INFINITY;
    for (const {host, hardware, atMs, loss} of losses) {
      if (!(loss >= 0)) continue;
      const number = Math.floor(atMs / this.#spellMs);
      const former = this.#spells.get(host);
      if (former !== undefined && former.number !== number) over.push(endOf(former));
      const spell = former?.number === number ? former : {number, hardware, atMs, sum: 0, rows: 0};
      spell.sum += Math.min(loss, LOSS_MAX);
      spell.rows++;
      this.#spells.set(host, spell);
      newest = Math.max(newest, number);
    }
    for (const [host, spell] of this.#spells) {
      // Nothing more is to come of it.
      if (!Number.isFinite(newest) || Math.abs(newest - spell.number) <= 1) continue;
      over.push(endOf(spell));
      this.#spells.delete(host);
    }
    return over;
  }
}

function endOf({hardware, atMs, sum, rows}: Spell): SpellLoss {
  return {hardware, atMs, loss: sum / rows};
}
