import test from 'ava';
import {createMemoryLog, type MemoryLog} from '../../core/adapters/log-memory.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import type {InboxRecord} from '../../core/domain/records.ts';
import {type FleetEvent, openEvents} from '../../core/engine/journal-events.ts';
import {encodeTickRecords} from '../../core/engine/journal-reader.ts';
import {placeAt} from '../../core/engine/journal-search.ts';
import {
  decodeResumeToken,
  encodeResumeToken,
  type JournalPlaces,
} from '../../core/engine/resume-token.ts';
import {codec} from '../../proto/codec.ts';
import fc from '../support/fast-check.ts';
import {aDecision, aMove, anEffect, aTick, START_MS} from './records.ts';

const NO_PLACES: JournalPlaces = new Map();
const epochRecord = (epoch: number) =>
  codec.encodeJournal({kind: 'epoch', epoch: {epoch, owner: `core-${epoch}`, address: ''}});
const checkpoint = codec.encodeJournal({
  kind: 'checkpoint',
  pointer: {epoch: 1, tickNumber: 1, firstOffset: 0, chunks: 1, crc32: 0},
});
const moves = (partition: number, number: number) => [
  aMove(`hosts/h${partition}`, number, 'a', 'b'),
  aMove(`vms/v${partition}`, number, 'a', 'b'),
];

async function endsOf(log: MemoryLog): Promise<Map<number, number>> {
  const ends = new Map<number, number>();
  for (let partition = 0; partition < 64; partition++) {
    ends.set(partition, await log.endOffset('journal', partition));
  }
  return ends;
}

/** Everything from these places on, and where it ended. */
async function readAll(log: MemoryLog, from = NO_PLACES) {
  const cursor = await openEvents({log, codec}, from);
  const ends = await endsOf(log);
  const events: FleetEvent[] = [];
  while (!cursor.isThrough(ends)) events.push(...(await cursor.next(ends)));
  return {events, places: cursor.places(), ids: events.map(({id}) => id)};
}

test('a tick is told as what it took and what it did, in that order', async t => {
  const log = createMemoryLog();
  const inbox: InboxRecord[] = [
    {kind: 'pause', comment: 'why', requestId: 'r1', atMs: 1, author: 'ann'},
    {
      kind: 'effect-result',
      requestId: 'effect/0/1/1/0',
      atMs: 1,
      author: 'executor',
      result: {id: '0/1/1/0', status: 'done', code: '', message: '', figures: {seconds: 1}},
    },
  ];
  for (const partition of [0, 3]) {
    const records = inbox.map(record => codec.encodeInbox(record));
    await log.append('inbox', partition, [...records, Buffer.from([0xff])]);
    const tick = aTick(1, {
      cut: {telemetryOffset: 0, inboxOffset: 3, scoreRequest: 0},
      transitions: moves(partition, 1),
      decisions: [aDecision(1)],
      effects: [anEffect(1)],
    });
    await log.append('journal', partition, [epochRecord(1), ...encodeTickRecords(codec, tick)]);
  }
  const {events, ids} = await readAll(log);
  t.is(new Set(ids).size, ids.length);
  const kindsOf = (of: number) =>
    events.filter(({partition}) => partition === of).map(({kind}) => kind);
  const did = ['transition', 'transition', 'decision', 'effect'];
  t.deepEqual(kindsOf(0), ['ownership', 'command', 'result', ...did]);
  t.deepEqual(kindsOf(3), ['ownership', 'result', ...did], 'a fleet-wide command is one event');
});

test('wherever a reader is cut off and goes on, it has every event once and in order', async t => {
  const steps = fc.array(
    fc.record({
      partition: fc.constantFrom(0, 1, 40),
      what: fc.constantFrom('tick', 'tick', 'take', 'claim'),
    }),
    {minLength: 1, maxLength: 40},
  );
  await fc.assert(
    fc.asyncProperty(steps, fc.array(fc.nat(20)), async (given, cuts) => {
      const log = createMemoryLog();
      const state = new Map<number, {epoch: number; number: number}>();
      let places = NO_PLACES;
      const told: string[] = [];
      let ticks = 0;
      for (const [step, {partition, what}] of given.entries()) {
        const at = state.get(partition) ?? {epoch: 0, number: 0};
        const isNew = at.epoch === 0 || what !== 'tick';
        if (isNew) {
          await log.append('journal', partition, [epochRecord(at.epoch + 1), checkpoint]);
          at.epoch++;
        }
        if (what !== 'claim') {
          at.number++;
          const tick = (epoch: number) =>
            aTick(at.number, {epoch, transitions: moves(partition, at.number)});
          // A tick of the former owner, the same one again, and a long one in parts.
          const records = [...encodeTickRecords(codec, tick(at.epoch), step % 3 === 0 ? 40 : 1e6)];
          const late = isNew && at.epoch > 1 ? encodeTickRecords(codec, tick(at.epoch - 1)) : [];
          await log.append('journal', partition, [...late, ...records, ...records]);
          ticks++;
        }
        state.set(partition, at);
        if (!cuts.includes(step)) continue;
        const some = await readAll(log, places);
        told.push(...some.ids);
        places = some.places;
      }
      told.push(...(await readAll(log, places)).ids);
      const whole = await readAll(log);
      t.deepEqual([...told].sort(), [...whole.ids].sort());
      for (const partition of [0, 1, 40]) {
        const of = (ids: string[]) => ids.filter(id => id.startsWith(`${partition}/`));
        t.deepEqual(of(told), of(whole.ids));
      }
      const transitions = whole.events.filter(({kind}) => kind === 'transition').length;
      t.is(transitions, 2 * ticks);
    }),
    {numRuns: 60},
  );
});

