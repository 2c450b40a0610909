/**
 * A place in all journals at once, as text: what a watch answers, and begins with at any core.
 *
 * Layout: version, scope (4 bytes), the number of the partition that tells the log from others (255:
 * none) and the CRC-32 of its record, then for each partition its number and, as varints, offset,
 * epoch, tick + 1 and inbox offset + 1; at the end the CRC-32 of all that. In base64url.
 */
import {crc32} from 'node:zlib';
import {ForestayError} from '../domain/errors.ts';
import {fnv1a32, PARTITION_COUNT} from '../domain/hash.ts';
import type {JournalPosition} from './journal-reader.ts';
import type {ReadModel} from './read-model.ts';

/** A place in one journal: everything below `offset` was taken, and of the inbox what ticks took. */
export type JournalPlace = JournalPosition & {
  /** -1: not known. */
  inboxOffset: number;
  /** CRC-32 of the record before `offset`, where it is known: in another log it is another one. */
  recordCrc32?: number;
};

/** By partition; one that is missing had nothing in it. */
export type JournalPlaces = ReadonlyMap<number, JournalPlace>;

const VERSION = 2;
const SCOPE_AT = 1;
const ANCHOR_AT = 5;
const HEADER_BYTES = 10;
const NO_ANCHOR = 255;
const CRC_BYTES = 4;
/** 64 partitions of four varints, and room to spare. */
const TEXT_LENGTH_MAX = 4096;

/** How far a read model has come. */
export function placesOf(model: ReadModel): JournalPlaces {
  return new Map(
    Array.from(model.partitions, ([partition, row]) => [
      partition,
      {...row, offset: row.nextOffset},
    ]),
  );
}

/** `scope` says what the places are of: `hosts FILTER`; a token is good for it alone. */
export function encodeResumeToken(places: JournalPlaces, scope: string): string {
  const bytes: number[] = new Array(HEADER_BYTES).fill(0);
  for (const [partition, {offset, epoch, tickNumber, inboxOffset}] of places) {
    bytes.push(partition);
    for (const number of [offset, Math.max(0, epoch), tickNumber + 1, inboxOffset + 1]) {
      pushVarint(bytes, number);
    }
  }
  const body = Buffer.from(bytes);
  const [partition, {recordCrc32 = 0} = {}] = anchorOf(places) ?? [NO_ANCHOR];
  body.writeUInt8(VERSION);
  body.writeUInt32LE(fnv1a32(scope), SCOPE_AT);
  body.writeUInt8(partition, ANCHOR_AT);
  body.writeUInt32LE(recordCrc32, ANCHOR_AT + 1);
  const end = Buffer.alloc(CRC_BYTES);
  end.writeUInt32LE(crc32(body));
  return Buffer.concat([body, end]).toString('base64url');
}

/** A tick bears its time, so its record is in no other log; an epoch's may be. */
function anchorOf(places: JournalPlaces): [number, JournalPlace] | undefined {
  const known = [...places].filter(([, {recordCrc32}]) => recordCrc32 !== undefined);
  return known.find(([, {tickNumber}]) => tickNumber >= 0) ?? known[0];
}

/**
 * The places of a token; those of another scope are refused, unless `scope` is undefined.
 *
 * @throws {ForestayError} `INVALID_ARGUMENT` saying what to do.
 */
export function decodeResumeToken(text: string, scope: string | undefined): JournalPlaces {
  const bytes = Buffer.from(text.slice(0, TEXT_LENGTH_MAX), 'base64url');
  const end = bytes.byteLength - CRC_BYTES;
  const isWhole =
    text.length <= TEXT_LENGTH_MAX &&
    end >= HEADER_BYTES &&
    bytes.readUInt32LE(end) === crc32(bytes.subarray(0, end));
  if (!isWhole) throw invalid('it is not one that a core gave, or not the whole of one');
  if (bytes[0] !== VERSION) throw invalid(`it has version ${bytes[0]}, this core reads ${VERSION}`);
  if (scope !== undefined && bytes.readUInt32LE(SCOPE_AT) !== fnv1a32(scope)) {
    throw invalid('it belongs to a watch of something else or with another filter');
  }
  const places = readPlaces(bytes.subarray(HEADER_BYTES, end));
  const anchor = bytes.readUInt8(ANCHOR_AT);
  const place = places.get(anchor);
  if (place !== undefined) {
    places.set(anchor, {...place, recordCrc32: bytes.readUInt32LE(ANCHOR_AT + 1)});
  }
  return places;
}

function readPlaces(bytes: Buffer): Map<number, JournalPlace> {
  const places = new Map<number, JournalPlace>();
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw invalid('a place in it is beyond any journal');
      if (byte < 128) return value;
    }
    throw invalid('it ends too early');
  };
  while (at < bytes.length) {
    const partition = bytes[at++] as number;
    const [offset, epoch, tick, inbox] = [next(), next(), next(), next()];
    if (partition >= PARTITION_COUNT) throw invalid(`there is no partition ${partition}`);
    places.set(partition, {offset, epoch, tickNumber: tick - 1, inboxOffset: inbox - 1});
  }
  return places;
}

function pushVarint(bytes: number[], number: number): void {
  let rest = number;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
}

function invalid(what: string): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot resume with this token: ${what}; list again and watch with the token that comes then`,
    {details: {field: 'resume_token'}},
  );
}
