/**
 * Lists of entities that were read before. An edge names the same hosts and VMs in every batch, so
 * its list is compared, byte by byte, instead of read again. Equal lists are one object: who has
 * checked or looked up a list once can know it by its identity.
 */
import type {WireCursor} from './wire-cursor.ts';

const ENTITY_TAG = 4 * 8 + 2;
/** Bytes of lists that are remembered; then it forgets them all. Names and places are as much again. */
const BYTES_MAX = 32 * 2 ** 20;

/** Up to here a loop is quicker than the call of a native function. */
const LOOP_BYTES_MAX = 256;

type Known = {bytes: Uint8Array; entities: readonly string[]};

export function createEntityLists(bytesMax = BYTES_MAX) {
  let known = new Map<number, Known>();
  let knownBytes = 0;

  const keep = (key: number, bytes: Uint8Array, entities: readonly string[]): void => {
    knownBytes += bytes.length - (known.get(key)?.bytes.length ?? 0);
    if (knownBytes > bytesMax) {
      known = new Map();
      knownBytes = bytes.length;
    }
    known.set(key, {bytes: Uint8Array.from(bytes), entities});
  };

  return {
    /**
     * Reads a run of `entities` fields that begins at `from`; the cursor stands behind the first
     * tag. Throws what the cursor throws.
     */
    read(cursor: WireCursor, from: number): readonly string[] {
      const {bytes, end} = cursor;
      const key = keyOf(bytes, from, end);
      const last = known.get(key);
      if (last !== undefined) {
        const to = from + last.bytes.length;
        // What follows must not be one more of them.
        const isWhole = to === end || (to < end && bytes[to] !== ENTITY_TAG);
        if (isWhole && isSame(last.bytes, bytes, from)) {
          cursor.at = to;
          return last.entities;
        }
      }
      const entities = [cursor.ascii()];
      while (!cursor.isAtEnd() && bytes[cursor.at] === ENTITY_TAG) {
        cursor.at++;
        entities.push(cursor.ascii());
      }
      keep(key, bytes.subarray(from, cursor.at), entities);
      return entities;
    },
  };
}

/** Of the first name, which is that of one edge alone; others with the same key take its place. */
function keyOf(bytes: Uint8Array, from: number, end: number): number {
  const to = Math.min(end, from + 2 + (bytes[from + 1] as number));
  let key = 0;
  for (let at = from; at < to; at++) key = (Math.imul(key, 31) + (bytes[at] as number)) | 0;
  // Small enough to be a number without a box.
  return key & 0x3fff_ffff;
}

function isSame(known: Uint8Array, bytes: Uint8Array, from: number): boolean {
  if (known.length > LOOP_BYTES_MAX) {
    const {buffer, byteOffset, length} = bytes;
    return (
      Buffer.from(buffer, byteOffset, length).compare(
        known,
        0,
        known.length,
        from,
        from + known.length,
      ) === 0
    );
  }
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[from + at]) return false;
  return true;
}

/** Those of this process. */
export const entityLists = createEntityLists();
