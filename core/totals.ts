import {createCellLabels} from './api/cell-labels.ts';
import type {CellTotals} from './api/status.ts';
import {listen} from './events.ts';

/** Counts per cell since this process started, from the engine's own events. */
export function countTotals(storedSamples: () => ReadonlyMap<string, number>): {
  cells(): CellTotals[];
  close(): void;
} {
  const totals = new Map<string, CellTotals>();
  const labelOf = createCellLabels();
  const of = (name: string): CellTotals => {
    const cell = labelOf(name);
    const found = totals.get(cell) ?? {
      cell,
      ingestedSamples: 0,
      storedSamples: 0,
      scoredRows: 0,
      transitions: 0,
    };
    totals.set(cell, found);
    return found;
  };
  const listeners = [
    listen('batch.accepted', ({cell, samples}) => {
      of(cell).ingestedSamples += samples;
    }),
    listen('scores.taken', ({cell, rows}) => {
      of(cell).scoredRows += rows;
    }),
    listen('transition.made', ({cell}) => {
      of(cell).transitions++;
    }),
  ];
  return {
    cells() {
      for (const cell of totals.values()) cell.storedSamples = 0;
      for (const [cell, count] of storedSamples()) of(cell).storedSamples += count;
      return [...totals.values()].sort((a, b) => (a.cell < b.cell ? -1 : 1));
    },
    close: () => {
      for (const stop of listeners) stop();
    },
  };
}
