import {type ForestayError, isForestayError} from '../domain/errors.ts';
import type {Codec, LogRecord} from '../ports.ts';
import type {TelemetryInput} from './tick-draft.ts';

/** Told of a record that cannot be read, and why. */
type OnBad = (offset: number, error: ForestayError) => void;

/**
 * Decodes records in order. One that cannot be read is set aside, and `onBad` told why;
 * the partition goes on, and every reader skips the same one.
 */
export function readable<Decoded>(
  found: readonly LogRecord[],
  decode: (bytes: Uint8Array) => Decoded,
  onBad: OnBad = () => {},
): Decoded[] {
  const decoded: Decoded[] = [];
  for (const record of found) {
    const one = readableOne(record, decode, onBad);
    if (one !== undefined) decoded.push(one);
  }
  return decoded;
}

function readableOne<Decoded>(
  {offset, value}: LogRecord,
  decode: (bytes: Uint8Array) => Decoded,
  onBad: OnBad,
): Decoded | undefined {
  try {
    return decode(value);
  } catch (error) {
    if (!isForestayError(error)) throw error;
    onBad(offset, error);
    return undefined;
  }
}

/**
 * Telemetry of these offsets, decoded, with a mark at each place where records are missing: taken
 * by retention, damaged on the disk, or set aside because they cannot be read.
 */
export function readableTelemetry(
  found: readonly LogRecord[],
  {from, to}: {from: number; to: number},
  codec: Pick<Codec, 'decodeTelemetry'>,
  onBad: OnBad = () => {},
): TelemetryInput[] {
  const decoded: TelemetryInput[] = [];
  let next = from;
  for (const record of found) {
    const one = readableOne(record, bytes => codec.decodeTelemetry(bytes), onBad);
    if (record.offset > next || one === undefined) decoded.push({kind: 'lost'});
    if (one !== undefined) decoded.push(one);
    next = record.offset + 1;
  }
  if (next < to) decoded.push({kind: 'lost'});
  return decoded;
}
