/**
 * The 95th percentile of a ratio over the last hour, in constant memory: six histograms of ten
 * minutes and twenty bins each; the oldest is emptied as time goes on. Until usage models come
 * this is the forecast of a VM's and a host's need.
 */

const SLOTS = 6;
const SLOT_MS = 600_000;
const BINS = 20;
const CELLS = SLOTS * BINS;

export type Usage = {
  capacity: number;
  /** row × slots × bins; saturating counts. */
  counts: Uint16Array;
  /** Slot number (time ÷ slot length) that each row was last written in. */
  slot: Float64Array;
};

export function createUsage(capacity = 16): Usage {
  return {
    capacity,
    counts: new Uint16Array(capacity * CELLS),
    slot: new Float64Array(capacity),
  };
}

export function growUsage(usage: Usage, rows: number): void {
  if (rows <= usage.capacity) return;
  const wider = createUsage(Math.max(rows, usage.capacity * 2));
  wider.counts.set(usage.counts);
  wider.slot.set(usage.slot);
  Object.assign(usage, wider);
}

export function clearUsage(usage: Usage, row: number): void {
  usage.counts.fill(0, row * CELLS, (row + 1) * CELLS);
  usage.slot[row] = 0;
}

/** Counts one ratio; above 1 counts as 1, NaN not at all. */
export function recordUsage(usage: Usage, row: number, atMs: number, ratio: number): void {
  if (ratio !== ratio) return;
  const slot = Math.floor(atMs / SLOT_MS);
  const previous = usage.slot[row] as number;
  if (slot > previous) {
    const stale = Math.min(slot - previous, SLOTS);
    for (let back = 0; back < stale; back++) {
      const from = row * CELLS + ((slot - back) % SLOTS) * BINS;
      usage.counts.fill(0, from, from + BINS);
    }
    usage.slot[row] = slot;
  }
  const bin = Math.min(BINS - 1, Math.max(0, Math.floor(ratio * BINS)));
  const cell = row * CELLS + (slot % SLOTS) * BINS + bin;
  const count = usage.counts[cell] as number;
  if (count < 0xffff) usage.counts[cell] = count + 1;
}

/** Upper edge of the bin that holds the 95th percentile; NaN when nothing was recorded. */
export function usageP95(usage: Usage, row: number): number {
  const base = row * CELLS;
  let total = 0;
  for (let cell = base; cell < base + CELLS; cell++) total += usage.counts[cell] as number;
  if (total === 0) return Number.NaN;
  let above = total * 0.05;
  for (let bin = BINS - 1; bin >= 0; bin--) {
    for (let slot = 0; slot < SLOTS; slot++) {
      above -= usage.counts[base + slot * BINS + bin] as number;
    }
    if (above < 0) return (bin + 1) / BINS;
  }
  return 1 / BINS;
}
