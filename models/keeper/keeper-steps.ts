/** Carries out what was decided: through the registry, and the command that switches models. */
import {formatError} from '../../core/domain/errors.ts';
import {fnv1a32} from '../../core/domain/hash.ts';
import {PERCENT_ALL} from '../../core/domain/model-use.ts';
import type {Aliases, Author} from '../registry/aliases.ts';
import type {KeeperFinding} from '../registry/audit.ts';
import {trainingCoolDown} from './keeper-memory.ts';
import type {KeeperOptions} from './keeper-parts.ts';
import type {KeeperState, Step} from './keeper-state.ts';
import {inTime} from './pair-scorers.ts';

export const KEEPER = 'keeper';

type SwitchCommand = {modelHash: string; percent: number; comment: string};

/** The steps that change something; those that judge or say are the keeper's own. */
export type ChangingStep = Extract<
  Step,
  {kind: 'challenge' | 'canary' | 'promote' | 'withdraw' | 'rollback'}
>;

export class KeeperSteps {
  readonly #options: KeeperOptions;
  readonly #callMsMax: number;
  /** What the core is still to be told: the registry was changed, and the command did not get through. */
  #owed: SwitchCommand | undefined;

  constructor(options: KeeperOptions, callMsMax: number) {
    this.#options = options;
    this.#callMsMax = callMsMax;
  }

  author(why: string): Author {
    return {who: KEEPER, why, atMs: this.#options.clock.nowMs()};
  }

  aliases(): Aliases {
    const {registry, family} = this.#options;
    return registry.aliases(family).aliases;
  }

  /** Writes down what was found. */
  record(
    what: KeeperFinding,
    hash: string | null,
    {refusals, coolDownUntilMs}: Pick<KeeperState, 'refusals' | 'coolDownUntilMs'>,
    atMs: number,
    why: string,
  ): void {
    const {registry, family} = this.#options;
    const until = Number.isFinite(coolDownUntilMs) ? coolDownUntilMs : null;
    const keeper = {atMs, refusals, coolDownUntilMs: until};
    registry.recordFinding(family, {what, hash, keeper}, this.author(why));
  }

  /**
   * Changes the aliases as they were when it was decided, then tells the core.
   *
   * @throws {ForestayError} `REGISTRY_CONFLICT` if somebody was first; those of opening what gets a
   *   name; `TIMED_OUT`.
   */
  async change(step: ChangingStep, {aliases: seen}: KeeperState): Promise<void> {
    const {registry, family} = this.#options;
    const {revision} = seen;
    const author = this.author(step.why);
    const change = (wanted: Parameters<typeof registry.change>[1]) =>
      this.#inTime(step.kind, registry.change(family, wanted, author, revision));
    switch (step.kind) {
      case 'challenge':
        await change({kind: 'challenge', hash: step.hash});
        return;
      case 'canary':
        await change({kind: 'canary', percent: step.percent});
        await this.#tellCore({modelHash: step.hash, percent: step.percent, comment: step.why});
        return;
      case 'promote': {
        const promoting = registry.promote(step.hash, author, {expected: revision});
        const {champion} = await this.#inTime(step.kind, promoting);
        await this.#serve(champion, step.why);
        return;
      }
      case 'withdraw': {
        const {champion} = await change({kind: 'withdraw'});
        if (seen.canaryPercent > 0) await this.#serve(champion, step.why);
        return;
      }
      case 'rollback': {
        const {champion} = await change({kind: 'rollback'});
        await this.#serve(champion, step.why);
      }
    }
  }

  /** Whether a keeper, this one or another of the family, trains or has just done so. */
  isCooling(atMs: number, coolDownMsMax: number): boolean {
    const {registry, family} = this.#options;
    const untilMs = trainingCoolDown(registry.history().records, family);
    return atMs < untilMs && untilMs - atMs <= coolDownMsMax;
  }

  /**
   * Trains and takes what came of it into the registry.
   *
   * @returns Its hash.
   */
  async train(
    {parent, why}: Extract<Step, {kind: 'train'}>,
    atMs: number,
    signal: AbortSignal,
  ): Promise<string> {
    const {registry, family, codeVersion, train} = this.#options;
    const seed = fnv1a32(`${parent} ${atMs}`);
    const {folder, dataHash} = await train({parent: registry.folderOf(parent), seed}, signal);
    const author = this.author(why);
    const entry = await registry.add(folder, {author, codeVersion, family, parent, dataHash});
    return entry.hash;
  }

  /** Says again what the core has not heard yet; quiet if it has, or cannot be told now either. */
  async settle(): Promise<void> {
    if (this.#owed !== undefined) await this.#tellCore(this.#owed);
  }

  async #serve(modelHash: string | null, comment: string): Promise<void> {
    if (modelHash === null) return;
    await this.#tellCore({modelHash, percent: PERCENT_ALL, comment});
  }

  /** The aliases are changed already: what cannot be told now is told at the next look. */
  async #tellCore(command: SwitchCommand): Promise<void> {
    this.#owed = command;
    try {
      const comment = command.comment.slice(0, COMMENT_LENGTH_MAX);
      await this.#inTime('tell the core', this.#options.switchModel({...command, comment}));
      this.#owed = undefined;
    } catch (error) {
      this.#options.tell(
        `the registry is changed, and the core was not told yet: ${formatError(error)}`,
      );
    }
  }

  #inTime<Value>(what: string, work: Promise<Value>): Promise<Value> {
    return inTime(this.#options.clock, this.#callMsMax, what, work);
  }
}

const COMMENT_LENGTH_MAX = 1000;
