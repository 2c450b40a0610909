/**
 * Columns of f32 as bytes. Typed arrays have the byte order of the machine and the wire is
 * little-endian; every machine that Node runs on today is, and the check below holds it so.
 */
import {strict as assert} from 'node:assert';
import {endianness} from 'node:os';
import {constants, zstdCompressSync, zstdDecompressSync} from 'node:zlib';

assert.equal(endianness(), 'LE', 'typed arrays are taken as the wire has them: little-endian');

/** The bytes of a typed array, not copied. */
export function bytesOf(
  array: Float32Array | Float64Array | Uint16Array | Uint32Array,
): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The floats in `bytes` (a multiple of four): a view where they are aligned, else a copy. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  if (bytes.byteOffset % 4 === 0) {
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  }
  return copyFloats(bytes);
}

/** The floats in `bytes`, in memory that nobody else has. */
export function copyFloats(bytes: Uint8Array): Float32Array {
  const copy = copyAligned(bytes);
  return new Float32Array(copy.buffer, copy.byteOffset, copy.length / 4);
}

const POOL_BYTES = 1 << 16;
let pool = new ArrayBuffer(POOL_BYTES);
let poolAt = 0;

/**
 * Memory that starts at a multiple of eight, to be written at once: what is in it is not zero. Small
 * pieces are cut from one block: a block of their own costs most of a microsecond, and the collector
 * as much again.
 */
export function alignedBytes(length: number): Uint8Array<ArrayBuffer> {
  if (length > POOL_BYTES / 8) return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  if (poolAt + length > POOL_BYTES) {
    pool = new ArrayBuffer(POOL_BYTES);
    poolAt = 0;
  }
  const bytes = new Uint8Array(pool, poolAt, length);
  poolAt = (poolAt + length + 7) & ~7;
  return bytes;
}

/** A copy that typed arrays of any width can look at. */
export function copyAligned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = alignedBytes(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Shuffles f32 bytes by significance, where neighbours are alike, and compresses them. */
export function packFloats(values: Float32Array): Uint8Array {
  return zstdCompressSync(shuffle(bytesOf(values)), {
    params: {[constants.ZSTD_c_compressionLevel]: 1},
  });
}

/**
 * Undoes {@link packFloats}. Throws what zlib throws, also when the result would be longer than
 * `bytesMax`: a small message must not become a large one.
 */
export function unpackFloats(packed: Uint8Array, bytesMax: number): Uint8Array {
  return unshuffle(zstdDecompressSync(packed, {maxOutputLength: bytesMax}));
}

function shuffle(bytes: Uint8Array): Uint8Array {
  const count = bytes.length / 4;
  const shuffled = new Uint8Array(bytes.length);
  for (let value = 0, at = 0; value < count; value++, at += 4) {
    shuffled[value] = bytes[at] as number;
    shuffled[count + value] = bytes[at + 1] as number;
    shuffled[2 * count + value] = bytes[at + 2] as number;
    shuffled[3 * count + value] = bytes[at + 3] as number;
  }
  return shuffled;
}

function unshuffle(shuffled: Uint8Array): Uint8Array {
  const count = Math.floor(shuffled.length / 4);
  const bytes = new Uint8Array(shuffled.length);
  for (let value = 0, at = 0; value < count; value++, at += 4) {
    bytes[at] = shuffled[value] as number;
    bytes[at + 1] = shuffled[count + value] as number;
    bytes[at + 2] = shuffled[2 * count + value] as number;
    bytes[at + 3] = shuffled[3 * count + value] as number;
  }
  return bytes;
}
