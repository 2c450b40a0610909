/** What is asked of the log, and told to it, when a partition starts. */
import {ForestayError} from '../domain/errors.ts';
import {MODES, type Mode} from '../domain/policy.ts';
import {publish} from '../events.ts';
import type {Clock, Codec, Log} from '../ports.ts';
import {checkpointHints} from './checkpoint.ts';
import type {PartitionState} from './partition-state.ts';

/** More than this is not what a damaged sector or a torn write takes from the end of a file. */
const TAIL_RECORDS_MAX = 10_000;

/**
 * Damage in the last records of a segment looks like a write that was cut short: they are cut off,
 * although they had been taken. Records of nothing stand in for them, so that offsets go on; they
 * are set aside like any that cannot be read. A topic that is gone as a whole is something else.
 */
async function fillTail(log: Log, partition: number, end: number, taken: number): Promise<boolean> {
  if (end === 0 || taken - end > TAIL_RECORDS_MAX) return false;
  const nothing = new Uint8Array(0);
  await log.append('telemetry', partition, Array(taken - end).fill(nothing));
  for (let offset = end; offset < taken; offset++) {
    publish('record.quarantined', {topic: 'telemetry', partition, offset, code: 'LOG_CORRUPT'});
  }
  return true;
}

/**
 * A journal that ends before what a checkpoint says that it held has lost decisions that were taken,
 * and effects that were begun. A checkpoint is written after all the ticks that it speaks of are
 * durable, so it is never the earlier one. To be asked before a claim: its record would stand in for
 * one that is gone.
 *
 * Errors: `LOG_CORRUPT`, those of the log.
 */
export async function requireJournal(log: Log, partition: number): Promise<void> {
  const hints = await checkpointHints(log, partition);
  const held = Math.max(0, ...hints.map(({journalOffset}) => journalOffset));
  const end = await log.endOffset('journal', partition);
  if (end >= held) return;
  throw new ForestayError(
    'LOG_CORRUPT',
    `partition ${partition} cannot start: its journal ends at offset ${end}, a checkpoint was written when it had reached ${held}; ` +
      'restore its files, or move the files of all topics of this partition away to start it anew',
    {details: {partition, topic: 'journal', end, held}},
  );
}

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
    if (end >= taken || (topic === 'telemetry' && (await fillTail(log, partition, end, taken)))) {
      continue;
    }
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
 * file and restarts means it. More than before takes a command. A configuration that says nothing
 * leaves what was commanded, else a fleet that acts would stop to act where a second core joins it.
 */
export async function restrain(
  options: {log: Log; codec: Codec; clock: Clock; modeMax?: Mode | undefined},
  {partition, control, epoch}: PartitionState,
): Promise<void> {
  const {log, codec, clock, modeMax: mode = control.mode} = options;
  if (MODES.indexOf(mode) >= MODES.indexOf(control.mode)) return;
  const record = codec.encodeInbox({
    kind: 'set-mode',
    mode,
    requestId: `configuration/${partition}/${epoch}`,
    atMs: clock.nowMs(),
    author: 'configuration',
  });
  await log.append('inbox', partition, [record]);
}
