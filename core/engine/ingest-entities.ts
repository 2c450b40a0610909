import {ForestayError} from '../domain/errors.ts';

/** Names that are seen again are forgotten, and counted anew, this often. */
const GENERATION_MS = 3_600_000;

/**
 * How many names of hosts and VMs a cell brings within an hour. Every name costs a row of every
 * window in the owner's memory, and an edge that makes up names would take all of it.
 */
export type EntityLimit = {
  /**
   * Counts the names of a list. A list that is the same object as one before costs nothing.
   * Errors: `ENTITY_LIMIT_REACHED` if they are more than the cell may have; names that are known
   * already are always taken.
   */
  claim(cell: string, entities: readonly string[]): void;
};

type Generation = {sinceMs: number; names: Set<string>; lists: WeakSet<readonly string[]>};

export function createEntityLimit(entitiesPerCellMax: number, nowMs: () => number): EntityLimit {
  /** Oldest first. */
  const cells = new Map<string, Generation>();

  const isOver = ({sinceMs}: Generation): boolean => nowMs() - sinceMs >= GENERATION_MS;

  /** A cell that is heard no more would keep its names for ever. */
  const forgetOld = (): void => {
    for (const [cell, generation] of cells) {
      if (!isOver(generation)) return;
      cells.delete(cell);
    }
  };

  const generationOf = (cell: string): Generation => {
    const found = cells.get(cell);
    if (found !== undefined && !isOver(found)) return found;
    forgetOld();
    const fresh = {
      sinceMs: nowMs(),
      names: new Set<string>(),
      lists: new WeakSet<readonly string[]>(),
    };
    cells.set(cell, fresh);
    return fresh;
  };

  return {
    claim(cell, entities) {
      const {names, lists} = generationOf(cell);
      if (lists.has(entities)) return;
      for (const entity of entities) {
        if (names.has(entity)) continue;
        if (names.size >= entitiesPerCellMax) throw limitReached(cell, entity, entitiesPerCellMax);
        names.add(entity);
      }
      lists.add(entities);
    },
  };
}

function limitReached(cell: string, entity: string, entitiesPerCellMax: number): ForestayError {
  return new ForestayError(
    'ENTITY_LIMIT_REACHED',
    `cell ${cell} has named ${entitiesPerCellMax} hosts and VMs within an hour, the most it may; ` +
      `${entity} is one more: keep names the same over time, or split the cell`,
    {details: {cell, entity, entitiesPerCellMax}},
  );
}
