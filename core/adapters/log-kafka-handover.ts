import type {OwnershipHandler} from '../ports.ts';

/** Partitions that are restored at once. */
const parallelMax = 8;

/**
 * Turns "these are yours now" into calls of an ownership handler. A partition that stays is not
 * touched; one that goes is `lost` at once, even while it is being taken over; and it is taken over
 * again only when the earlier attempt is through.
 */
export class Handover {
  readonly #handler: OwnershipHandler;
  readonly #wanted = new Set<number>();
  readonly #held = new Set<number>();
  /** Being taken over; stays here until `assigned` is through, also if it is lost meanwhile. */
  readonly #taking = new Map<number, {lost: boolean}>();
  #working = 0;
  #ended = false;
  #settled = Promise.withResolvers<void>();

  constructor(handler: OwnershipHandler) {
    this.#handler = handler;
  }

  /** What this process holds, or is about to. */
  get wanted(): ReadonlySet<number> {
    return this.#wanted;
  }

  /** Makes `partitions` the ones to hold; resolves when all of them are, if nothing else comes. */
  assign(partitions: Iterable<number>): Promise<void> {
    // A rebalance may still be under way while we leave.
    const next = new Set(this.#ended ? [] : partitions);
    for (const partition of [...this.#wanted]) if (!next.has(partition)) this.#lose(partition);
    for (const partition of next) this.#wanted.add(partition);
    this.#settled = Promise.withResolvers();
    // Whoever called earlier may have stopped waiting.
    this.#settled.promise.catch(() => {});
    this.#work();
    return this.#settled.promise;
  }

  /** Everything is gone already. */
  loseAll(): void {
    for (const partition of [...this.#wanted]) this.#lose(partition);
  }

  /** Takes nothing over any more. */
  end(): void {
    this.#ended = true;
  }

  /** Gives everything back; resolves when the handler is through with it. */
  async revokeAll(deadlineMs: number): Promise<void> {
    for (const partition of [...this.#wanted])
      if (!this.#held.has(partition)) this.#lose(partition);
    const held = [...this.#held];
    this.#wanted.clear();
    this.#held.clear();
    await Promise.all(held.map(partition => this.#handler.revoking(partition, deadlineMs)));
  }

  #lose(partition: number): void {
    this.#wanted.delete(partition);
    const taking = this.#taking.get(partition);
    if (taking !== undefined) taking.lost = true;
    if (this.#held.delete(partition) || taking !== undefined) this.#handler.lost(partition);
  }

  #work(): void {
    const next = [...this.#wanted].filter(p => !this.#held.has(p) && !this.#taking.has(p));
    for (const partition of next.slice(0, parallelMax - this.#working)) {
      this.#working++;
      void this.#take(partition);
    }
    if (this.#working === 0) this.#settled.resolve();
  }

  async #take(partition: number): Promise<void> {
    const state = {lost: false};
    this.#taking.set(partition, state);
    try {
      await this.#handler.assigned(partition);
      if (!state.lost) this.#held.add(partition);
    } catch (error) {
      // What it cannot restore it does not own.
      this.#wanted.delete(partition);
      this.#settled.reject(error);
    }
    this.#taking.delete(partition);
    this.#working--;
    this.#work();
  }
}
