/**
 * When which actor wants to be told that its time has passed: a binary heap by time, so that a tick
 * looks only at what is due, however many wait. An entry that was replaced stays in the heap until it
 * comes up, and is then left out; the heap is made anew when most of it is such entries.
 */
type Entry = {dueMs: number; id: string};

const SPARE_MIN = 64;

export class Deadlines {
  readonly #dueMs = new Map<string, number>();
  #heap: Entry[] = [];

  /** Sets when an id is due, in place of what was set before; 0: never. O(log n). */
  set(id: string, dueMs: number): void {
    if (dueMs <= 0) {
      this.#dueMs.delete(id);
      return;
    }
    if (this.#dueMs.get(id) === dueMs) return;
    this.#dueMs.set(id, dueMs);
    this.#push({dueMs, id});
    if (this.#heap.length > 2 * this.#dueMs.size + SPARE_MIN) this.#rebuild();
  }

  /**
   * Ids that are due at this time, in ascending order. They stay due until they are set anew: an
   * actor that ignores its deadline is told again. O(due × log n).
   */
  due(nowMs: number): string[] {
    const due = new Map<string, Entry>();
    for (let top = this.#heap[0]; top !== undefined && top.dueMs <= nowMs; top = this.#heap[0]) {
      this.#pop();
      if (this.#dueMs.get(top.id) === top.dueMs) due.set(top.id, top);
    }
    for (const entry of due.values()) this.#push(entry);
    return [...due.keys()].sort();
  }

  #rebuild(): void {
    // An array in ascending order is a heap.
    this.#heap = [...this.#dueMs]
      .map(([id, dueMs]) => ({dueMs, id}))
      .sort((a, b) => a.dueMs - b.dueMs);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((heap[above] as Entry).dueMs <= entry.dueMs) break;
      heap[at] = heap[above] as Entry;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      const right = heap[below + 1];
      if (right !== undefined && right.dueMs < (heap[below] as Entry).dueMs) below++;
      if ((heap[below] as Entry).dueMs >= last.dueMs) break;
      heap[at] = heap[below] as Entry;
      at = below;
    }
    heap[at] = last;
  }
}
