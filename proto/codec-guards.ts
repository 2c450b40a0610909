import type {DescMessage, MessageShape} from '@bufbuild/protobuf';
import {fromBinary} from '@bufbuild/protobuf';
import {type ErrorDetails, ForestayError} from '../core/domain/errors.ts';

/** The two ways in which bytes from outside can be wrong. */
export type MalformedCode = 'BATCH_MALFORMED' | 'RECORD_MALFORMED';

export function malformed(
  code: MalformedCode,
  message: string,
  options: {details?: ErrorDetails; cause?: unknown} = {},
): ForestayError {
  return new ForestayError(code, message, options);
}

/** Reads a message; whatever the reader throws at foreign bytes becomes `code`. */
export function parse<Schema extends DescMessage>(
  schema: Schema,
  bytes: Uint8Array,
  code: MalformedCode,
): MessageShape<Schema> {
  try {
    return fromBinary(schema, bytes, {readUnknownFields: false});
  } catch (cause) {
    throw malformed(code, `cannot read ${bytes.length} bytes as ${schema.typeName}`, {cause});
  }
}

/** A 64-bit integer of the wire as a number; beyond 2^53 it cannot be one of ours. */
export function wholeNumber(value: bigint | number, field: string, code: MalformedCode): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw malformed(code, `${field} is ${value}, above 2^53 - 1`);
}

/** The word if it is one of `words`. */
export function oneOf<Word extends string>(
  value: string,
  words: readonly Word[],
  field: string,
  code: MalformedCode,
): Word {
  if ((words as readonly string[]).includes(value)) return value as Word;
  const shown = JSON.stringify(value.slice(0, 40));
  throw malformed(code, `${field} is ${shown}; known are ${words.join(', ')}`);
}
