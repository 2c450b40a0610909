/**
 * Which records of a journal count.
 *
 * J1 A tick counts only as the successor of the last one of its epoch; repeats are ignored.
 * J2 Once an EPOCH was read, records of lower epochs do not count, wherever they stand.
 * J3 Parts count together, when the last one is there; a record of another kind that counts and
 *    stands in between voids them.
 * J4 A reader that starts in the middle, or finds records gone by retention, takes the first tick
 *    it meets as its base.
 */
import {ForestayError} from '../domain/errors.ts';
import type {CheckpointPointer, Epoch, JournalRecord, Tick} from '../domain/records.ts';
import type {Codec, LogRecord} from '../ports.ts';

/** A record that counts; `offset` is that of the last record it was made of. */
export type JournalItem =
  | {kind: 'epoch'; offset: number; epoch: Epoch}
  | {kind: 'tick'; offset: number; tick: Tick}
  | {kind: 'checkpoint'; offset: number; pointer: CheckpointPointer};

/** Where a reader may start again: it then gives what was not given before, at most. */
export type JournalPosition = {
  /** First offset to read; the first part of a tick that is not complete yet. */
  offset: number;
  /** Highest epoch read; -1 before the first. */
  epoch: number;
  /** Last tick of that epoch; -1: not known, the next one is taken as it is. */
  tickNumber: number;
};

export type JournalReader = {
  /**
   * The record if it counts, else undefined. Feed records in offset order; those already read are
   * ignored. Throws `RECORD_MALFORMED`; the reader then goes on as after a loss (J4).
   */
  take(record: LogRecord): JournalItem | undefined;
  position(): JournalPosition;
};

type TickPart = Extract<JournalRecord, {kind: 'tick-part'}>;

export const JOURNAL_START: JournalPosition = {offset: 0, epoch: -1, tickNumber: -1};

export function createJournalReader(
  codec: Pick<Codec, 'decodeJournal'>,
  from: JournalPosition = JOURNAL_START,
): JournalReader {
  let {offset: nextOffset, epoch, tickNumber} = from;
  /** The next tick is a base (J4): of which epoch is not known. */
  let lost = from.tickNumber < 0;
  const parts = createAssembly();

  const loseTrack = () => {
    parts.clear();
    tickNumber = -1;
    lost = true;
  };

  const takeEpoch = (offset: number, found: Epoch): JournalItem | undefined => {
    if (found.epoch <= epoch) return undefined;
    parts.clear();
    epoch = found.epoch;
    tickNumber = -1;
    lost = false;
    return {kind: 'epoch', offset, epoch: found};
  };

  /** J1 and J2 for a tick or a part of one. */
  const isNext = (of: {epoch: number; number: number}): boolean => {
    if (lost && of.epoch >= epoch) return true;
    return of.epoch === epoch && (tickNumber < 0 || of.number === tickNumber + 1);
  };

  const takeTick = (offset: number, tick: Tick): JournalItem | undefined => {
    if (!isNext(tick)) return undefined;
    parts.clear();
    epoch = tick.epoch;
    tickNumber = tick.number;
    lost = false;
    return {kind: 'tick', offset, tick};
  };

  const takePart = (offset: number, part: TickPart): JournalItem | undefined => {
    if (!isNext(part)) return undefined;
    const whole = parts.add(offset, part);
    if (whole === undefined) return undefined;
    const record = codec.decodeJournal(whole);
    if (record.kind === 'tick') return takeTick(offset, record.tick);
    throw malformed(
      offset,
      `the ${part.parts} parts up to it hold a record of kind ${record.kind}`,
    );
  };

  const dispatch = (offset: number, record: JournalRecord): JournalItem | undefined => {
    switch (record.kind) {
      case 'epoch':
        return takeEpoch(offset, record.epoch);
      case 'tick':
        return takeTick(offset, record.tick);
      case 'tick-part':
        return takePart(offset, record);
      case 'checkpoint':
        if (record.pointer.epoch < epoch) return undefined;
        parts.clear();
        return {kind: 'checkpoint', offset, pointer: record.pointer};
    }
  };

  return {
    take(record) {
      if (record.offset < nextOffset) return undefined;
      if (record.offset > nextOffset) loseTrack();
      nextOffset = record.offset + 1;
      try {
        return dispatch(record.offset, codec.decodeJournal(record.value));
      } catch (error) {
        loseTrack();
        throw error;
      }
    },
    position: () => ({offset: parts.firstOffset() ?? nextOffset, epoch, tickNumber}),
  };
}

/**
 * The journal records of a tick: one, or numbered parts (from 0) of its bytes when it is longer
 * than `maxBytes`.
 */
export function encodeTickRecords(
  codec: Pick<Codec, 'encodeJournal'>,
  tick: Tick,
  maxBytes = 512 * 1024,
): readonly Uint8Array[] {
  const whole = codec.encodeJournal({kind: 'tick', tick});
  if (whole.byteLength <= maxBytes) return [whole];
  const parts = Math.ceil(whole.byteLength / maxBytes);
  return Array.from({length: parts}, (_, part) =>
    codec.encodeJournal({
      kind: 'tick-part',
      epoch: tick.epoch,
      number: tick.number,
      part,
      parts,
      bytes: whole.subarray(part * maxBytes, (part + 1) * maxBytes),
    }),
  );
}

/** Parts of one tick on their way to being whole. Part 0 starts anew: an append was repeated. */
function createAssembly() {
  let pending: TickPart[] = [];
  let first: number | undefined;

  const clear = () => {
    pending = [];
    first = undefined;
  };

  /** The whole when this was the last part. */
  const add = (offset: number, part: TickPart): Uint8Array | undefined => {
    if (part.part === 0) {
      clear();
      first = offset;
    }
    const head = pending[0] ?? part;
    const follows = part.part === pending.length && part.number === head.number;
    if (!follows || part.epoch !== head.epoch || part.parts !== head.parts) return undefined;
    pending.push(part);
    if (pending.length < part.parts) return undefined;
    const whole = Buffer.concat(pending.map(({bytes}) => bytes));
    clear();
    return whole;
  };

  return {add, clear, firstOffset: () => first};
}

function malformed(offset: number, found: string): ForestayError {
  return new ForestayError(
    'RECORD_MALFORMED',
    `cannot read the journal record at offset ${offset}: ${found}, expected a tick`,
    {details: {offset}},
  );
}
