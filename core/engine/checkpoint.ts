/**
 * A partition's whole state as bytes, and back. Written in chunks to the checkpoints topic; the
 * journal's pointer says which run of chunks counts, so a torn checkpoint is never believed.
 */
import {deserialize, serialize} from 'node:v8';
import {crc32} from 'node:zlib';
import {ForestayError, isForestayError} from '../domain/errors.ts';
import {fnv1a32} from '../domain/hash.ts';
import type {Policy} from '../domain/policy.ts';
import type {CheckpointPointer} from '../domain/records.ts';
import type {Log, LogRecord, ModelSignature} from '../ports.ts';
import {
  fitActors,
  fitVms,
  type StoredActors,
  type StoredVms,
  storeActors,
  storeVms,
} from './checkpoint-fleet.ts';
import {readRange, unanswered} from './log-range.ts';
import {createMarks, type Mark} from './marks.ts';
import {createPartitionState, type PartitionState} from './partition-state.ts';
import {RunningEffects} from './running-effects.ts';
import {fitTable, type StoredTable, storeTable} from './set-table.ts';
import {SortedMap} from './sorted-map.ts';

const CHUNK_BYTES = 512 * 1024;
/** Of this layout; another one is not read but rebuilt from the journal. */
const LAYOUT = fnv1a32('forestay partition checkpoint 18');
export const LAYOUT_BYTES = 4;

type Stored = Omit<
  PartitionState,
  'actors' | 'marks' | 'policy' | 'model' | 'canary' | 'tables' | 'vms'
> & {
  tables: Map<string, StoredTable>;
  vms: StoredVms;
  actors: StoredActors;
  marks: readonly Mark[];
};

/** The state after its last written tick. Cost: about a millisecond a thousand entities. */
export function encodeState(state: PartitionState): Uint8Array {
  const {policy: _policy, model: _model, canary: _canary, actors, marks, ...rest} = state;
  const stored: Stored = {
    ...rest,
    tables: new Map([...rest.tables].map(([name, table]) => [name, storeTable(table)])),
    vms: storeVms(rest.hosts, rest.vms),
    actors: storeActors(actors),
    marks: marks.entries(),
  };
  const layout = Buffer.alloc(LAYOUT_BYTES);
  layout.writeUInt32LE(LAYOUT);
  return Buffer.concat([layout, serialize(stored)]);
}

/**
 * The bytes must be ones that {@link encodeState} gave, of this or another version: the reader of
 * V8 is not made for anything else, so that a checksum has to say so before.
 *
 * Errors: `CHECKPOINT_INVALID` when they are of another layout.
 */
export function decodeState(
  bytes: Uint8Array,
  policy: Policy,
  model: ModelSignature,
): PartitionState {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (head.length <= LAYOUT_BYTES || head.readUInt32LE() !== LAYOUT) {
    throw invalid('it has another layout');
  }
  let stored: Stored;
  try {
    stored = deserialize(bytes.subarray(LAYOUT_BYTES)) as Stored;
  } catch (cause) {
    throw invalid('its bytes cannot be read', cause);
  }
  const {actors, marks, ...rest} = stored;
  return {
    ...createPartitionState(stored.partition, policy, model),
    ...rest,
    tables: new Map([...rest.tables].map(([name, table]) => [name, fitTable(table, model)])),
    hosts: SortedMap.of(rest.hosts),
    vms: fitVms(rest.hosts, rest.vms),
    running: RunningEffects.of(rest.running),
    actors: fitActors(actors),
    marks: createMarks(marks),
  };
}

/** What stands behind the chunks: where in the journal to look for the pointer. */
type Trailer = {journalOffset: number; firstOffset: number; previous: number};

/**
 * Appends the chunks and a trailer; the checkpoint counts once its pointer is in the journal.
 *
 * @param journalOffset Where the pointer will stand, or a little before.
 * @param previous Offset of the last checkpoint's trailer; -1: there is none.
 */
