/**
 * Lists of entities that were read before. An edge names the same hosts and VMs in every batch, so
 * its list is compared, byte by byte, instead of read again. Equal lists are one object: who has
 * checked or looked up a list once can know it by its identity.
 */
import type {WireCursor} from './wire-cursor.ts';

const ENTITY_TAG = 4 * 8 + 2;
/** Bytes of lists that are remembered; then it forgets them all. Names and places are as much again. */
const BYTES_MAX = 32 * 2 ** 20;

type Known = {bytes: Buffer; entities: readonly string[]};

export function createEntityLists(bytesMax = BYTES_MAX) {
  let known = new Map<string, Known>();
  let knownBytes = 0;

  const keep = (source: string, bytes: Uint8Array, entities: readonly string[]): void => {
    const before = known.get(source)?.bytes.length ?? 0;
    if (knownBytes - before + bytes.length > bytesMax) {
      known = new Map();
      knownBytes = 0;
    } else {
      knownBytes -= before;
    }
    if (bytes.length > bytesMax) return;
    knownBytes += bytes.length;
    known.set(source, {bytes: Buffer.from(bytes), entities});
  };

  return {
    /**
     * Reads a run of `entities` fields that begins at `from`; the cursor stands behind the first
     * tag. Throws what the cursor throws.
     */
    read(cursor: WireCursor, from: number, source: string): readonly string[] {
      const {bytes, end} = cursor;
      const last = known.get(source);
      if (last !== undefined) {
        const to = from + last.bytes.length;
        const isSame = to <= end && last.bytes.compare(bytes, from, to) === 0;
        // What follows must not be one more of them.
        if (isSame && (to === end || bytes[to] !== ENTITY_TAG)) {
          cursor.at = to;
          return last.entities;
        }
      }
      const entities = [cursor.ascii()];
      while (!cursor.isAtEnd() && bytes[cursor.at] === ENTITY_TAG) {
        cursor.at++;
        entities.push(cursor.ascii());
      }
      keep(source, bytes.subarray(from, cursor.at), entities);
      return entities;
    },
  };
}

/** Those of this process. */
export const entityLists = createEntityLists();
