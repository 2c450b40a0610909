/**
 * What the reader of a watch has been told: a mark for each resource that there is, none for those
 * that are gone. A reader that comes with a token (`isComplete` false) may know any resource from
 * before it, until it is told of that one.
 */
export class ReaderView {
  readonly #isComplete: boolean;
  readonly #shown = new Set<string>();
  /** Of these the reader knows how they are; others it may know from before its token. */
  readonly #settled = new Set<string>();

  constructor(isComplete: boolean) {
    this.#isComplete = isComplete;
  }

  /** Marks that are kept. */
  get size(): number {
    return this.#shown.size + this.#settled.size;
  }

  /** The reader is shown this resource as it is. */
  show(name: string): void {
    this.#shown.add(name);
    if (!this.#isComplete) this.#settled.add(name);
  }

  /** The resource does not match, or is `gone`; says whether the reader must be told. */
  hide(name: string, isGone: boolean): boolean {
    const mayBeKnown = !this.#isComplete && !this.#settled.has(name);
    if (isGone) this.#settled.delete(name);
    else if (mayBeKnown) this.#settled.add(name);
    return this.#shown.delete(name) || mayBeKnown;
  }
}
