/**
 * What happened, as the journals tell it: every record that counts, taken apart into events.
 *
 * E1 Events of a partition come in the order of its journal, exactly once; those of several
 *    partitions are merged by the time of their ticks.
 * E2 Nothing is kept for a reader but the next stretch of each journal: one that stops reading costs
 *    no more memory, and goes on where it was.
 */
import {crc32} from 'node:zlib';
import type {Decision} from '../domain/decision.ts';
import type {EffectResult, IssuedEffect} from '../domain/effects.ts';
import {ForestayError, isForestayError} from '../domain/errors.ts';
import {PARTITIONS} from '../domain/hash.ts';
import type {Epoch, InboxRecord, Tick, Transition} from '../domain/records.ts';
import type {Codec, Log} from '../ports.ts';
import {createJournalReader, JOURNAL_START, type JournalReader} from './journal-reader.ts';
import {readRange} from './log-range.ts';
import type {JournalPlace, JournalPlaces} from './resume-token.ts';

export type FleetEvent = {
  /** `partition/epoch/tick/n` */
  id: string;
  atMs: number;
  partition: number;
} & (
  | {kind: 'transition'; transition: Transition}
  | {kind: 'decision'; decision: Decision}
  | {kind: 'effect'; effect: IssuedEffect}
  | {kind: 'result'; result: EffectResult}
  | {kind: 'command'; command: Command}
  | {kind: 'ownership'; ownership: Epoch}
);

/** A record of the inbox that is no result. */
export type Command = Exclude<InboxRecord, {kind: 'effect-result'}>;

export type EventSource = {log: Log; codec: Pick<Codec, 'decodeJournal' | 'decodeInbox'>};

export type EventCursor = {
  /** The next events, at least one if there are any below `ends`; then, where it stands. */
  next(ends: ReadonlyMap<number, number>): Promise<readonly FleetEvent[]>;
  /** True once everything below these offsets was given. */
  isThrough(ends: ReadonlyMap<number, number>): boolean;
  places(): JournalPlaces;
};

/** Of each journal at a time. */
const READ_BYTES = 128 * 1024;
const EVENTS_TOGETHER = 1000;

/** What one record came to, and where its journal stands after it. */
type Stretch = {atMs: number; events: readonly FleetEvent[]; after: JournalPlace};

type Lane = {
  partition: number;
  reader: JournalReader;
  /** Next offset to read. */
  offset: number;
  /** Of the newest record. */
  recordCrc32: number | undefined;
  /** Of the newest tick. */
  atMs: number;
  inboxOffset: number;
  /** New owners since that tick: their time is that of the next one, for an EPOCH has none. */
  owners: Epoch[];
  waiting: Stretch[];
  place: JournalPlace;
};

/**
 * Reads from these places on; partitions without one from their beginning.
 *
 * Errors: those of the log; `TOKEN_EXPIRED` if retention took what follows a place,
 * `INVALID_ARGUMENT` if a place is of another log, as far as that can be told.
 */
export async function openEvents(source: EventSource, from: JournalPlaces): Promise<EventCursor> {
  await Promise.all(Array.from(from, place => requireKept(source, ...place)));
  const begin = await recognise(source, from);
  const lanes = PARTITIONS.map(partition =>
    laneOf(source, partition, begin.get(partition) ?? {...JOURNAL_START, inboxOffset: 0}),
  );

  const isBehind = ({partition, offset}: Lane, ends: ReadonlyMap<number, number>): boolean =>
    offset < (ends.get(partition) ?? 0);

  return {
    isThrough: ends => lanes.every(lane => lane.waiting.length === 0 && !isBehind(lane, ends)),
    async next(ends) {
      const isStarved = (lane: Lane) => lane.waiting.length === 0 && isBehind(lane, ends);
      const events: FleetEvent[] = [];
      while (events.length < EVENTS_TOGETHER) {
        const starved = lanes.filter(isStarved);
        if (starved.length > 0) {
          // What is ready is not held back by partitions that have to be read first.
          if (events.length > 0) break;
          const found = await Promise.all(starved.map(lane => fill(source, lane)));
          if (found.includes(true)) continue;
          // The log gives nothing where it says that there is something: it is asked again later.
          break;
        }
        const lane = earliest(lanes);
        if (lane === undefined) break;
        const stretch = lane.waiting.shift() as Stretch;
        lane.place = stretch.after;
        for (const event of stretch.events) events.push(event);
      }
      return events;
    },
    places: () =>
      new Map(
        lanes.filter(({place}) => place.offset > 0).map(({partition, place}) => [partition, place]),
      ),
  };
}

async function requireKept(
  {log}: EventSource,
  partition: number,
  {offset}: JournalPlace,
): Promise<void> {
  const start = await log.startOffset('journal', partition);
  if (offset < start) throw expired(partition, offset, start);
}

/**
 * The places, one of them with the record that tells this log from others; it must be the one that
 * it was. A log whose journal ends before a place is another one, too. One read.
 */
async function recognise({log}: EventSource, from: JournalPlaces): Promise<JournalPlaces> {
  const known = [...from].filter(([, {offset}]) => offset > 0);
  const found =
    known.find(([, {recordCrc32}]) => recordCrc32 !== undefined) ??
    known.find(([, {tickNumber}]) => tickNumber >= 0) ??
    known[0];
  if (found === undefined) return from;
  const [partition, place] = found;
  const before = place.offset - 1;
  if ((await log.endOffset('journal', partition)) <= before) throw foreign(partition, place);
  if ((await log.startOffset('journal', partition)) > before) return from;
  const [record] = await log.read('journal', partition, before, 1);
  if (record?.offset !== before) return from;
  const recordCrc32 = crc32(record.value);
  if (place.recordCrc32 !== undefined && place.recordCrc32 !== recordCrc32) {
    throw foreign(partition, place);
  }
  return new Map([...from, [partition, {...place, recordCrc32}]]);
}

