import type {CellTotals} from './api/status.ts';
import {listen} from './events.ts';

/** Counts per cell since this process started, from the engine's own events. */
export function countTotals(): {cells(): CellTotals[]; close(): void} {
  const totals = new Map<string, CellTotals>();
  const add = (cell: string, field: Exclude<keyof CellTotals, 'cell'>, count: number) => {
    const found = totals.get(cell) ?? {
      cell,
      ingestedSamples: 0,
      storedSamples: 0,
      scoredRows: 0,
      transitions: 0,
    };
    found[field] += count;
    totals.set(cell, found);
  };
  const listeners = [
    listen('batch.accepted', ({cell, samples}) => add(cell, 'ingestedSamples', samples)),
    listen('samples.stored', ({cell, count}) => add(cell, 'storedSamples', count)),
    listen('scores.taken', ({cell, rows}) => add(cell, 'scoredRows', rows)),
    listen('transition.made', ({cell}) => add(cell, 'transitions', 1)),
  ];
  return {
    cells: () => [...totals.values()].sort((a, b) => (a.cell < b.cell ? -1 : 1)),
    close: () => {
      for (const stop of listeners) stop();
    },
  };
}
