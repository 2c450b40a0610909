import assert from 'node:assert/strict';
import v8 from 'node:v8';
import test from 'ava';
import type {JournalRecord, Tick} from '../../core/domain/records.ts';
import {
  createJournalReader,
  encodeTickRecords,
  JOURNAL_START,
  type JournalItem,
  type JournalPosition,
} from '../../core/engine/journal-reader.ts';
import type {LogRecord} from '../../core/ports.ts';
import fc from '../support/fast-check.ts';

/** The rules do not depend on the wire format: structured clones will do. */
const codec = {
  encodeJournal: (record: JournalRecord): Uint8Array => v8.serialize(record),
  decodeJournal: (bytes: Uint8Array): JournalRecord => v8.deserialize(bytes),
};

const tickOf = (epoch: number, number: number): Tick => ({
  timeMs: epoch * 1_000_000 + number,
  epoch,
  number,
  cut: {telemetryOffset: number, inboxOffset: 0, scoreRequest: 0},
  transitions: [],
  risks: [],
  timers: [],
  effects: [],
  decisions: [],
  inventory: [],
  modelHash: '',
});

const epochOf = (epoch: number): JournalRecord => ({
  kind: 'epoch',
  epoch: {epoch, owner: 'core-1', address: ''},
});

const whole = (epoch: number, number: number) => encodeTickRecords(codec, tickOf(epoch, number));
const split = (epoch: number, number: number) =>
  encodeTickRecords(codec, tickOf(epoch, number), 100);

/** A journal in the making, with what a reader must find in it. */
function journal() {
  const values: Uint8Array[] = [];
  const counts: string[] = [];
  return {
    add(bytes: readonly Uint8Array[]) {
      values.push(...bytes);
    },
    expect(text: string) {
      counts.push(text);
    },
    records: (): LogRecord[] => values.map((value, offset) => ({offset, value})),
    counts,
  };
}

const label = (item: JournalItem): string => {
  if (item.kind === 'epoch') return `epoch ${item.epoch.epoch}`;
  if (item.kind === 'tick') return `tick ${item.tick.epoch}/${item.tick.number}`;
  return `checkpoint ${item.pointer.epoch}/${item.pointer.tickNumber}`;
};

function read(records: readonly LogRecord[], from: JournalPosition = JOURNAL_START): string[] {
  const reader = createJournalReader(codec, from);
  return records.flatMap(record => {
    const item = reader.take(record);
    return item === undefined ? [] : [label(item)];
  });
}

/** Owners that follow one another, each with repeats, zombies before it and torn ticks. */
const step = fc.record({
  kind: fc.constantFrom('tick', 'split', 'repeat', 'zombie', 'takeover', 'torn', 'checkpoint'),
});

function build(kinds: readonly string[]) {
  const made = journal();
  let epoch = 1;
  let number = 0;
  let before = {epoch: 0, number: 0};
  made.add([codec.encodeJournal(epochOf(epoch))]);
  made.expect('epoch 1');
  const count = () => made.expect(`tick ${epoch}/${number}`);
  const write: Record<string, () => void> = {
    tick: () => {
      made.add(whole(epoch, ++number));
      count();
    },
    split: () => {
      made.add(split(epoch, ++number));
      count();
    },
    repeat: () => {
      if (number > 0) made.add(whole(epoch, number));
    },
    zombie: () => made.add(whole(before.epoch, before.number + 1)),
    torn: () => {
      made.add(split(epoch, number + 1).slice(0, 2));
    },
    takeover: () => {
      const rest = split(epoch, number + 1);
      made.add(rest.slice(0, -1));
      before = {epoch, number};
      epoch += 3;
      number = 0;
      made.add([codec.encodeJournal(epochOf(epoch))]);
      made.expect(`epoch ${epoch}`);
      made.add(rest.slice(-1));
    },
    checkpoint: () => {
      const pointer = {epoch, tickNumber: number, firstOffset: 0, chunks: 1, crc32: 0};
      made.add([codec.encodeJournal({kind: 'checkpoint', pointer})]);
      made.expect(`checkpoint ${epoch}/${number}`);
    },
  };
  for (const kind of kinds) write[kind]?.();
  return made;
}

const journals = fc.array(step, {maxLength: 30}).map(steps => build(steps.map(({kind}) => kind)));

test('each tick counts once, whatever was repeated, torn or written by an old owner', t => {
  fc.assert(
    fc.property(journals, made => {
      assert.deepEqual(read(made.records()), made.counts);
    }),
  );
  t.pass();
});

