/**
 * The models that a core has open: the configured one, and those that commands asked for. Shared by
 * its partitions, which come to a command at different times.
 */
import {formatError, isForestayError} from '../domain/errors.ts';
import {publish} from '../events.ts';
import type {ModelSignature, ModelSource, Scorer} from '../ports.ts';

/** Open at once, the configured one not counted: a champion, a canary, the former ones of both. */
const OPEN_MAX = 4;

export class ServedModels {
  readonly #first: Scorer;
  readonly #source: ModelSource | undefined;
  /** By hash, the one that was asked for last at the end. */
  readonly #open = new Map<string, Scorer>();
  readonly #opening = new Map<string, Promise<ModelSignature | string>>();

  constructor(first: Scorer, source?: ModelSource) {
    this.#first = first;
    this.#source = source;
  }

  /** The scorer of a model that is open; undefined: it is not. */
  scorerOf(hash: string): Scorer | undefined {
    return this.#first.signature().hash === hash ? this.#first : this.#open.get(hash);
  }

  /** Opens a model, or says why it cannot be. Asked for again while it opens, it is opened once. */
  async open(hash: string): Promise<ModelSignature | string> {
    const scorer = this.scorerOf(hash);
    if (scorer !== undefined) {
      if (this.#open.delete(hash)) this.#open.set(hash, scorer);
      return scorer.signature();
    }
    let opening = this.#opening.get(hash);
    if (opening === undefined) {
      opening = this.#openFrom(hash).finally(() => this.#opening.delete(hash));
      this.#opening.set(hash, opening);
    }
    return await opening;
  }

  async #openFrom(hash: string): Promise<ModelSignature | string> {
    if (this.#source === undefined) return 'this core has no registry of models';
    try {
      const scorer = await this.#source.open(hash);
      this.#open.set(hash, scorer);
      publish('model.opened', {model: hash});
      return scorer.signature();
    } catch (error) {
      if (!isForestayError(error)) throw error;
      publish('model.refused', {model: hash, code: error.code});
      return formatError(error);
    }
  }

  /**
   * Lets go of models that no partition uses, but for the last few, of which one may be wanted back,
   * and for the one that was asked for last: a command for it may be about to be taken.
   */
  async keep(used: ReadonlySet<string>): Promise<void> {
    const spare = [...this.#open.keys()].filter(hash => !used.has(hash)).slice(0, -1);
    for (const hash of spare.slice(0, Math.max(0, this.#open.size - OPEN_MAX))) {
      const scorer = this.#open.get(hash);
      this.#open.delete(hash);
      await scorer?.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#opening.values());
    for (const scorer of this.#open.values()) await scorer.close();
    this.#open.clear();
  }
}
