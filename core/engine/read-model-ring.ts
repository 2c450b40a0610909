import assert from 'node:assert/strict';

/** The last `capacity` items. Adding one more drops the oldest. */
export class Ring<Item> {
  readonly #items: Item[] = [];
  readonly capacity: number;
  /** Where the next item goes once the ring is full: the place of the oldest. */
  #next = 0;

  constructor(capacity: number) {
    assert(capacity > 0);
    this.capacity = capacity;
  }

  get size(): number {
    return this.#items.length;
  }

  /** Gives what was dropped, if anything. */
  push(item: Item): Item | undefined {
    if (this.#items.length < this.capacity) {
      this.#items.push(item);
      return undefined;
    }
    const dropped = this.#items[this.#next];
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.capacity;
    return dropped;
  }

  *newestFirst(): Generator<Item> {
    const {length} = this.#items;
    for (let back = 1; back <= length; back++) {
      yield this.#items[(this.#next - back + 2 * length) % length] as Item;
    }
  }
}
