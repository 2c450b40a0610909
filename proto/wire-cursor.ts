/**
 * Reads the few shapes of the protobuf wire that a batch is made of. Everything that is not plainly
 * one of them throws {@link NotPlain}: the caller then asks the general reader, whose errors and
 * leniency are the ones that count.
 */

/** Thrown, never shown: one object, because a stack costs more than a message. */
export const NotPlain = new Error('not a plain message');

const {fromCharCode} = String;

export class WireCursor {
  readonly bytes: Uint8Array;
  #buffer: Buffer | undefined;
  at: number;
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
  }

  isAtEnd(): boolean {
    return this.at >= this.end;
  }

  /** A varint below 2^53. */
  varint(): number {
    const {bytes} = this;
    let byte = this.#next(bytes);
    if (byte < 128) return byte;
    let value = byte & 127;
    for (let factor = 128; factor < 2 ** 53; factor *= 128) {
      byte = this.#next(bytes);
      value += (byte & 127) * factor;
      if (byte >= 128) continue;
      if (value > Number.MAX_SAFE_INTEGER) throw NotPlain;
      return value;
    }
    throw NotPlain;
  }

  /** An unsigned varint of 32 bits. */
  uint32(): number {
    const value = this.varint();
    if (value > 0xffff_ffff) throw NotPlain;
    return value;
  }

  /** A word of an enum; none of ours is negative. */
  enumWord(): number {
    const value = this.varint();
    if (value > 0x7fff_ffff) throw NotPlain;
    return value;
  }

  /** A zigzag varint of 64 bits, small enough for a number. */
  sint(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  fixed32(): number {
    const {bytes, at} = this;
    this.#skip(4);
    return (
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24)) >>>
      0
    );
  }

  /** A view of the bytes of a length-delimited field. */
  view(): Uint8Array {
    const length = this.varint();
    const from = this.at;
    this.#skip(length);
    return this.bytes.subarray(from, from + length);
  }

  /** A string of ASCII alone. */
  ascii(): string {
    const length = this.varint();
    const {bytes, at} = this;
    this.#skip(length);
    for (let index = at; index < this.at; index++) {
      if ((bytes[index] as number) >= 128) throw NotPlain;
    }
    if (length > 64) return this.#asBuffer().toString('latin1', at, this.at);
    let text = '';
    for (let index = at; index < this.at; index++) text += fromCharCode(bytes[index] as number);
    return text;
  }

  /** Narrows the cursor to a nested message; gives what {@link leave} takes. */
  enter(): number {
    const length = this.varint();
    const outer = this.end;
    if (this.at + length > outer) throw NotPlain;
    this.end = this.at + length;
    return outer;
  }

  leave(outer: number): void {
    this.at = this.end;
    this.end = outer;
  }

  /** Goes over a length-delimited field. */
  skipView(): void {
    this.#skip(this.varint());
  }

  #asBuffer(): Buffer {
    const {buffer, byteOffset, byteLength} = this.bytes;
    this.#buffer ??= Buffer.from(buffer, byteOffset, byteLength);
    return this.#buffer;
  }

  #next(bytes: Uint8Array): number {
    if (this.at >= this.end) throw NotPlain;
    return bytes[this.at++] as number;
  }

  #skip(length: number): void {
    this.at += length;
    if (this.at > this.end) throw NotPlain;
  }
}
