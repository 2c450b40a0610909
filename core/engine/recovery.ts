/**
 * A partition's state as the log tells it: the newest complete checkpoint, then the journal
 * applied (not decided again) with the inputs that each tick names.
 */
import {ForestayError} from '../domain/errors.ts';
import type {ModelUse} from '../domain/model-use.ts';
import type {Policy} from '../domain/policy.ts';
import type {CheckpointPointer, Cut, Tick} from '../domain/records.ts';
import {publish} from '../events.ts';
import type {Codec, Log, LogRecord, ModelSignature, Topic} from '../ports.ts';
import {checkpointHints, readCheckpoint} from './checkpoint.ts';
import {createJournalReader, JOURNAL_START} from './journal-reader.ts';
import {readable, readableTelemetry} from './log-decoding.ts';
import {type LogReads, readRange} from './log-range.ts';
import {adopt, type KnownModels, namedModels} from './model-switch.ts';
import {createPartitionState, type PartitionState} from './partition-state.ts';
import {readAhead} from './read-ahead.ts';
import {recordedScores} from './score-result.ts';
import type {ServedModels} from './served-models.ts';
import {advance} from './tick.ts';
import type {RecordedTick, TickInput} from './tick-draft.ts';

export type Recovered = {
  state: PartitionState;
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
  /** Where models are opened that commands had asked for; absent: the given one serves. */
  models?: Pick<ServedModels, 'open'> | undefined;
  /** As configured now: score every so many samples; absent or 0: score hosts. */
  everySamples?: number;
};

/**
 * Rebuilds the state up to the journal's present end. A journal record that cannot be read is set
 * aside if the ticks around it show that it was none: somebody else has written into the topic.
 *
 * Errors: those of the log; `LOG_CORRUPT` if a tick is missing, or all before a journal whose
 * beginning is gone, for want of a checkpoint that can be read.
 */
export async function recover(input: RecoveryInput): Promise<Recovered> {
  const {codec, partition} = input;
  // A tick takes a little of what one read gives.
  const log = readAhead(input.log);
  const found = await newestCheckpoint(input);
  const state = found?.state ?? createPartitionState(partition, input.policy, input.model);
  if (state.use !== undefined) adopt(state, state.use, await openNamed(input, state.use));
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
  await requireStart(input, reader.position().offset);
  let ticks = 0;
  let badOffset = -1;
  const badRecord = (offset: number, {code}: ForestayError) => {
    badOffset = offset;
    publish('record.quarantined', {topic: 'journal', partition, offset, code});
  };
  for await (const record of records(log, 'journal', partition, reader.position().offset)) {
    const [item] = readable([record], () => reader.take(record), badRecord);
    if (item?.kind !== 'tick') continue;
    if (badOffset >= 0 && item.tick.number !== state.tickNumber + 1) {
      throw tickMissing(partition, badOffset, state.tickNumber, item.tick.number);
    }
    badOffset = -1;
    await applyTick({...input, log}, state, item.tick);
    ticks++;
  }
  // Journal ticks say how they were made; from here on it is as configured.
  state.everySamples = input.everySamples ?? 0;
  if (state.everySamples === 0) state.unscored = [];
  return {state, ticks, trailerOffset: found?.trailerOffset ?? -1};
}

/** What retention took of a journal is in a checkpoint, or it is lost: commands, acts, who is where. */
async function requireStart({log, partition}: RecoveryInput, from: number): Promise<void> {
  const start = await log.startOffset('journal', partition);
  if (start <= from) return;
  throw new ForestayError(
    'LOG_CORRUPT',
    `partition ${partition} cannot start: its journal begins at offset ${start}, and no checkpoint can be read that ` +
      `reaches beyond ${from}; restore its checkpoints, or move the files of all topics of this partition away to ` +
      'start it anew',
    {details: {partition, start, from}},
  );
}

type Inputs = Pick<RecoveryInput, 'codec' | 'partition' | 'models'> & {log: LogReads};

/**
 * Folds the inputs of a recorded tick, and of the quiet ones before it, and applies what it did.
 * Gives the tick as it came out: the recorded one, if the fold is what it was.
 */
