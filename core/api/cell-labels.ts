/** Cells that are counted by name. A cell is what an edge says it is: anybody can make up names. */
const CELLS_MAX = 1_000;
/** What all others are counted under, together. */
export const OTHER_CELLS = '_others';

/** Gives each of the first thousand cells its own name as a label, and later ones a common one. */
export function createCellLabels(cellsMax = CELLS_MAX): (cell: string) => string {
  const named = new Set<string>();
  return cell => {
    if (named.size < cellsMax) named.add(cell);
    return named.has(cell) ? cell : OTHER_CELLS;
  };
}
