/** How the champion does where it serves: whether its inputs and losses are as ever, and its skill. */
import type {DriftReport} from '../../core/domain/drift/report.ts';
import type {DriftSnapshot} from '../../core/domain/drift/snapshot.ts';
import {formatError, isForestayError} from '../../core/domain/errors.ts';
import {shortHash} from '../../core/domain/hash.ts';
import type {ObservedRows} from '../../core/domain/observed.ts';
import {readDriftFile} from '../drift-file.ts';
import type {Pause} from './judging.ts';
import type {Drift, KeeperLimits, KeeperOptions} from './keeper-parts.ts';
import type {Sight} from './keeper-state.ts';
import {LiveSkill, NO_SKILL, type SkillFigures} from './live-skill.ts';
import type {OutcomeBook} from './outcome-book.ts';
import {inTime} from './pair-scorers.ts';

const NOTHING_MOVED: ReturnType<Drift['report']> = {
  lossesRose: false,
  inputsMoved: false,
  reasons: [],
};

type WatchOptions = Pick<KeeperOptions, 'registry' | 'drift' | 'configured' | 'clock' | 'tell'>;

export class ChampionWatch {
  readonly #options: WatchOptions;
  readonly #limits: KeeperLimits;
  readonly #outcomes: OutcomeBook;
  readonly #served: LiveSkill;
  #drift: {hash: string; isPromoted: boolean; drift: Drift} | undefined;
  #report: DriftReport | undefined;
  /** By the latest rows. */
  #serving = {modelHash: '', featureHash: 0};
  #skill = NO_SKILL;
  #skillAtMs = Number.NEGATIVE_INFINITY;
  /** Forecasts of a champion before are not held against the one that serves. */
  #sinceMs = Number.NEGATIVE_INFINITY;
  #lossesUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: WatchOptions, limits: KeeperLimits, outcomes: OutcomeBook) {
    this.#options = options;
    this.#limits = limits;
    this.#outcomes = outcomes;
    this.#served = new LiveSkill(outcomes, limits);
  }

  /** As it was found at the last look. */
  get report(): DriftReport | undefined {
    return this.#report;
  }

  get oldestMs(): number {
    return this.#served.oldestMs;
  }

  /** Of all models that served in a time of rows, as far as it is known what came. */
  figures(fromMs: number, untilMs: number, pause: Pause): Promise<SkillFigures> {
    return this.#served.figures(fromMs, untilMs, pause);
  }

  /**
   * @param picked Numbers of the rows whose skill is judged.
   * @param champion Null: nobody was promoted yet; watched is what serves.
   */
  async observe(
    rows: ObservedRows,
    picked: readonly number[],
    champion: string | null,
    pause: Pause,
  ): Promise<void> {
    const {featureHash, hosts} = rows;
    this.#serving = {featureHash, modelHash: hosts[0]?.modelHash ?? this.#serving.modelHash};
    await this.#served.observe(rows, picked, pause);
    const drift = await this.#follow(champion);
    drift?.observe(rows);
  }

  async look(
    nowMs: number,
    champion: string | null,
    pause: Pause,
  ): Promise<Pick<Sight, 'drift' | 'skill'>> {
    const {horizonMs, skillEveryMs, skillWindowMs} = this.#limits;
    const settledMs = this.#outcomes.settledMs(horizonMs);
    const drift = await this.#follow(champion);
    const watched = this.#watched(champion);
    if (settledMs > this.#lossesUntilMs) {
      const losses = await this.#served.losses(this.#lossesUntilMs, settledMs, pause, watched);
      drift?.settle(losses);
      this.#lossesUntilMs = settledMs;
    }
    if (nowMs - this.#skillAtMs >= skillEveryMs) {
      this.#skillAtMs = nowMs;
      const fromMs = Math.max(nowMs - skillWindowMs, this.#sinceMs);
      this.#skill = await this.#served.figures(fromMs, nowMs, pause, watched);
    }
    const {report, ...moved} = drift?.report(nowMs) ?? NOTHING_MOVED;
    this.#report = report;
    return {drift: moved, skill: this.#skill};
  }

  #watched(champion: string | null): string {
    return champion ?? this.#serving.modelHash;
  }

  /** The watch over inputs and losses; another champion has another one. */
  async #follow(champion: string | null): Promise<Drift | undefined> {
    const hash = this.#watched(champion);
    const isPromoted = hash === champion;
    const {hash: before = hash, isPromoted: was} = this.#drift ?? {};
    if (before === hash && was === isPromoted) return this.#drift?.drift;
    if (before !== hash) this.#sinceMs = this.#outcomes.nowMs;
    try {
      const {registry, drift} = this.#options;
      const kept = isPromoted
        ? registry.read(hash)
        : {...this.#serving, drift: await this.#spreadOf(hash)};
      this.#drift = {hash, isPromoted, drift: drift(kept)};
      this.#lossesUntilMs = this.#outcomes.nowMs;
      this.#skill = NO_SKILL;
    } catch (error) {
      if (!isForestayError(error)) throw error;
      this.#drift = undefined;
    }
    return this.#drift?.drift;
  }

  /** What nobody has promoted is the configured artefact's, as a rule: its inputs' spread lies beside it. */
  async #spreadOf(hash: string): Promise<DriftSnapshot | null> {
    const {configured, clock} = this.#options;
    if (configured === undefined) return null;
    try {
      const reading = readDriftFile(configured, hash);
      return await inTime(clock, this.#limits.callMsMax, 'read drift.json', reading);
    } catch (error) {
      this.#options.tell(`the inputs of ${shortHash(hash)} are not watched: ${formatError(error)}`);
      return null;
    }
  }
}
