/**
 * Sees to it that the core serves what the aliases say, and nothing older.
 *
 * S1. What is told is made of the aliases of that very moment: a command that did not get through is
 *     never given again after somebody has changed them.
 * S2. It is told again while hosts are scored by another model than the aliases say, whoever changed
 *     them, as after a process that died between the two; and while a command did not get through.
 * S3. Each time it waits for twice as many looks, two at first: rows that were on their way are of
 *     the model before. A core that heard it a few times and serves something else all the same has
 *     refused it.
 */
import {formatError} from '../../core/domain/errors.ts';
import {modelHashOf, PERCENT_ALL} from '../../core/domain/model-use.ts';
import type {ObservedRows} from '../../core/domain/observed.ts';
import type {Aliases} from '../registry/aliases.ts';
import type {SwitchModel} from './keeper-parts.ts';

type Parts = {
  aliases(): Aliases;
  /** Rejects if it did not get through, or not in time. */
  readonly switchModel: SwitchModel;
  tell(line: string): void;
};

const HEARD_MAX = 5;
const WAIT_LOOKS_MAX = 12;
const COMMENT_LENGTH_MAX = 1000;

export class CoreTold {
  readonly #parts: Parts;
  /** Of the aliases that everything below is about. */
  #revision = -1;
  #look = 0;
  #nextLook = 0;
  #times = 0;
  #heard = 0;
  #isOwed = false;
  /** Since the last look a host was scored by a model that it should not be. */
  #isAstray = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Compares who scored the hosts with who should have, by the aliases as they were last seen. */
  observe({hosts}: ObservedRows, aliases: Aliases): void {
    const {champion} = aliases;
    if (champion === null) return;
    this.#follow(aliases);
    const use = {champion, ...canaryOf(aliases)};
    this.#isAstray ||= hosts.some(
      ({name, modelHash}) => modelHash !== modelHashOf(use, name, champion),
    );
  }

  /** At a look: tells the core again if it has to be. */
  async settle(): Promise<void> {
    this.#look++;
    this.#follow(this.#parts.aliases());
    const isAstray = this.#isAstray && this.#heard < HEARD_MAX;
    this.#isAstray = false;
    if ((this.#isOwed || isAstray) && this.#look >= this.#nextLook) await this.#give();
  }

  /** After a change of the keeper's own; what cannot be told now is told at a later look. */
  async tell(): Promise<void> {
    this.#follow(this.#parts.aliases());
    await this.#give();
  }

  #follow({revision}: Aliases): void {
    if (revision === this.#revision) return;
    this.#revision = revision;
    this.#times = 0;
    this.#heard = 0;
    this.#isOwed = false;
    this.#isAstray = false;
    // Whoever made the change tells the core as well, and cores take a moment.
    this.#nextLook = this.#look + 2;
  }

  async #give(): Promise<void> {
    const aliases = this.#parts.aliases();
    const {champion, why} = aliases;
    if (champion === null) return;
    this.#nextLook = this.#look + Math.min(2 ** ++this.#times, WAIT_LOOKS_MAX);
    const {canary = {modelHash: champion, percent: PERCENT_ALL}} = canaryOf(aliases);
    try {
      await this.#parts.switchModel({...canary, comment: why.slice(0, COMMENT_LENGTH_MAX)});
      this.#heard++;
      this.#isOwed = false;
    } catch (error) {
      this.#isOwed = true;
      this.#parts.tell(
        `the registry is changed, and the core was not told yet: ${formatError(error)}`,
      );
    }
  }
}

function canaryOf({challenger, canaryPercent: percent}: Aliases) {
  return challenger === null || percent === 0 ? {} : {canary: {modelHash: challenger, percent}};
}
