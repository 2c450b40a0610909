import {isForestayError} from '../domain/errors.ts';
import {publish} from '../events.ts';
import type {Log} from '../ports.ts';
import {CHECKPOINTS_TRIED, checkpointHints} from './checkpoint.ts';

/**
 * Tells the log what no start will look at any more: what stands before the oldest of the newest
 * checkpoints that a start tries, and before the pointer to it. Nothing, while there are fewer, or
 * while the log does not answer: the next checkpoint says as much and more. What a retry cannot mend is
 * published as `checkpoint.failed`.
 *
 * @param trailerOffset Of a checkpoint whose pointer is durable; so are those that it is chained to.
 */
export async function releaseBefore(
  log: Log,
  partition: number,
  trailerOffset: number,
): Promise<void> {
  try {
    const hints = await checkpointHints(log, partition, trailerOffset);
    const oldest = hints.at(-1);
    if (oldest === undefined || hints.length < CHECKPOINTS_TRIED) return;
    await log.release('checkpoints', partition, oldest.firstOffset);
    await log.release('journal', partition, oldest.journalOffset);
  } catch (error) {
    if (!isForestayError(error)) throw error;
    // One that lasts lets log and disk grow: it counts as a checkpoint that failed.
    if (!error.retryable) publish('checkpoint.failed', {partition, code: error.code});
  }
}
