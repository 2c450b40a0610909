import type {Random} from '../../core/ports.ts';

const bytesMax = 64 * 1024;
/** Where lengths, counts and signs go wrong. */
const oddBytes = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff];
const oddLengths = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff, 1 << 24, 1 << 16];
/** As protobuf writes them: a negative number, 2^53, an endless one, a large length. */
const oddVarints = [
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0xff, 0x07],
];

type Mutation = (bytes: Buffer, below: (limit: number) => number, other: Uint8Array) => Buffer;

const overwrite = (bytes: Buffer, at: number, by: Uint8Array | readonly number[]): Buffer => {
  bytes.set(Buffer.from(by).subarray(0, bytes.length - at), at);
  return bytes;
};

const cut = (bytes: Buffer, from: number, length: number): Buffer =>
  Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);

const insert = (bytes: Buffer, at: number, more: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);

const mutations: readonly Mutation[] = [
  function flipBits(bytes, below) {
    for (let flips = 1 + below(8); flips > 0; flips--) {
      const at = below(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << below(8));
    }
    return bytes;
  },
  function oddByte(bytes, below) {
    return overwrite(bytes, below(bytes.length), [oddBytes[below(oddBytes.length)] as number]);
  },
  function lengthLie(bytes, below) {
    const lie = Buffer.alloc(4);
    lie.writeUInt32LE(oddLengths[below(oddLengths.length)] as number);
    // Headers are at the start, and begin at multiples of four more often than not.
    const at = below(2) === 0 ? 4 * below(8) : below(bytes.length);
    return overwrite(bytes, Math.min(at, bytes.length - 1), lie);
  },
  function varintLie(bytes, below) {
    const varint = oddVarints[below(oddVarints.length)] as readonly number[];
    const at = below(bytes.length);
    return below(2) === 0 ? overwrite(bytes, at, varint) : insert(bytes, at, Buffer.from(varint));
  },
  function truncate(bytes, below) {
    return bytes.subarray(0, below(bytes.length));
  },
  function extend(bytes, below) {
    return Buffer.concat([
      bytes,
      Buffer.from(Array.from({length: 1 + below(64)}, () => below(256))),
    ]);
  },
  function drop(bytes, below) {
    return cut(bytes, below(bytes.length), 1 + below(16));
  },
  function repeat(bytes, below) {
    const from = below(bytes.length);
    return insert(bytes, below(bytes.length), bytes.subarray(from, from + 1 + below(256)));
  },
  function splice(bytes, below, other) {
    return Buffer.concat([
      bytes.subarray(0, below(bytes.length)),
      other.subarray(below(other.length)),
    ]);
  },
  function zero(bytes, below) {
    const from = below(bytes.length);
    return bytes.fill(0, from, Math.min(bytes.length, from + 1 + below(64)));
  },
];

/** Up to four changes, one on top of the other; sometimes none, so that valid bytes come too. */
export function mutate(random: Random, of: readonly Uint8Array[]): Buffer {
  const below = (limit: number): number => Math.floor(random.next() * Math.max(1, limit));
  const pick = () => of[below(of.length)] as Uint8Array;
  let bytes: Buffer = Buffer.from(pick());
  for (let changes = below(5); changes > 0; changes--) {
    if (bytes.length === 0) bytes = Buffer.from(pick());
    if (bytes.length === 0) continue;
    const change = mutations[below(mutations.length)] as Mutation;
    bytes = change(bytes, below, pick());
    if (bytes.length > bytesMax) bytes = bytes.subarray(0, bytesMax);
  }
  return bytes;
}
