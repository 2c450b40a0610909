/**
 * Records that arrived behind a refused batch and wait for the gap in its place. Above the bound
 * they are dropped: the next one after the gap is then out of order, and all come again on a new
 * stream. They do not count as pending, or a full stream could never read the gap.
 */
export type HeldBack = {
  /** A batch was refused: what comes now waits. */
  open(): void;
  isOpen(): boolean;
  add(bytes: Uint8Array): void;
  /** The gap is here: gives what waited, in order. */
  close(): readonly Uint8Array[];
};

export function createHeldBack(bytesMax: number): HeldBack {
  let records: Uint8Array[] | undefined;
  let heldBytes = 0;
  return {
    open() {
      records = [];
      heldBytes = 0;
    },
    isOpen: () => records !== undefined,
    add(bytes) {
      heldBytes += bytes.length;
      if (heldBytes <= bytesMax) records?.push(bytes);
    },
    close() {
      const waiting = records ?? [];
      records = undefined;
      return waiting;
    },
  };
}
