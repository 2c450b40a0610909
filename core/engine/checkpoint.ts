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
import type {Log, ModelSignature} from '../ports.ts';
import {ActorDirectory, type StoredActor} from './actor-directory.ts';
import {readRange, unanswered} from './log-range.ts';
import {createMarks, type Mark} from './marks.ts';
import {createPartitionState, type PartitionState} from './partition-state.ts';

const CHUNK_BYTES = 512 * 1024;
/** Of this layout; another one is not read but rebuilt from the journal. */
const LAYOUT = fnv1a32('forestay partition checkpoint 1');

type Stored = Omit<PartitionState, 'actors' | 'marks' | 'policy' | 'model'> & {
  layout: number;
  actors: StoredActor[];
  marks: readonly Mark[];
};

/** The state after its last written tick. Cost: about a millisecond a thousand entities. */
export function encodeState(state: PartitionState): Uint8Array {
  const {policy: _policy, model: _model, actors, marks, ...rest} = state;
  const stored: Stored = {
    ...rest,
    layout: LAYOUT,
    actors: actors.stored(),
    marks: marks.entries(),
  };
  return serialize(stored);
}

/** Errors: `CHECKPOINT_INVALID` when the bytes are not such a state. */
export function decodeState(
  bytes: Uint8Array,
  policy: Policy,
  model: ModelSignature,
): PartitionState {
  let stored: Stored;
  try {
    stored = deserialize(bytes) as Stored;
  } catch (cause) {
    throw invalid('its bytes cannot be read', cause);
  }
  if (stored?.layout !== LAYOUT) throw invalid('it has another layout');
  const {layout: _layout, actors, marks, ...rest} = stored;
  const directory = new ActorDirectory();
  for (const actor of actors) {
    directory.start(actor.kind, actor.id.slice(actor.id.indexOf('/') + 1), actor);
  }
  return {
    ...createPartitionState(stored.partition, policy, model),
    ...rest,
    actors: directory,
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
 */
export async function checkpointHints(
  log: Log,
  partition: number,
): Promise<{journalOffset: number; firstOffset: number; trailerOffset: number}[]> {
  const hints: {journalOffset: number; firstOffset: number; trailerOffset: number}[] = [];
  const startOffset = await log.startOffset('checkpoints', partition);
  let at = (await log.endOffset('checkpoints', partition)) - 1;
  while (at >= startOffset && hints.length < HINTS_MAX) {
    const [record] = await log.read('checkpoints', partition, at, 1);
    if (record === undefined) throw unanswered('checkpoints', partition, at, at + 1);
    const trailer = record.offset === at ? parseTrailer(record.value) : undefined;
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

const HINTS_MAX = 3;
const TRAILER_BYTES_MAX = 200;

function parseTrailer(bytes: Uint8Array): Trailer | undefined {
  if (bytes.byteLength > TRAILER_BYTES_MAX) return undefined;
  try {
    const trailer = JSON.parse(Buffer.from(bytes).toString()) as Trailer;
    return Number.isInteger(trailer.journalOffset) ? trailer : undefined;
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
  const parts: Uint8Array[] = [];
  let next = pointer.firstOffset;
  const end = pointer.firstOffset + pointer.chunks;
  if (end > (await log.endOffset('checkpoints', partition))) return undefined;
  for await (const record of readRange(log, 'checkpoints', partition, next, end)) {
    if (record.offset !== next++) return undefined;
    parts.push(record.value);
  }
  if (next < end) return undefined;
  const bytes = Buffer.concat(parts);
  if (crc32(bytes) !== pointer.crc32) return undefined;
  try {
    return decodeState(bytes, policy, model);
  } catch (error) {
    if (isForestayError(error, 'CHECKPOINT_INVALID')) return undefined;
    throw error;
  }
}

function invalid(why: string, cause?: unknown): ForestayError {
  return new ForestayError(
    'CHECKPOINT_INVALID',
    `a checkpoint cannot be used: ${why}; the state is rebuilt from an older one and the journal`,
    cause === undefined ? {} : {cause},
  );
}
