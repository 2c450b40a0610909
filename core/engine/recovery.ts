/**
 * A partition's state as the log tells it: the newest complete checkpoint, then the journal
 * applied (not decided again) with the inputs that each tick names.
 */
import {isForestayError} from '../domain/errors.ts';
import type {Policy} from '../domain/policy.ts';
import type {CheckpointPointer, InboxRecord, Tick} from '../domain/records.ts';
import type {TelemetryRecord} from '../domain/telemetry.ts';
import {publish} from '../events.ts';
import type {Codec, Log, LogRecord, ModelSignature, Topic} from '../ports.ts';
import {checkpointHints, readCheckpoint} from './checkpoint.ts';
import {createJournalReader, JOURNAL_START} from './journal-reader.ts';
import {createPartitionState, type PartitionState} from './partition-state.ts';
import {advance} from './tick.ts';

export type Recovered = {
  state: PartitionState;
  lastEpoch: number;
  /** Ticks that were applied on top of the checkpoint. */
  ticks: number;
  /** Offset of the checkpoint's trailer, to chain the next one to; -1: none. */
  trailerOffset: number;
};

export type RecoveryInput = {
  log: Log;
  codec: Codec;
  partition: number;
  policy: Policy;
  model: ModelSignature;
};

/** Rebuilds the state up to the journal's present end. */
export async function recover(input: RecoveryInput): Promise<Recovered> {
  const {log, codec, partition} = input;
  const found = await newestCheckpoint(input);
  const state = found?.state ?? createPartitionState(partition, input.policy, input.model);
  const reader = createJournalReader(
    codec,
    found === undefined
      ? JOURNAL_START
      : {
          offset: found.offset + 1,
          epoch: found.pointer.epoch,
          tickNumber: found.pointer.tickNumber,
        },
  );
  let ticks = 0;
  let lastEpoch = state.epoch;
  for await (const record of records(log, 'journal', partition, reader.position().offset)) {
    const item = reader.take(record);
    if (item?.kind === 'epoch') lastEpoch = Math.max(lastEpoch, item.epoch.epoch);
    if (item?.kind !== 'tick') continue;
    await applyTick(input, state, item.tick);
    ticks++;
  }
  return {state, lastEpoch, ticks, trailerOffset: found?.trailerOffset ?? -1};
}

/** Folds the inputs of a recorded tick and applies what it did. */
export async function applyTick(
  {log, codec, partition}: Pick<RecoveryInput, 'log' | 'codec' | 'partition'>,
  state: PartitionState,
  tick: Tick,
): Promise<void> {
  const {cut} = state;
  const [telemetry, inbox] = [
    await readUpTo(log, 'telemetry', partition, cut.telemetryOffset, tick.cut.telemetryOffset),
    await readUpTo(log, 'inbox', partition, cut.inboxOffset, tick.cut.inboxOffset),
  ];
  state.epoch = tick.epoch;
  const hosts = tick.risks.map(risk => risk.host);
  const width = tick.risks[0]?.risks.length ?? 0;
  const risks = new Float32Array(hosts.length * width);
  for (const [index, row] of tick.risks.entries()) risks.set(row.risks, index * width);
  advance(state, {
    timeMs: tick.timeMs,
    cut: tick.cut,
    telemetry: decodeAll(telemetry, 'telemetry', partition, bytes => codec.decodeTelemetry(bytes)),
    inbox: decodeAll(inbox, 'inbox', partition, bytes => codec.decodeInbox(bytes)),
    scores: hosts.length === 0 ? [] : [{request: tick.cut.scoreRequest, hosts, risks}],
    timers: true,
    recorded: tick,
  });
  state.tickNumber = tick.number;
}

/**
 * Decodes records of an input topic. A record that cannot be read is set aside with its reason and
 * counted; the partition goes on, and every reader skips the same one.
 */
export function decodeAll<Decoded extends TelemetryRecord | InboxRecord>(
  found: readonly LogRecord[],
  topic: Topic,
  partition: number,
  decode: (bytes: Uint8Array) => Decoded,
): Decoded[] {
  const decoded: Decoded[] = [];
  for (const {offset, value} of found) {
    try {
      decoded.push(decode(value));
    } catch (error) {
      if (!isForestayError(error)) throw error;
      publish('record.quarantined', {topic, partition, offset, code: error.code});
    }
  }
  return decoded;
}

async function readUpTo(
  log: Log,
  topic: Topic,
  partition: number,
  from: number,
  to: number,
): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  if (to <= from) return found;
  for await (const record of records(log, topic, partition, from)) {
    if (record.offset >= to) break;
    found.push(record);
    if (record.offset === to - 1) break;
  }
  return found;
}

/** All records from an offset to the end that the log had when it was asked. */
async function* records(log: Log, topic: Topic, partition: number, from: number) {
  const end = await log.endOffset(topic, partition);
  let next = from;
  while (next < end) {
    const found = await log.read(topic, partition, next);
    if (found.length === 0) return;
    yield* found;
    next = (found.at(-1) as LogRecord).offset + 1;
  }
}

type FoundCheckpoint = {
  state: PartitionState;
  pointer: CheckpointPointer;
  /** Of the pointer in the journal. */
  offset: number;
  trailerOffset: number;
};

/** Follows the hints, newest first; without a usable one the whole journal is applied. */
async function newestCheckpoint(input: RecoveryInput): Promise<FoundCheckpoint | undefined> {
  const {log, codec, partition, policy, model} = input;
  for (const hint of await checkpointHints(log, partition)) {
    for await (const record of records(log, 'journal', partition, hint.journalOffset)) {
      const decoded = codec.decodeJournal(record.value);
      if (decoded.kind !== 'checkpoint') continue;
      if (decoded.pointer.firstOffset !== hint.firstOffset) continue;
      const state = await readCheckpoint(log, partition, decoded.pointer, policy, model);
      if (state === undefined) break;
      const {trailerOffset} = hint;
      return {state, pointer: decoded.pointer, offset: record.offset, trailerOffset};
    }
  }
  return undefined;
}
