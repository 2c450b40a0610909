import type {IssuedEffect} from '../domain/effects.ts';
import {entityOf} from './effect-address.ts';

export type RunningEffect = IssuedEffect & {issuedAtMs: number};

/** Effects without a result yet, by id, and an index of who waits for one. */
export class RunningEffects extends Map<string, RunningEffect> {
  readonly #ofEntity = new Map<string, number>();

  static of(entries: Iterable<readonly [string, RunningEffect]>): RunningEffects {
    const effects = new RunningEffects();
    for (const [id, effect] of entries) effects.set(id, effect);
    return effects;
  }

  /** Whether an effect of this actor (`hosts/h01`, `vms/v17`) is under way. */
  isBusy(entity: string): boolean {
    return this.#ofEntity.has(entity);
  }

  override set(id: string, effect: RunningEffect): this {
    this.delete(id);
    this.#count(entityOf(effect), 1);
    return super.set(id, effect);
  }

  override delete(id: string): boolean {
    const effect = this.get(id);
    if (effect !== undefined) this.#count(entityOf(effect), -1);
    return super.delete(id);
  }

  override clear(): void {
    this.#ofEntity.clear();
    super.clear();
  }

  #count(entity: string, by: number): void {
    const count = (this.#ofEntity.get(entity) ?? 0) + by;
    if (count === 0) this.#ofEntity.delete(entity);
    else this.#ofEntity.set(entity, count);
  }
}
