/**
 * A map whose keys are also known in ascending order, which is what makes a fold's order canonical.
 * They are sorted again only after keys have come or gone.
 */
export class SortedMap<Value> extends Map<string, Value> {
  #sorted: readonly string[] | undefined;

  static of<Value>(entries: Iterable<readonly [string, Value]>): SortedMap<Value> {
    const map = new SortedMap<Value>();
    for (const [key, value] of entries) map.set(key, value);
    return map;
  }

  sortedKeys(): readonly string[] {
    this.#sorted ??= [...this.keys()].sort();
    return this.#sorted;
  }

  override set(key: string, value: Value): this {
    if (!this.has(key)) this.#sorted = undefined;
    return super.set(key, value);
  }

  override delete(key: string): boolean {
    this.#sorted = undefined;
    return super.delete(key);
  }

  override clear(): void {
    this.#sorted = undefined;
    super.clear();
  }
}
