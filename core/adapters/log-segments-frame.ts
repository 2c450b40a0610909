import {crc32} from 'node:zlib';

/**
 * A record in a segment file, little-endian:
 *
 *     length u32 · crc32 u32 · offset f64 · synced f64 · value
 *
 * `length` is the value's. The CRC covers everything but itself. `synced` is how much of this file
 * was durable when the record was written: that tells a torn write from damage. A bad record below
 * the `synced` of a later one was acknowledged and has rotted; one above was never promised.
 */
export const frameHeaderBytes = 24;

export type Frame = {
  offset: number;
  synced: number;
  value: Uint8Array;
  /** Where the next frame begins. */
  next: number;
};

/** Writes a frame into `target` at `at`, which must have room; gives where it ends. */
export function writeFrame(
  target: Buffer,
  at: number,
  offset: number,
  synced: number,
  value: Uint8Array,
): number {
  const end = at + frameHeaderBytes + value.length;
  target.writeUInt32LE(value.length, at);
  target.writeDoubleLE(offset, at + 8);
  target.writeDoubleLE(synced, at + 16);
  target.set(value, at + frameHeaderBytes);
  target.writeUInt32LE(checksum(target, at, end), at + 4);
  return end;
}

/**
 * The frame at `at`: nothing if its bytes are not all there, `damaged` if they are not what was
 * written. The value is a view of `bytes`.
 */
export function readFrame(bytes: Buffer, at: number): Frame | 'damaged' | undefined {
  if (at + frameHeaderBytes > bytes.length) return undefined;
  const next = at + frameHeaderBytes + bytes.readUInt32LE(at);
  if (next > bytes.length) return undefined;
  if (bytes.readUInt32LE(at + 4) !== checksum(bytes, at, next)) return 'damaged';
  return {
    offset: bytes.readDoubleLE(at + 8),
    synced: bytes.readDoubleLE(at + 16),
    value: bytes.subarray(at + frameHeaderBytes, next),
    next,
  };
}

/** Whether a record that was written after the one at `at` says that `at` had been durable. */
export function wasSynced(bytes: Buffer, at: number, offset: number): boolean {
  const isProof = (synced: number, position: number) => synced > at && synced <= position;
  return nextFrame(bytes, at, offset, isProof) !== undefined;
}

/**
 * The first whole record behind `at`, with a later offset than the one expected there. Looks at
 * every byte position, so it also finds its way after a damaged length; only used once damage is
 * found. The cheap tests come first.
 */
export function nextFrame(
  bytes: Buffer,
  at: number,
  offset: number,
  isWanted: (synced: number, position: number) => boolean = () => true,
): {offset: number; position: number} | undefined {
  for (let position = at + 1; position + frameHeaderBytes <= bytes.length; position++) {
    const found = bytes.readDoubleLE(position + 8);
    if (!(found > offset && found < offset + bytes.length)) continue;
    if (!isWanted(bytes.readDoubleLE(position + 16), position)) continue;
    const frame = readFrame(bytes, position);
    if (frame !== undefined && frame !== 'damaged') return {offset: found, position};
  }
  return undefined;
}

function checksum(bytes: Buffer, at: number, end: number): number {
  const ofLength = crc32(bytes.subarray(at, at + 4));
  return crc32(bytes.subarray(at + 8, end), ofLength);
}