function earliest(lanes: readonly Lane[]): Lane | undefined {
  let found: Lane | undefined;
  for (const lane of lanes) {
    const [next] = lane.waiting;
    const [best] = found?.waiting ?? [];
    if (next !== undefined && (best === undefined || next.atMs < best.atMs)) found = lane;
  }
  return found;
}

function laneOf({codec}: EventSource, partition: number, place: JournalPlace): Lane {
  const {offset, inboxOffset} = place;
  const reader = createJournalReader(codec, place);
  return {
    partition,
    reader,
    offset,
    recordCrc32: place.recordCrc32,
    atMs: 0,
    inboxOffset,
    owners: [],
    waiting: [],
    place,
  };
}

/** Reads the next stretch of a journal; false: there is none. What cannot be read is left out. */
async function fill(source: EventSource, lane: Lane): Promise<boolean> {
  const records = await source.log.read('journal', lane.partition, lane.offset, READ_BYTES);
  for (const record of records) {
    lane.offset = record.offset + 1;
    lane.recordCrc32 = crc32(record.value);
    const item = readable(() => lane.reader.take(record));
    if (item?.kind === 'epoch') lane.owners.push(item.epoch);
    if (item?.kind !== 'tick') continue;
    lane.atMs = item.tick.timeMs;
    const owners = lane.owners.splice(0).map(owner => ownershipOf(lane, owner));
    push(lane, [
      ...owners,
      ...(await takenBy(source, lane, item.tick)),
      ...doneBy(lane, item.tick),
    ]);
  }
  // A place moves on over records that came to nothing, too.
  if (records.length > 0 && lane.owners.length === 0) push(lane, []);
  return records.length > 0;
}

function push(lane: Lane, events: readonly FleetEvent[]): void {
  const {inboxOffset, recordCrc32} = lane;
  const position = lane.reader.position();
  const isThere = position.offset === lane.offset && recordCrc32 !== undefined;
  const after = {...position, inboxOffset, ...(isThere ? {recordCrc32} : {})};
  lane.waiting.push({atMs: lane.atMs, events, after});
}

function ownershipOf({partition, atMs}: Lane, ownership: Epoch): FleetEvent {
  return {id: `${partition}/${ownership.epoch}/0/0`, atMs, partition, kind: 'ownership', ownership};
}

/** What a tick took from the inbox: results and commands. */
async function takenBy({log, codec}: EventSource, lane: Lane, tick: Tick): Promise<FleetEvent[]> {
  const {partition} = lane;
  const [from, to] = [lane.inboxOffset, tick.cut.inboxOffset];
  lane.inboxOffset = to;
  const events: FleetEvent[] = [];
  // Where the reading began, the tick before is not known.
  if (from < 0 || from >= to) return events;
  for await (const {offset, value} of readRange(log, 'inbox', partition, from, to)) {
    const record = readable(() => codec.decodeInbox(value));
    if (record === undefined) continue;
    const head = {id: idOf(lane, tick, `i${offset}`), atMs: tick.timeMs, partition};
    if (record.kind === 'effect-result') {
      events.push({...head, kind: 'result', result: record.result});
    } else if (isShown(partition, record)) events.push({...head, kind: 'command', command: record});
  }
  return events;
}

/** A command goes to all partitions under one id and is one event; what a start asks for is not. */
function isShown(partition: number, {requestId}: Command): boolean {
  return partition === 0 || requestId.startsWith('configuration/');
}

/** What a tick did, in the order in which it did it. */
function doneBy(lane: Lane, tick: Tick): FleetEvent[] {
  const {partition} = lane;
  const head = (name: string) => ({id: idOf(lane, tick, name), atMs: tick.timeMs, partition});
  return [
    ...tick.transitions.map(
      (transition, index): FleetEvent => ({...head(`t${index}`), kind: 'transition', transition}),
    ),
    ...tick.decisions.map(
      (decision, index): FleetEvent => ({...head(`d${index}`), kind: 'decision', decision}),
    ),
    ...tick.effects.map(
      (effect, index): FleetEvent => ({...head(`e${index}`), kind: 'effect', effect}),
    ),
  ];
}

function idOf({partition}: Lane, tick: Tick, name: string): string {
  return `${partition}/${tick.epoch}/${tick.number}/${name}`;
}

function readable<Item>(read: () => Item): Item | undefined {
  try {
    return read();
  } catch (error) {
    if (isForestayError(error)) return undefined;
    throw error;
  }
}

function foreign(partition: number, {offset}: JournalPlace): ForestayError {
  return new ForestayError(
    'INVALID_ARGUMENT',
    `cannot resume with this token: what partition ${partition} holds before offset ${offset} is not ` +
      'what was read when it was given, so it is of another log; ask the core that gave it, or begin at a time',
    {details: {field: 'resume_token', partition, offset}},
  );
}

function expired(partition: number, offset: number, start: number): ForestayError {
  return new ForestayError(
    'TOKEN_EXPIRED',
    `cannot go on at offset ${offset} of partition ${partition}: the log begins at ${start}; ` +
      'list again and watch from there, or begin at a later time',
    {details: {partition, offset, start}},
  );
}
