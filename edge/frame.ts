import {crc32} from 'node:zlib';

/** What travels and is stored under one name: the sequence within an incarnation of the spool. */
export type Position = {incarnation: number; seq: number};

/** Before every batch. */
export const START: Position = {incarnation: 0, seq: 0};

/** Negative if `a` comes before `b`, 0 if they are the same. */
export function comparePositions(a: Position, b: Position): number {
  return a.incarnation - b.incarnation || a.seq - b.seq;
}

/** Length of the body, CRC of all that follows, incarnation, sequence. Little-endian. */
const headerBytes = 20;

/** Bytes that a frame takes on disk. */
export const frameBytes = (body: Uint8Array): number => headerBytes + body.length;

/** The frame of a body in two chunks, so that the body is not copied. */
export function encodeFrame({incarnation, seq}: Position, body: Uint8Array): Uint8Array[] {
  const header = new Uint8Array(headerBytes);
  const view = new DataView(header.buffer);
  view.setUint32(0, body.length, true);
  view.setUint32(8, incarnation, true);
  view.setFloat64(12, seq, true);
  view.setUint32(4, crc32(body, crc32(header.subarray(8))), true);
  return [header, body];
}

export type Frame = Position & {body: Uint8Array};

/** How the frames of a file end: at its end, within an unfinished write, or in a damaged byte. */
export type FramesEnd = 'whole' | 'torn' | 'damaged';

/**
 * The frames of a file up to the first that is not whole. Bodies share memory with `bytes`.
 * A write that was cut short reaches the end of the file; anything else that is wrong is damage.
 */
export function decodeFrames(bytes: Uint8Array): {
  frames: Frame[];
  validBytes: number;
  end: FramesEnd;
} {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + headerBytes > bytes.length) return {frames, validBytes: at, end: 'torn'};
    const end = at + headerBytes + view.getUint32(at, true);
    const whole = end <= bytes.length;
    if (!whole || crc32(bytes.subarray(at + 8, end)) !== view.getUint32(at + 4, true))
      return {frames, validBytes: at, end: end >= bytes.length ? 'torn' : 'damaged'};
    frames.push({
      incarnation: view.getUint32(at + 8, true),
      seq: view.getFloat64(at + 12, true),
      body: bytes.subarray(at + headerBytes, end),
    });
    at = end;
  }
  return {frames, validBytes: at, end: 'whole'};
}
