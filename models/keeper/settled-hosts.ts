/**
 * Which hosts have been heard for 20 minutes: before, averages say how long a host was heard rather
 * than how it is. Of 30 simulated fleets without change all alarmed in the first 25 minutes without
 * this.
 */
import type {ObservedHost} from '../../core/domain/observed.ts';
import {SETTLED_SECONDS} from '../failure/settled-rows.ts';

const SETTLED_MS = SETTLED_SECONDS * 1000;

export class SettledHosts {
  readonly #heard = new Map<string, {readonly firstMs: number; lastMs: number}>();

  /** Takes note that the host is heard; whether its rows count. */
  hear({name, bootAtMs}: ObservedHost, atMs: number): boolean {
    const known = this.#heard.get(name);
    const since = known ?? {firstMs: atMs, lastMs: atMs};
    since.lastMs = atMs;
    if (known === undefined) this.#heard.set(name, since);
    // A host that ran when it was first heard was not heard before.
    return atMs - (bootAtMs === 0 ? since.firstMs : bootAtMs) >= SETTLED_MS;
  }

  /** Forgets hosts that were not heard since. */
  forget(beforeMs: number): void {
    for (const [name, {lastMs}] of this.#heard) if (lastMs < beforeMs) this.#heard.delete(name);
  }

  clear(): void {
    this.#heard.clear();
  }
}
