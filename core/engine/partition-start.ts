/** What is asked of the log, and told to it, when a partition starts. */
import {ForestayError} from '../domain/errors.ts';
import {MODES, type Policy} from '../domain/policy.ts';
import type {Clock, Codec, Log} from '../ports.ts';
import type {PartitionState} from './partition-state.ts';

/**
 * An input that ends before what the journal has taken of it would be read as silence for ever.
 * Errors: `LOG_CORRUPT`.
 */
export async function requireInputs(log: Log, {partition, cut}: PartitionState): Promise<void> {
  for (const [topic, taken] of [
    ['telemetry', cut.telemetryOffset],
    ['inbox', cut.inboxOffset],
  ] as const) {
    const end = await log.endOffset(topic, partition);
    if (end >= taken) continue;
    throw new ForestayError(
      'LOG_CORRUPT',
      `partition ${partition} cannot start: its ${topic} ends at offset ${end}, the journal has taken it up to ${taken}; ` +
        'restore its files, or move the files of all topics of this partition away to start it anew',
      {details: {partition, topic, end, taken}},
    );
  }
}

/**
 * A start never lets a partition do more than its configuration says: who writes `observe` into a
 * file and restarts means it. More than before takes a command.
 */
export async function restrain(
  {log, codec, clock, policy}: {log: Log; codec: Codec; clock: Clock; policy: Policy},
  {partition, control, epoch}: PartitionState,
): Promise<void> {
  if (MODES.indexOf(policy.mode) >= MODES.indexOf(control.mode)) return;
  const record = codec.encodeInbox({
    kind: 'set-mode',
    mode: policy.mode,
    requestId: `configuration/${partition}/${epoch}`,
    atMs: clock.nowMs(),
    author: 'configuration',
  });
  await log.append('inbox', partition, [record]);
}
