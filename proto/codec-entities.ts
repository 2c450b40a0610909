/**
 * Lists of entities that were read before. An edge names the same hosts and VMs in every batch, so
 * its list is compared, byte by byte, instead of read again. Equal lists are one object: who has
 * checked or looked up a list once can know it by its identity.
 */
import type {WireCursor} from './wire-cursor.ts';

const ENTITY_TAG = 4 * 8 + 2;
/** What the lists that are remembered take in memory, about; then it forgets them all. */
const BYTES_MAX = 64 * 2 ** 20;
/** What a list and each of its names take beside its bytes on the wire, as measured. */
const LIST_BYTES = 384;
const NAME_BYTES = 48;

/** Up to here a loop is quicker than the call of a native function. */
const LOOP_BYTES_MAX = 256;

type Known = {bytes: Uint8Array; entities: readonly string[]};

/** Short lists are mostly what is around them: their bytes alone are no bound. */
const sizeOf = ({bytes, entities}: Known): number =>
  bytes.length + LIST_BYTES + NAME_BYTES * entities.length;

export function createEntityLists(bytesMax = BYTES_MAX) {
  let known = new Map<number, Known>();
  let knownBytes = 0;

  const keep = (key: number, list: Known): void => {
    const before = known.get(key);
    knownBytes += sizeOf(list) - (before === undefined ? 0 : sizeOf(before));
    if (knownBytes > bytesMax) {
      known = new Map();
      knownBytes = sizeOf(list);
    }
    known.set(key, list);
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
      keep(key, {bytes: Uint8Array.from(bytes.subarray(from, cursor.at)), entities});
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
