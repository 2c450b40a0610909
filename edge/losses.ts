import {comparePositions, type Position} from './frame.ts';

/** Sequences of one incarnation that will never be sent as batches. */
export type Loss = {incarnation: number; fromSeq: number; toSeq: number; reason: string};

/** More separate ones are not kept: of the oldest, only the hole in the sequence will tell. */
const lossesMax = 256;

/**
 * The list with one more loss, ascending. Neighbours of one reason become one; what is already
 * known to be lost stays as it is.
 */
export function addLoss(losses: readonly Loss[], loss: Loss): Loss[] {
  const merged: Loss[] = [];
  for (const next of [...losses, loss].sort(byStart)) {
    const last = merged.at(-1);
    if (
      last === undefined ||
      last.incarnation !== next.incarnation ||
      next.fromSeq > last.toSeq + 1
    )
      merged.push({...next});
    else if (next.reason === last.reason) last.toSeq = Math.max(last.toSeq, next.toSeq);
    else if (next.toSeq > last.toSeq) merged.push({...next, fromSeq: last.toSeq + 1});
  }
  return merged.slice(-lossesMax);
}

/** What is left of the list once everything up to `acked` is settled. */
export function afterAck(losses: readonly Loss[], acked: Position): Loss[] {
  return losses
    .filter(loss => comparePositions(endOf(loss), acked) > 0)
    .map(loss =>
      loss.incarnation === acked.incarnation
        ? {...loss, fromSeq: Math.max(loss.fromSeq, acked.seq + 1)}
        : loss,
    );
}

/** Where a loss begins. */
export const startOf = ({incarnation, fromSeq}: Loss): Position => ({incarnation, seq: fromSeq});

/** The last that is lost. */
export const endOf = ({incarnation, toSeq}: Loss): Position => ({incarnation, seq: toSeq});

const byStart = (a: Loss, b: Loss): number => comparePositions(startOf(a), startOf(b));
