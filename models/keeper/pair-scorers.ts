/** Two models that score identical rows; each is asked only for rows that it has not scored already. */
import {COMPONENTS} from '../../core/domain/components.ts';
import {within} from '../../core/domain/concurrency.ts';
import {ForestayError, formatError, isForestayError} from '../../core/domain/errors.ts';
import type {ObservedRows} from '../../core/domain/observed.ts';
import type {Scorer} from '../../core/ports.ts';
import {takeParts} from './judging.ts';
import type {KeeperClock} from './keeper-parts.ts';
import type {Pair, PairedRisks} from './shadow-book.ts';

/** One of the two cannot score the rows, today or ever. */
export class UnfitModel extends Error {
  readonly hash: string;
  constructor(hash: string, why: string, cause?: unknown) {
    super(why, {cause});
    this.name = 'UnfitModel';
    this.hash = hash;
  }
}

type Parts = {
  open(hash: string): Promise<Scorer>;
  readonly clock: KeeperClock;
  /** For opening, and for each answer. */
  readonly callMsMax: number;
};

export class PairScorers {
  readonly pair: Pair;
  readonly #parts: Parts;
  /** One of each hash, whenever it comes. */
  readonly #opening = new Map<string, Promise<Scorer>>();

  constructor(pair: Pair, parts: Parts) {
    this.pair = pair;
    this.#parts = parts;
  }

  /**
   * What both say of some rows; undefined for rows of another contract than the champion's.
   *
   * @param picked Numbers of the rows.
   * @throws {UnfitModel} A model cannot be opened, or reads other features than are served.
   * @throws {ForestayError} `TIMED_OUT`; those of scoring. Another time it may work.
   */
  async score(rows: ObservedRows, picked: readonly number[]): Promise<PairedRisks | undefined> {
    const {champion, challenger} = this.pair;
    const [first, second] = [await this.#scorer(champion), await this.#scorer(challenger)];
    const served = first.signature();
    const other = second.signature();
    if (other.featureHash !== served.featureHash) {
      const why = `it reads feature contract ${other.featureHash}, served is ${served.featureHash}: it cannot score the same rows`;
      throw new UnfitModel(challenger, why);
    }
    if (other.components.join() !== served.components.join()) {
      const why = `it foretells ${other.components.join(', ')}; served are ${served.components.join(', ')}`;
      throw new UnfitModel(challenger, why);
    }
    if (rows.featureHash !== served.featureHash) return undefined;
    return {
      rows: picked.map(row => {
        const {name, hardware} = rows.hosts[row] as (typeof rows.hosts)[number];
        return {host: name, atMs: rows.atMs, hardware};
      }),
      outputs: COMPONENTS,
      champion: await this.#risks(first, rows, picked),
      challenger: await this.#risks(second, rows, picked),
    };
  }

  async close(): Promise<void> {
    const opening = [...this.#opening.values()];
    this.#opening.clear();
    // What comes late is closed then.
    const closed = opening.map(each => each.then(scorer => scorer.close()));
    const {clock, callMsMax} = this.#parts;
    await within(clock, callMsMax, Promise.allSettled(closed));
  }

  async #scorer(hash: string): Promise<Scorer> {
    const opening = this.#opening.get(hash) ?? this.#parts.open(hash);
    this.#opening.set(hash, opening);
    // What cannot be opened may be another time; what only takes long goes on.
    opening.catch(() => this.#opening.delete(hash));
    return await this.#inTime(`open ${hash}`, opening).catch(error => {
      if (!isForestayError(error) || error.retryable) throw error;
      throw new UnfitModel(hash, formatError(error), error);
    });
  }

  /** Picked × COMPONENTS; NaN for a part that the model does not speak of. */
  async #risks(
    scorer: Scorer,
    rows: ObservedRows,
    picked: readonly number[],
  ): Promise<Float32Array> {
    const {hash, components} = scorer.signature();
    const risks = new Float32Array(picked.length * COMPONENTS.length);
    const isTold = (row: number) => rows.hosts[row]?.modelHash === hash;
    const asked = picked.filter(row => !isTold(row));
    const {featureCount} = rows;
    const features = new Float32Array(asked.length * featureCount);
    for (const [at, row] of asked.entries()) {
      features.set(
        rows.features.subarray(row * featureCount, (row + 1) * featureCount),
        at * featureCount,
      );
    }
    const scored =
      asked.length === 0
        ? new Float32Array()
        : await this.#inTime(
            `score ${asked.length} rows`,
            scorer.score(hash, asked.length, features),
          );
    let next = 0;
    for (const [at, row] of picked.entries()) {
      const offset = at * COMPONENTS.length;
      if (isTold(row)) takeParts(rows.outputs, rows.risks, row, risks, offset);
      else takeParts(components, scored, next++, risks, offset);
    }
    return risks;
  }

  #inTime<Value>(what: string, work: Promise<Value>): Promise<Value> {
    const {clock, callMsMax} = this.#parts;
    return inTime(clock, callMsMax, what, work);
  }
}

/**
 * What work gives, if it does in time; whatever it does later nobody waits for.
 *
 * @throws {ForestayError} `TIMED_OUT`.
 */
export async function inTime<Value>(
  clock: KeeperClock,
  msMax: number,
  what: string,
  work: Promise<Value>,
): Promise<Value> {
  if (await within(clock, msMax, work)) return await work;
  work.catch(() => {});
  throw new ForestayError(
    'TIMED_OUT',
    `cannot ${what} for the keeper within ${msMax / 1000} s; it tries again at its next look`,
    {retryable: true, details: {what, msMax}},
  );
}
