/**
 * Names of devices that were read before. A host names a dozen in every sample, and most hosts of a
 * fleet the same ones: a name that is known is compared, not made again.
 */
import {NotPlain, type WireCursor} from './wire-cursor.ts';

/** A power of two. A name takes the place of another whose hash ends like its own. */
const NAMES_MAX = 4096;
/** Longer ones are not remembered: with this all of them take a third of a megabyte. */
const NAME_BYTES_MAX = 64;

export function createNames() {
  const known = new Array<string>(NAMES_MAX).fill('');
  return {
    /** Reads a string of ASCII alone; throws what the cursor throws. */
    read(cursor: WireCursor): string {
      const start = cursor.at;
      const length = cursor.varint();
      if (length > NAME_BYTES_MAX) {
        cursor.at = start;
        return cursor.ascii();
      }
      const {bytes, at: from} = cursor;
      const to = from + length;
      if (to > cursor.end) throw NotPlain;
      let hash = length;
      for (let at = from; at < to; at++) hash = (Math.imul(hash, 31) + (bytes[at] as number)) | 0;
      const place = (hash ^ (hash >>> 12)) & (NAMES_MAX - 1);
      const name = known[place] as string;
      if (!isSame(name, bytes, from, to)) {
        cursor.at = start;
        known[place] = cursor.ascii();
        return known[place];
      }
      cursor.at = to;
      return name;
    },
  };
}

function isSame(name: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let at = from; at < to; at++) {
    if (name.charCodeAt(at - from) !== bytes[at]) return false;
  }
  return true;
}
