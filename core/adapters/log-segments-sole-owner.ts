import {eachAtOnce} from '../domain/concurrency.ts';
import {PARTITIONS} from '../domain/hash.ts';
import type {Membership, OwnershipHandler} from '../ports.ts';

/** Partitions that are restored at once: enough to overlap disk waits, few enough for memory. */
const parallelMax = 8;
const revokeMs = 5_000;

/** A membership that its log can end without asking. */
export type SoleOwner = Membership & {
  /** Tells the handler that everything is gone; used when the log closes first. */
  drop(): void;
};

/**
 * Ownership where nobody else can join: every partition is handed over at once and stays.
 *
 * Resolves when all are handed over. If the handler throws, those it has are `lost` again and the
 * error is passed on: a partition that cannot be restored is not something to retry blindly.
 */
export async function ownAll(handler: OwnershipHandler, nowMs: () => number): Promise<SoleOwner> {
  const held = new Set<number>();
  const drop = (): void => {
    for (const partition of held) handler.lost(partition);
    held.clear();
  };
  try {
    await eachAtOnce(PARTITIONS, parallelMax, async partition => {
      await handler.assigned(partition);
      held.add(partition);
    });
  } catch (error) {
    drop();
    throw error;
  }
  return {
    drop,
    leave: async () => {
      const deadlineMs = nowMs() + revokeMs;
      await eachAtOnce([...held], parallelMax, async partition => {
        held.delete(partition);
        await handler.revoking(partition, deadlineMs);
      });
    },
  };
}
