/** What an edge's spool has kept from before something that is known. */
import type {PartitionState, VmEntry} from './partition-state.ts';

/**
 * After this long an edge is believed that its clock is behind. Until then what it says is taken for
 * what its spool has kept: an edge that was cut off for half an hour tells half an hour of old news.
 */
export const OLD_NEWS_MS = 60 * 60_000;

/** Whether an inventory is from before something that is known: it says nothing of what came after. */
export function isOldNews({timeMs}: PartitionState, madeAtMs: number, knownAtMs: number): boolean {
  return madeAtMs < knownAtMs && timeMs - knownAtMs < OLD_NEWS_MS;
}

/** When it was last known where a VM is: by a move's result or an inventory. */
export function knownAtMs({movedAtMs, seenAtMs}: VmEntry): number {
  return Math.max(movedAtMs, seenAtMs);
}
