/** The two models that are compared in the phase that a keeper is in, if there are two. */
import {isForestayError} from '../../core/domain/errors.ts';
import {fnv1a32} from '../../core/domain/hash.ts';
import type {ObservedRows} from '../../core/domain/observed.ts';
import type {Cost} from '../registry/promotion.ts';
import type {Pause} from './judging.ts';
import type {KeeperLimits, KeeperOptions} from './keeper-parts.ts';
import type {KeeperState, Step} from './keeper-state.ts';
import type {OutcomeBook} from './outcome-book.ts';
import {inTime, PairScorers, UnfitModel} from './pair-scorers.ts';
import {measureCosts} from './serving-cost.ts';
import {type Judgement, type Pair, ShadowBook} from './shadow-book.ts';

type Rivalry = {
  readonly scorers: PairScorers;
  readonly book: ShadowBook;
  /** The newest rows of it, to measure by what they cost. */
  sample: {readonly rows: number; readonly features: Float32Array} | undefined;
  costs: Costs | undefined;
  /** Something took too long: nothing is asked before. */
  restUntilMs: number;
  /** Nothing can be compared any more. */
  unfit: UnfitModel | undefined;
};

type Costs = {readonly champion: Cost; readonly challenger: Cost};

export class Rivals {
  readonly #options: KeeperOptions;
  readonly #limits: KeeperLimits;
  readonly #outcomes: OutcomeBook;
  #rivalry: Rivalry | undefined;

  constructor(options: KeeperOptions, limits: KeeperLimits, outcomes: OutcomeBook) {
    this.#options = options;
    this.#limits = limits;
    this.#outcomes = outcomes;
  }

  get oldestMs(): number {
    return this.#rivalry?.book.oldestMs ?? Number.POSITIVE_INFINITY;
  }

  /** Begins a new book where two others are compared; a trial goes on in the book of the shadow. */
  async follow(pair: Pair | undefined): Promise<void> {
    const now = this.#rivalry?.book.pair;
    if (now?.champion === pair?.champion && now?.challenger === pair?.challenger) return;
    await this.close();
    if (pair === undefined) return;
    const {open, clock} = this.#options;
    const {callMsMax, rowsMax, horizonMs} = this.#limits;
    this.#rivalry = {
      scorers: new PairScorers(pair, {open, clock, callMsMax}),
      book: new ShadowBook(pair, this.#outcomes, {rowsMax, horizonMs}),
      sample: undefined,
      costs: undefined,
      restUntilMs: Number.NEGATIVE_INFINITY,
      unfit: undefined,
    };
  }

  /** Errors as those of `PairScorers`; one that is unfit stays so. */
  async score(rows: ObservedRows, picked: readonly number[], pause: Pause): Promise<void> {
    const rivalry = this.#rivalry;
    if (rivalry === undefined || picked.length === 0) return;
    if (rivalry.unfit !== undefined) throw rivalry.unfit;
    if (rows.atMs < rivalry.restUntilMs) return;
    try {
      const risks = await rivalry.scorers.score(rows, picked);
      if (risks === undefined) return;
      await rivalry.book.add(risks, pause);
      rivalry.sample = {rows: rows.hosts.length, features: rows.features};
    } catch (error) {
      if (error instanceof UnfitModel) rivalry.unfit = error;
      if (isForestayError(error, 'TIMED_OUT')) {
        rivalry.restUntilMs = rows.atMs + this.#limits.lookEveryMs;
      }
      throw error;
    }
  }

  /** Errors as those of `openSession`, if it is the first look. */
  async judge(
    {champion, challenger, look, doubt}: Extract<Step, {kind: 'judge'}>,
    pause: Pause,
  ): Promise<Judgement> {
    await this.follow({champion, challenger});
    const rivalry = this.#rivalry as Rivalry;
    rivalry.costs ??= await inTime(
      this.#options.clock,
      this.#limits.callMsMax,
      'measure what two models cost',
      this.#measure(rivalry, pause),
    );
    const seed = fnv1a32(`${challenger} ${look}`);
    // Without rows there is nothing to judge either.
    const costs = rivalry.costs ?? {champion: NO_COST, challenger: NO_COST};
    return rivalry.book.judge({number: look, doubt, seed, costs}, pause);
  }

  async #measure({book, sample}: Rivalry, pause: Pause): Promise<Costs | undefined> {
    if (sample === undefined) return undefined;
    const {champion, challenger} = book.pair;
    const {registry} = this.#options;
    const folders = [registry.folderOf(champion), registry.folderOf(challenger)] as const;
    return measureCosts(folders, sample.rows, sample.features, pause);
  }

  async close(): Promise<void> {
    const rivalry = this.#rivalry;
    this.#rivalry = undefined;
    await rivalry?.scorers.close();
  }
}

const NO_COST: Cost = {bytes: 0, p99Ms: 0};

/** Who is compared in a phase; the first is the one that should be replaced, if the other is better. */
export function pairOf({phase, aliases}: Pick<KeeperState, 'phase' | 'aliases'>): Pair | undefined {
  const {champion, challenger, previous} = aliases;
  if (champion === null) return undefined;
  if (phase === 'shadowing' || phase === 'canary') {
    return challenger === null ? undefined : {champion, challenger};
  }
  if (phase !== 'probation' || previous === null) return undefined;
  return {champion: previous, challenger: champion};
}
