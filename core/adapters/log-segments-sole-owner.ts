import {PARTITIONS} from '../domain/hash.ts';
import type {Membership, OwnershipHandler} from '../ports.ts';

/** Partitions that are restored at once: enough to overlap disk waits, few enough for memory. */
const parallelHandovers = 8;
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
    await inParallel(PARTITIONS, async partition => {
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
      await inParallel([...held], async partition => {
        held.delete(partition);
        await handler.revoking(partition, deadlineMs);
      });
    },
  };
}

/** Stops at the first failure, and throws it once what was begun is over. */
async function inParallel(
  partitions: readonly number[],
  act: (partition: number) => Promise<void>,
): Promise<void> {
  const queue = [...partitions];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await act(next);
  };
  const workers = Array.from({length: parallelHandovers}, () =>
    worker().catch((error: unknown) => {
      queue.length = 0;
      throw error;
    }),
  );
  const failed = (await Promise.allSettled(workers)).find(({status}) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
