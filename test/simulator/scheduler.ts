/**
 * Virtual time for everything that a simulation runs. Events of one instant run in the order in
 * which they were asked for; time moves on only when all that they set off has come to rest.
 */
type Event = {atMs: number; order: number; act: () => void; cancelled: boolean};

export class Scheduler {
  #nowMs: number;
  #order = 0;
  #stopped = false;
  readonly #heap: Event[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Calls `act` after so many whole milliseconds; gives what takes it back. */
  after(ms: number, act: () => void): () => void {
    const wanted = this.#nowMs + Math.max(0, Math.ceil(ms));
    const event = {atMs: wanted, order: this.#order++, act, cancelled: false};
    push(this.#heap, event);
    return () => {
      event.cancelled = true;
    };
  }

  /** The run ends after what is under way at this instant. */
  stop(): void {
    this.#stopped = true;
  }

  /** Time passes in whole milliseconds: what is sent first must not be due a fraction later. */
  async runUntil(untilMs: number): Promise<void> {
    const toMs = Math.ceil(untilMs);
    await settle();
    while (!this.#stopped) {
      const first = this.#heap[0];
      if (first === undefined || first.atMs > toMs) break;
      this.#nowMs = first.atMs;
      let ran = false;
      while (this.#heap[0] !== undefined && this.#heap[0].atMs <= this.#nowMs) {
        const event = pop(this.#heap);
        if (event.cancelled) continue;
        ran = true;
        event.act();
      }
      if (ran) await settle();
    }
    this.#nowMs = Math.max(this.#nowMs, toMs);
  }
}

/** Microtasks, and what the product puts behind a turn of the event loop, and what that sets off. */
async function settle(): Promise<void> {
  await turn();
  await turn();
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

const isBefore = (a: Event, b: Event): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(event, heap[parent] as Event)) break;
    heap[at] = heap[parent] as Event;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): Event {
  const top = heap[0] as Event;
  const last = heap.pop() as Event;
  if (heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) {
      child++;
    }
    if (!isBefore(heap[child] as Event, last)) break;
    heap[at] = heap[child] as Event;
    at = child;
  }
  heap[at] = last;
  return top;
}
