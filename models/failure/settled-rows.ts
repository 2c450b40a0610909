import type {FailureData} from './data.ts';

/** The averages of a host that has been heard for less say little. */
export const SETTLED_SECONDS = 20 * 60;
/** Less is no gap: a row may be lost. */
const GAP_STEPS = 3;

/**
 * Rows of hosts that were heard for 20 minutes before, as far as rows tell: a gap of three steps
 * ends what was heard. Where rows are further apart than that, or none is left, all are.
 */
export function settledRows({rows, group, second}: FailureData): Int32Array {
  const all = Int32Array.from({length: rows}, (_, row) => row);
  const order = all
    .slice()
    .sort(
      (a, b) =>
        (group[a] as number) - (group[b] as number) ||
        (second[a] as number) - (second[b] as number),
    );
  const step = usualStep(order, group, second);
  if (!(step * GAP_STEPS < SETTLED_SECONDS)) return all;
  const isSettled = new Uint8Array(rows);
  let host = Number.NaN;
  let since = 0;
  let last = 0;
  for (const row of order) {
    const at = second[row] as number;
    if (group[row] !== host || at - last > GAP_STEPS * step) since = at;
    host = group[row] as number;
    last = at;
    isSettled[row] = Number(at - since >= SETTLED_SECONDS);
  }
  const settled = all.filter(row => isSettled[row] === 1);
  return settled.length === 0 ? all : settled;
}

/** Median time between two rows of a host; NaN without any. */
function usualStep(order: Int32Array, group: Int32Array, second: Int32Array): number {
  const steps = order
    .slice(1)
    .map((row, at) => {
      const before = order[at] as number;
      return group[row] === group[before]
        ? (second[row] as number) - (second[before] as number)
        : -1;
    })
    .filter(step => step >= 0)
    .sort();
  return steps[steps.length >> 1] ?? Number.NaN;
}
