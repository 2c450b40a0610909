/**
 * What bytes were decoded to: ingest, owner and recorder of one process all read the same ones, as
 * the same object, within a tick or two. Nobody may change them once they were decoded.
 *
 * The record hangs on its bytes: a WeakMap costs three microseconds a message, mostly in garbage
 * collections, and keeps records as long as the log keeps bytes.
 */
import type {TelemetryRecord} from '../core/domain/telemetry.ts';

const DECODED = Symbol('decoded');
const RECALLS = Symbol('recalls');
type Decoded = Uint8Array & {[DECODED]?: TelemetryRecord | undefined; [RECALLS]?: number};

/** Owner and recorder: then nobody asks any more, and the record may go while it is young. */
const RECALLS_MAX = 2;

/** The newest records that are remembered, and how many bytes they were decoded from at most. */
const RECORDS_MAX = 16_384;
const BYTES_MAX = 16 * 2 ** 20;

const ring = new Array<Decoded | undefined>(RECORDS_MAX);
let [newest, oldest, heldBytes] = [0, 0, 0];

export function recallDecoded(bytes: Uint8Array): TelemetryRecord | undefined {
  const decoded = bytes as Decoded;
  const record = decoded[DECODED];
  if (record === undefined) return undefined;
  const recalls = (decoded[RECALLS] ?? 0) + 1;
  decoded[RECALLS] = recalls;
  if (recalls >= RECALLS_MAX) decoded[DECODED] = undefined;
  return record;
}

export function rememberDecoded(bytes: Uint8Array, record: TelemetryRecord): void {
  (bytes as Decoded)[DECODED] = record;
  (bytes as Decoded)[RECALLS] = 0;
  if (newest - oldest === RECORDS_MAX) forgetOldest();
  ring[newest++ % RECORDS_MAX] = bytes;
  heldBytes += bytes.length;
  while (heldBytes > BYTES_MAX) forgetOldest();
}

function forgetOldest(): void {
  const at = oldest++ % RECORDS_MAX;
  const bytes = ring[at] as Decoded;
  ring[at] = undefined;
  heldBytes -= bytes.length;
  bytes[DECODED] = undefined;
}
