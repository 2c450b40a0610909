/** Carries out what was decided: through the registry, and the command that switches models. */
import {formatError} from '../../core/domain/errors.ts';
import {fnv1a32} from '../../core/domain/hash.ts';
import type {ObservedRows} from '../../core/domain/observed.ts';
import type {Aliases, Author} from '../registry/aliases.ts';
import type {KeeperFinding} from '../registry/audit.ts';
import {isCooling} from './cool-down.ts';
import {CoreTold} from './core-told.ts';
import {rememberRefusals} from './keeper-memory.ts';
import type {KeeperOptions} from './keeper-parts.ts';
import {KEEPER, type KeeperSettings, type KeeperState, type Step} from './keeper-state.ts';
import {inTime} from './pair-scorers.ts';
import type {Judgement} from './shadow-book.ts';

/** The steps that change something; those that judge or say are the keeper's own. */
export type ChangingStep = Extract<
  Step,
  {kind: 'challenge' | 'canary' | 'promote' | 'withdraw' | 'rollback'}
>;

export class KeeperSteps {
  readonly #options: KeeperOptions;
  readonly #callMsMax: number;
  readonly #core: CoreTold;

  constructor(options: KeeperOptions, callMsMax: number) {
    this.#options = options;
    this.#callMsMax = callMsMax;
    this.#core = new CoreTold({
      aliases: () => this.aliases(),
      switchModel: command => this.#inTime('tell the core', options.switchModel(command)),
      tell: line => options.tell(line),
    });
  }

  author(why: string): Author {
    return {who: KEEPER, why, atMs: this.#options.clock.nowMs()};
  }

  aliases(): Aliases {
    const {registry, family} = this.#options;
    return registry.aliases(family).aliases;
  }

  /** Where nobody was promoted yet what serves becomes the champion: else nobody could challenge it. */
  async nameFirst(): Promise<void> {
    const {registry, family, mode, configured, codeVersion} = this.#options;
    if (configured === undefined || mode !== 'auto') return;
    try {
      if (this.aliases().champion !== null) return;
      const author = this.author('It served when the keeper began; nobody was promoted yet.');
      const adding = registry.importArtefact(configured, {author, codeVersion, family});
      await this.#inTime('add the served model', adding);
    } catch (error) {
      this.#options.tell(`nothing can be tended yet: ${formatError(error)}`);
    }
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

  /** Writes down how a comparison came out; without a row in it there is nothing to write. */
  recordJudgement({evaluation, verdict}: Judgement, why: string): void {
    const {registry, family} = this.#options;
    if (evaluation.gain.blocks === 0) return;
    const isOpen = verdict === 'open';
    registry.recordEvaluation(family, {...evaluation, isOpen}, this.author(why));
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
        break;
      case 'promote': {
        const promoting = registry.promote(step.hash, author, {expected: revision});
        await this.#inTime(step.kind, promoting);
        break;
      }
      case 'withdraw':
        await change({kind: 'withdraw'});
        if (seen.canaryPercent === 0) return;
        break;
      case 'rollback':
        await change({kind: 'rollback'});
    }
    await this.#core.tell();
  }

  /** Refusals and cool-down as any keeper of the family wrote them down last. */
  remember(): ReturnType<typeof rememberRefusals> {
    const {registry, family} = this.#options;
    return rememberRefusals(registry.history().records, family);
  }

  /** Whether a keeper, this one or another of the family, trains or cools down. */
  isCooling(atMs: number, settings: KeeperSettings): boolean {
    return isCooling(this.remember(), atMs, settings);
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

  /** Who scores the hosts of this core, beside who should. */
  observe(rows: ObservedRows, aliases: Aliases): void {
    this.#core.observe(rows, aliases);
  }

  /** Tells the core again what it has not heard, or does not do; quiet if it cannot be told now. */
  async settle(): Promise<void> {
    if (this.#options.mode === 'auto') await this.#core.settle();
  }

  #inTime<Value>(what: string, work: Promise<Value>): Promise<Value> {
    return inTime(this.#options.clock, this.#callMsMax, what, work);
  }
}
