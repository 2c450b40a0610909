import type {Codec} from '../core/ports.ts';
import {decodeInbox, encodeInbox} from './codec-inbox.ts';
import {decodeJournal, encodeJournal, encodeTick} from './codec-journal.ts';
import {decodeScores, encodeScores} from './codec-scores.ts';
import {decodeTelemetry, encodeTelemetry} from './codec-telemetry.ts';

/**
 * The port {@link Codec} over the messages of forestay.v1 and forestay.records.v1.
 *
 * Encoding is a function of the record alone: equal records give equal bytes. Decoders take bytes
 * from outside and check everything; they throw `BATCH_MALFORMED` or `RECORD_MALFORMED` and nothing
 * else. What they return may be views of the bytes: do not write to either.
 *
 * @param options.packAboveBytes Values of a block from this size on are shuffled and compressed if
 *   that makes them smaller. Never, unless it is given: at the edge CPU is dearer than the network.
 */
export function createCodec({packAboveBytes = Number.POSITIVE_INFINITY} = {}): Codec {
  return {
    encodeTick,
    encodeJournal,
    decodeJournal,
    encodeTelemetry: record => encodeTelemetry(record, packAboveBytes),
    decodeTelemetry,
    encodeInbox,
    decodeInbox,
    encodeScores,
    decodeScores,
  };
}

export const codec: Codec = createCodec();
