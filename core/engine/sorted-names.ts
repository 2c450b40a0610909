/**
 * Names in order, for pages. Adding and deleting cost nothing until the next reading, which merges
 * what has changed: O(names), and nothing if nothing has.
 */
export class SortedNames {
  #sorted: string[] = [];
  #added: string[] = [];
  readonly #deleted = new Set<string>();

  /** A name that is not there. */
  add(name: string): void {
    if (this.#deleted.size > 0) this.#merge();
    this.#added.push(name);
  }

  /** A name that is there. */
  delete(name: string): void {
    // One that was added and deleted and comes again is in one list at a time.
    if (this.#added.length > 0) this.#merge();
    this.#deleted.add(name);
  }

  /** All names after this one, in order; from the first if it is undefined. */
  *after(last: string | undefined): Generator<string> {
    this.#merge();
    const sorted = this.#sorted;
    const first = last === undefined ? 0 : countUpTo(sorted, last);
    for (let index = first; index < sorted.length; index++) yield sorted[index] as string;
  }

  #merge(): void {
    if (this.#added.length === 0 && this.#deleted.size === 0) return;
    const added = this.#added.sort();
    const merged: string[] = [];
    let next = 0;
    for (const name of this.#sorted) {
      while (next < added.length && (added[next] as string) < name) {
        merged.push(added[next++] as string);
      }
      if (!this.#deleted.has(name)) merged.push(name);
    }
    while (next < added.length) merged.push(added[next++] as string);
    // A page that is being read keeps the list that it began with.
    this.#sorted = merged;
    this.#added = [];
    this.#deleted.clear();
  }
}

/** How many of the sorted names are not after this one. */
function countUpTo(sorted: readonly string[], name: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) <= name) low = middle + 1;
    else high = middle;
  }
  return low;
}
