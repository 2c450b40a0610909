/**
 * Writes fields of Protocol Buffers into one growing block: for messages of which there are
 * thousands, about five times as fast as the generated writer, which makes objects of all of them.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */

import {strict as assert} from 'node:assert';

const LENGTH_DELIMITED = 2;
const VARINT = 0;
const FIXED_64 = 1;
/** What one field may need beside its text: tag and length. */
const HEAD_BYTES = 16;

/** A block that grew beyond this is not kept. */
const KEPT_BYTES_MAX = 1 << 20;

export class WireWriter {
  #bytes = Buffer.allocUnsafeSlow(4096);
  #at = 0;

  /** The bytes of what is written meanwhile. */
  bytesOf(write: () => void): Uint8Array {
    this.#at = 0;
    write();
    const bytes = new Uint8Array(this.#bytes.subarray(0, this.#at));
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = Buffer.allocUnsafeSlow(4096);
    return bytes;
  }

  /** As all fields here: left out if it says nothing. */
  text(field: number, value: string): void {
    if (value === '') return;
    this.#reserve(3 * value.length + HEAD_BYTES);
    this.#tag(field, LENGTH_DELIMITED);
    const start = this.#at;
    this.#at += sizeOf(value.length);
    this.#at += this.#bytes.write(value, this.#at, 'utf8');
    this.#close(start, sizeOf(value.length));
  }

  whole(field: number, value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, `${value} is no whole number`);
    if (value === 0) return;
    this.#reserve(2 * HEAD_BYTES);
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  double(field: number, value: number): void {
    if (Object.is(value, 0)) return;
    this.#reserve(2 * HEAD_BYTES);
    this.#tag(field, FIXED_64);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** A message within; it is there even if it is empty. */
  message(field: number, write: () => void): void {
    this.#reserve(HEAD_BYTES);
    this.#tag(field, LENGTH_DELIMITED);
    const start = this.#at;
    // Most take two bytes to say how long they are.
    this.#at += 2;
    write();
    this.#close(start, 2);
  }

  /** Fields that were written by another writer. */
  fields(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Writes the length of what follows `start`, for which so many bytes were left. */
  #close(start: number, left: number): void {
    const length = this.#at - start - left;
    const size = sizeOf(length);
    if (size !== left) {
      this.#reserve(HEAD_BYTES);
      this.#bytes.copyWithin(start + size, start + left, this.#at);
    }
    this.#at = start;
    this.#varint(length);
    this.#at += length;
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  #reserve(more: number): void {
    const wanted = this.#at + more;
    if (wanted <= this.#bytes.length) return;
    const wider = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * this.#bytes.length));
    wider.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = wider;
  }
}

/** Bytes of a varint. */
function sizeOf(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++;
  return size;
}
