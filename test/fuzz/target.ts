import assert from 'node:assert/strict';
import {isForestayError} from '../../core/domain/errors.ts';
import type {Random} from '../../core/ports.ts';
import fc from '../support/fast-check.ts';

/** A decoder of bytes from outside, and what must hold whatever the bytes are. */
export type Target = {
  name: string;
  /** Cases of this target for one of the dearest. */
  weight: number;
  /** Valid bytes to begin with. */
  samples: readonly Uint8Array[];
  /** True: taken; false: refused as it should be. Throws when neither is the case. */
  feed(bytes: Buffer, random: Random): boolean | Promise<boolean>;
};

const sampleSeed = 20_240_501;

/** Valid bytes of random values. */
export function samplesOf<Value>(
  arbitrary: fc.Arbitrary<Value>,
  encode: (value: Value) => Uint8Array,
  count = 60,
): Uint8Array[] {
  return fc.sample(arbitrary, {seed: sampleSeed, numRuns: count}).map(encode);
}

/** What was decoded; undefined if it was refused with a code. Anything else is passed on. */
export function accepted<Value>(decode: () => Value): Value | undefined {
  try {
    return decode();
  } catch (error) {
    if (isForestayError(error)) return undefined;
    throw error;
  }
}

/**
 * A decoder that has an encoder: what it takes is a value that encodes, and comes back from its
 * bytes as it was.
 */
export function codecTarget<Value>(
  name: string,
  samples: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => Value,
  encode: (value: Value) => Uint8Array,
): Target {
  return {
    name,
    weight: 20,
    samples,
    feed(bytes) {
      const value = accepted(() => decode(bytes));
      if (value === undefined) return false;
      const encoded = encode(value);
      const again = encode(decode(encoded));
      assert.ok(Buffer.from(again).equals(encoded), `${name}: what was taken does not come back`);
      return true;
    },
  };
}
