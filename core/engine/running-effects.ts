import type {IssuedEffect} from '../domain/effects.ts';

export type RunningEffect = IssuedEffect & {issuedAtMs: number};

/** Effects without a result yet, by id, and indexes of who waits for one. */
export class RunningEffects extends Map<string, RunningEffect> {
  readonly #ofHost = new Map<string, number>();
  readonly #ofVm = new Map<string, number>();

  static of(entries: Iterable<readonly [string, RunningEffect]>): RunningEffects {
    const effects = new RunningEffects();
    for (const [id, effect] of entries) effects.set(id, effect);
    return effects;
  }

  /** Whether an effect on the host itself is under way. */
  isHostBusy(host: string): boolean {
    return this.#ofHost.has(host);
  }

  isVmBusy(vm: string): boolean {
    return this.#ofVm.has(vm);
  }

  override set(id: string, effect: RunningEffect): this {
    this.delete(id);
    this.#count(effect, 1);
    return super.set(id, effect);
  }

  override delete(id: string): boolean {
    const effect = this.get(id);
    if (effect !== undefined) this.#count(effect, -1);
    return super.delete(id);
  }

  override clear(): void {
    this.#ofHost.clear();
    this.#ofVm.clear();
    super.clear();
  }

  #count({host, vm}: RunningEffect, by: number): void {
    const [counts, name] = vm === '' ? [this.#ofHost, host] : [this.#ofVm, vm];
    const count = (counts.get(name) ?? 0) + by;
    if (count === 0) counts.delete(name);
    else counts.set(name, count);
  }
}
