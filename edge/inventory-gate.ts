import type {Inventory} from '../core/domain/telemetry.ts';
import type {LimitedNote} from './note.ts';

const repeatMs = 60_000;

/**
 * Decides when an inventory travels: with the first batch, when it changed, and once a minute for
 * a core that has forgotten it. Gives it then, else undefined.
 */
export function createInventoryGate(
  read: ((nowMs: number) => Inventory) | undefined,
  note: LimitedNote,
): (nowMs: number) => Inventory | undefined {
  let last: {inventory: Inventory; text: string; atMs: number} | undefined;
  return nowMs => {
    const inventory = tryRead(read, nowMs, note);
    if (inventory === undefined) return undefined;
    const isFresh = last !== undefined && Math.abs(nowMs - last.atMs) < repeatMs;
    if (isFresh && inventory === last?.inventory) return undefined;
    const text = JSON.stringify(inventory);
    if (isFresh && last !== undefined && text === last.text) {
      last.inventory = inventory;
      return undefined;
    }
    last = {inventory, text, atMs: nowMs};
    return inventory;
  };
}

function tryRead(
  read: ((nowMs: number) => Inventory) | undefined,
  nowMs: number,
  note: LimitedNote,
): Inventory | undefined {
  try {
    return read?.(nowMs);
  } catch (error) {
    note('inventory', nowMs, `inventory: ${(error as Error).message}`);
    return undefined;
  }
}