test('a reader that starts again from its position misses nothing and repeats nothing', t => {
  fc.assert(
    fc.property(journals, fc.nat(), (made, at) => {
      const records = made.records();
      const cut = at % (records.length + 1);
      const reader = createJournalReader(codec);
      const before = records.slice(0, cut).flatMap(record => reader.take(record) ?? []);
      const {offset} = reader.position();
      const again = createJournalReader(codec, reader.position());
      const after = records.slice(offset).flatMap(record => again.take(record) ?? []);
      assert.deepEqual([...before, ...after].map(label), made.counts);
    }),
  );
  t.pass();
});

test('records that were read already are ignored when they are fed again', t => {
  const records = build(['tick', 'tick', 'takeover', 'tick']).records();
  const reader = createJournalReader(codec);
  for (const record of records) reader.take(record);
  t.deepEqual(
    records.map(record => reader.take(record)),
    records.map(() => undefined),
  );
});

test('a tick that does not follow the last one does not count', t => {
  const made = journal();
  made.add([codec.encodeJournal(epochOf(1)), ...whole(1, 1), ...whole(1, 3), ...whole(1, 2)]);
  t.deepEqual(read(made.records()), ['epoch 1', 'tick 1/1', 'tick 1/2']);
});

test('a tick of an epoch that was never announced does not count', t => {
  const made = journal();
  made.add([codec.encodeJournal(epochOf(4)), ...whole(4, 1), ...whole(9, 1), ...whole(4, 2)]);
  t.deepEqual(read(made.records()), ['epoch 4', 'tick 4/1', 'tick 4/2']);
});

test('an EPOCH that is not higher, or a checkpoint of a lower one, does not count', t => {
  const made = journal();
  const pointer = {epoch: 2, tickNumber: 0, firstOffset: 0, chunks: 1, crc32: 0};
  made.add([codec.encodeJournal(epochOf(4)), codec.encodeJournal(epochOf(4))]);
  made.add([codec.encodeJournal(epochOf(3)), codec.encodeJournal({kind: 'checkpoint', pointer})]);
  made.add(whole(4, 1));
  t.deepEqual(read(made.records()), ['epoch 4', 'tick 4/1']);
});

test('after records were lost to retention the next tick is taken as the base', t => {
  const made = build(['tick', 'tick', 'tick', 'tick', 'tick']);
  const records = made.records();
  t.deepEqual(read([...records.slice(0, 2), ...records.slice(4)]), [
    'epoch 1',
    'tick 1/1',
    'tick 1/4',
    'tick 1/5',
  ]);
});

test('a reader that starts in the middle of a split tick waits for the next whole one', t => {
  const records = build(['split', 'tick']).records();
  t.deepEqual(read(records.slice(2)), ['tick 1/2']);
});

test('parts that an EPOCH or a whole tick has made void are not read again', t => {
  const made = journal();
  made.add([codec.encodeJournal(epochOf(1)), ...split(1, 1).slice(0, 2)]);
  const records = made.records();
  const reader = createJournalReader(codec);
  for (const record of records) reader.take(record);
  t.is(reader.position().offset, 1);
  reader.take({offset: records.length, value: whole(1, 1)[0] as Uint8Array});
  t.is(reader.position().offset, records.length + 1);
  const [part] = split(1, 2);
  reader.take({offset: records.length + 1, value: part as Uint8Array});
  reader.take({offset: records.length + 2, value: codec.encodeJournal(epochOf(5))});
  t.deepEqual(reader.position(), {offset: records.length + 3, epoch: 5, tickNumber: -1});
});

test('a damaged record is reported and the ticks behind it still count', t => {
  const records = build(['tick', 'tick', 'tick']).records();
  const damaged = {offset: 2, value: Buffer.from('no record')};
  const reader = createJournalReader(codec);
  reader.take(records[0] as LogRecord);
  reader.take(records[1] as LogRecord);
  t.throws(() => reader.take(damaged));
  t.is(reader.take(records[3] as LogRecord)?.kind, 'tick');
});

test('parts that hold something else than a tick are malformed', t => {
  const bytes = codec.encodeJournal(epochOf(7));
  const part: JournalRecord = {kind: 'tick-part', epoch: 1, number: 1, part: 0, parts: 1, bytes};
  const reader = createJournalReader(codec);
  t.throws(() => reader.take({offset: 0, value: codec.encodeJournal(part)}), {
    message: /offset 0.*kind epoch/,
  });
});