test('events of several partitions are merged by time', async t => {
  const log = createMemoryLog();
  for (const partition of [5, 6]) {
    await log.append('journal', partition, [epochRecord(1)]);
    for (let number = 1; number <= 50; number++) {
      const timeMs = START_MS + 10 * number + partition;
      const tick = aTick(number, {timeMs, transitions: moves(partition, number)});
      await log.append('journal', partition, encodeTickRecords(codec, tick));
    }
  }
  const {events} = await readAll(log);
  const times = events.filter(({kind}) => kind === 'transition').map(({atMs}) => atMs);
  t.is(times.length, 200);
  t.deepEqual(times, times.toSorted());
});

test('a place that retention took is refused with what to do', async t => {
  const log = createMemoryLog();
  await log.append('journal', 2, [epochRecord(1), ...encodeTickRecords(codec, aTick(1))]);
  const {places} = await readAll(log);
  await log.append('journal', 2, encodeTickRecords(codec, aTick(2)));
  await log.append('journal', 2, encodeTickRecords(codec, aTick(3)));
  log.dropBefore('journal', 2, 2);
  await t.notThrowsAsync(openEvents({log, codec}, places));
  log.dropBefore('journal', 2, 3);
  const error = await t.throwsAsync(openEvents({log, codec}, places));
  t.true(isForestayError(error, 'TOKEN_EXPIRED'));
  t.regex(error.message, /list again/);
});

test('a place in another log is refused, wherever it can be told', async t => {
  const logOf = async (count: number, timeMs: number, start = 0) => {
    const log = createMemoryLog();
    await log.append('journal', 2, [epochRecord(1)]);
    for (let number = 1; number <= count; number++) {
      await log.append('journal', 2, encodeTickRecords(codec, aTick(number, {timeMs})));
    }
    log.dropBefore('journal', 2, start);
    return log;
  };
  const first = await logOf(5, START_MS);
  const {places} = await readAll(first);
  const token = encodeResumeToken(places, 'events');
  const resume = async (log: MemoryLog) => readAll(log, decodeResumeToken(token, undefined));
  t.deepEqual((await resume(first)).ids, []);
  t.deepEqual((await resume(await logOf(5, START_MS, 6))).ids, [], 'what would tell is gone');
  for (const other of [await logOf(5, START_MS + 1), await logOf(3, START_MS), await logOf(0, 0)]) {
    const error = await t.throwsAsync(resume(other));
    t.true(isForestayError(error, 'INVALID_ARGUMENT'));
    t.regex(error.message, /another log; ask the core that gave it/);
  }
});

test('a time is found in a journal wherever it is', async t => {
  const log = createMemoryLog();
  await log.append('journal', 1, [epochRecord(1)]);
  for (let number = 1; number <= 300; number++) {
    const tick = aTick(number, {transitions: moves(1, number)});
    await log.append('journal', 1, encodeTickRecords(codec, tick, number % 7 === 0 ? 40 : 1e6));
  }
  await fc.assert(
    fc.asyncProperty(fc.integer({min: -5, max: 310}), async second => {
      const timeMs = START_MS + second * 1000;
      const place = await placeAt({log, codec}, 1, timeMs);
      const {events} = await readAll(log, new Map([[1, place]]));
      const after = events.filter(({kind, atMs}) => kind === 'transition' && atMs >= timeMs);
      t.is(after.length, 2 * Math.min(300, Math.max(0, 301 - Math.max(1, second))));
      t.true(events.length - after.length <= 2 * 64 + 1);
    }),
    {numRuns: 40},
  );
  t.is((await placeAt({log, codec}, 9, START_MS)).offset, 0, 'an empty journal');
});

test('a log that gives nothing below its end is asked again later', async t => {
  const log = createMemoryLog();
  await log.append('journal', 1, [epochRecord(1)]);
  const deaf = {...log, read: async () => []};
  const cursor = await openEvents({log: deaf, codec}, NO_PLACES);
  const ends = await endsOf(log);
  t.deepEqual(await cursor.next(ends), []);
  t.false(cursor.isThrough(ends));
});