export async function writeCheckpoint(
  log: Log,
  state: PartitionState,
  journalOffset: number,
  previous: number,
): Promise<{pointer: CheckpointPointer; bytes: number; trailerOffset: number}> {
  const bytes = encodeState(state);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) {
    chunks.push(bytes.subarray(at, at + CHUNK_BYTES));
  }
  const firstOffset = await log.append('checkpoints', state.partition, chunks);
  const trailer: Trailer = {journalOffset, firstOffset, previous};
  const trailerOffset = await log.append('checkpoints', state.partition, [
    Buffer.from(JSON.stringify(trailer)),
  ]);
  const pointer = {
    epoch: state.epoch,
    tickNumber: state.tickNumber,
    firstOffset,
    chunks: chunks.length,
    crc32: crc32(bytes),
  };
  return {pointer, bytes: bytes.byteLength, trailerOffset};
}

/**
 * Where in the journal the newest checkpoints' pointers are, newest first: a start reads the end
 * of two topics, not thirty days of journal. Empty when there is no readable trailer.
 *
 * @param newest Offset of the trailer to begin with; the last record unless given.
 */
export async function checkpointHints(
  log: Log,
  partition: number,
  newest?: number,
): Promise<{journalOffset: number; firstOffset: number; trailerOffset: number}[]> {
  const hints: {journalOffset: number; firstOffset: number; trailerOffset: number}[] = [];
  const startOffset = await log.startOffset('checkpoints', partition);
  let at = newest ?? (await log.endOffset('checkpoints', partition)) - 1;
  while (at >= startOffset && hints.length < CHECKPOINTS_TRIED) {
    const record = await readOne(log, partition, at);
    const trailer = record?.offset === at ? parseTrailer(record.value, at) : undefined;
    if (trailer === undefined) {
      // A crash between chunks and trailer leaves chunks at the end: look before them.
      at--;
      continue;
    }
    hints.push({
      journalOffset: trailer.journalOffset,
      firstOffset: trailer.firstOffset,
      trailerOffset: at,
    });
    at = trailer.previous;
  }
  return hints;
}

/** A start passes over so many damaged checkpoints before it reads the whole journal. */
export const CHECKPOINTS_TRIED = 3;
const TRAILER_BYTES_MAX = 200;

/** The first record from `at` on; undefined if it is damaged, and the log does not skip that. */
async function readOne(log: Log, partition: number, at: number): Promise<LogRecord | undefined> {
  try {
    const [record] = await log.read('checkpoints', partition, at, 1);
    if (record === undefined) throw unanswered('checkpoints', partition, at, at + 1);
    return record;
  } catch (error) {
    if (isForestayError(error, 'LOG_CORRUPT')) return undefined;
    throw error;
  }
}

function parseTrailer(bytes: Uint8Array, at: number): Trailer | undefined {
  if (bytes.byteLength > TRAILER_BYTES_MAX) return undefined;
  try {
    const trailer = JSON.parse(Buffer.from(bytes).toString()) as Trailer;
    const {journalOffset, firstOffset, previous} = trailer;
    const isPlausible = journalOffset >= 0 && firstOffset < at && previous < firstOffset;
    return isPlausible && Number.isInteger(journalOffset + firstOffset + previous)
      ? {journalOffset, firstOffset, previous}
      : undefined;
  } catch {
    return undefined;
  }
}

/** The state that a pointer names, or undefined when its chunks are gone or damaged. */
export async function readCheckpoint(
  log: Log,
  partition: number,
  pointer: CheckpointPointer,
  policy: Policy,
  model: ModelSignature,
): Promise<PartitionState | undefined> {
  try {
    const bytes = await readChunks(log, partition, pointer);
    if (bytes === undefined || crc32(bytes) !== pointer.crc32) return undefined;
    return decodeState(bytes, policy, model);
  } catch (error) {
    if (isForestayError(error, 'CHECKPOINT_INVALID')) return undefined;
    if (isForestayError(error, 'LOG_CORRUPT')) return undefined;
    throw error;
  }
}

async function readChunks(
  log: Log,
  partition: number,
  {firstOffset, chunks}: CheckpointPointer,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  const end = firstOffset + chunks;
  let next = firstOffset;
  if (end > (await log.endOffset('checkpoints', partition))) return undefined;
  for await (const record of readRange(log, 'checkpoints', partition, next, end)) {
    if (record.offset !== next++) return undefined;
    parts.push(record.value);
  }
  return next < end ? undefined : Buffer.concat(parts);
}

function invalid(why: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'CHECKPOINT_INVALID',
    `a checkpoint cannot be used: ${why}; the state is rebuilt from an older one and the journal`,
    cause === undefined ? {} : {cause},
  );
}