export async function applyTick(input: Inputs, state: PartitionState, tick: Tick): Promise<Tick> {
  state.epoch = tick.epoch;
  const {quiet = []} = tick;
  const {models: _switched, restraints: _restrained, ...unswitched} = tick;
  for (const {timeMs, cut} of quiet) {
    const inputs = await inputsOf(input, state, {timeMs, cut, risks: []});
    advance(state, {...inputs, recorded: {...unswitched, ...NOTHING_DONE}});
  }
  const {tick: made} = advance(state, {...(await inputsOf(input, state, tick)), recorded: tick});
  state.tickNumber = tick.number;
  return quiet.length === 0 ? made : {...made, quiet};
}

/** All that a replay takes of what a tick did, from one that did nothing. */
const NOTHING_DONE: Pick<RecordedTick, 'transitions' | 'effects' | 'decisions'> = {
  transitions: [],
  effects: [],
  decisions: [],
};

/** What a tick of the journal took, as it was: the log's records up to its cut, and its risks. */
export async function inputsOf(
  {log, codec, partition, models}: Inputs,
  {cut: from}: PartitionState,
  tick: Pick<Tick, 'timeMs' | 'cut' | 'risks' | 'sampleRisks' | 'models'>,
): Promise<TickInput> {
  const telemetry = await readUpTo(log, 'telemetry', partition, from, tick.cut);
  const inbox = await readUpTo(log, 'inbox', partition, from, tick.cut);
  return {
    timeMs: tick.timeMs,
    cut: tick.cut,
    telemetry: readableTelemetry(
      telemetry,
      {from: from.telemetryOffset, to: tick.cut.telemetryOffset},
      codec,
    ),
    inbox: readable(inbox, bytes => codec.decodeInbox(bytes)),
    scores: recordedScores(tick),
    ...(tick.models && {models: await openNamed({models}, tick.models)}),
    timers: true,
  };
}

async function openNamed(
  {models}: Pick<RecoveryInput, 'models'>,
  use: ModelUse,
): Promise<KnownModels> {
  const known = new Map<string, ModelSignature | string>();
  if (models === undefined) return known;
  for (const hash of namedModels(use)) known.set(hash, await models.open(hash));
  return known;
}

async function readUpTo(
  log: LogReads,
  topic: 'telemetry' | 'inbox',
  partition: number,
  after: Cut,
  until: Cut,
): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  const [from, to] = [after[`${topic}Offset`], until[`${topic}Offset`]];
  if (to <= from) return found;
  for await (const record of records(log, topic, partition, from)) {
    if (record.offset < to) found.push(record);
    if (record.offset >= to - 1) break;
  }
  return found;
}

/** All records from an offset to the end that the log had when it was asked. */
async function* records(log: LogReads, topic: Topic, partition: number, from: number) {
  yield* readRange(log, topic, partition, from, await log.endOffset(topic, partition));
}

function tickMissing(partition: number, offset: number, last: number, next: number): ForestayError {
  return new ForestayError(
    'LOG_CORRUPT',
    `partition ${partition} cannot start: its journal has no tick between ${last} and ${next}, and the record at offset ${offset} cannot be read; ` +
      'restore its files, or move the files of all topics of this partition away to start it anew',
    {details: {partition, topic: 'journal', offset, last, next}},
  );
}

type FoundCheckpoint = {
  state: PartitionState;
  pointer: CheckpointPointer;
  /** Of the pointer in the journal. */
  offset: number;
  trailerOffset: number;
};

/**
 * Follows the hints, newest first; without a usable one the whole journal is applied. A pointer
 * that stands behind the EPOCH of a later owner was written by a former one, and does not count.
 */
export async function newestCheckpoint(input: RecoveryInput): Promise<FoundCheckpoint | undefined> {
  const {log, codec, partition, policy, model} = input;
  for (const hint of await checkpointHints(log, partition)) {
    let epoch = 0;
    for await (const record of records(log, 'journal', partition, hint.journalOffset)) {
      const [decoded] = readable([record], bytes => codec.decodeJournal(bytes));
      if (decoded === undefined) continue;
      if (decoded.kind === 'epoch') epoch = Math.max(epoch, decoded.epoch.epoch);
      if (decoded.kind !== 'checkpoint') continue;
      if (decoded.pointer.firstOffset !== hint.firstOffset) continue;
      if (decoded.pointer.epoch < epoch) break;
      const state = await readCheckpoint(log, partition, decoded.pointer, policy, model);
      if (state === undefined) break;
      const {trailerOffset} = hint;
      return {state, pointer: decoded.pointer, offset: record.offset, trailerOffset};
    }
  }
  return undefined;
}
