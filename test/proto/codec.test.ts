import {fromBinary, toBinary} from '@bufbuild/protobuf';
import test from 'ava';
import {ForestayError} from '../../core/domain/errors.ts';
import {codec, createCodec} from '../../proto/codec.ts';
import {JournalRecordSchema} from '../../proto/gen/forestay/records/v1/records_pb.ts';
import fc from '../support/fast-check.ts';
import * as arbitrary from './arbitraries.ts';

const MOVE = {
  actor: 'hosts/h1',
  machine: 'host',
  machineVersion: 1,
  seq: 200,
  from: 'normal',
  to: 'at-risk.watching',
  event: 'risk.raised',
  context: '{}',
};
const SMALL = {
  timeMs: 1,
  epoch: 1,
  number: 1,
  cut: {telemetryOffset: 1, inboxOffset: 1, scoreRequest: 1},
  transitions: [MOVE],
  risks: [],
  timers: [{actor: 'hosts/h1', dueMs: 0}],
  effects: [],
  decisions: [],
  inventory: [],
  modelHash: 'm',
};

const packing = createCodec({packAboveBytes: 0});

test('a tick is written byte for byte as the generated writer has it', t => {
  fc.assert(
    fc.property(arbitrary.tick, tick => {
      const bytes = codec.encodeTick(tick);
      t.deepEqual(toBinary(JournalRecordSchema, fromBinary(JournalRecordSchema, bytes)), bytes);
    }),
  );
  const move = {...MOVE, context: 'é'.repeat(20_000), from: 'n'.repeat(127)};
  const bytes = codec.encodeTick({...SMALL, transitions: [move, MOVE]});
  t.deepEqual(toBinary(JournalRecordSchema, fromBinary(JournalRecordSchema, bytes)), bytes);
  t.throws(() => codec.encodeTick({...SMALL, transitions: [{...move, seq: -1}]}));
  t.deepEqual(codec.decodeJournal(codec.encodeTick(SMALL)), {kind: 'tick', tick: SMALL});
});

test('a tick is the same after a round trip', t => {
  fc.assert(
    fc.property(arbitrary.tick, tick => {
      t.deepEqual(codec.decodeJournal(codec.encodeTick(tick)), {kind: 'tick', tick});
    }),
  );
});

test('every journal record is the same after a round trip', t => {
  fc.assert(
    fc.property(arbitrary.journalRecord, record => {
      t.deepEqual(codec.decodeJournal(codec.encodeJournal(record)), record);
    }),
  );
});

test('every inbox record is the same after a round trip', t => {
  fc.assert(
    fc.property(arbitrary.inboxRecord, record => {
      t.deepEqual(codec.decodeInbox(codec.encodeInbox(record)), record);
    }),
  );
});

test('scores are the same after a round trip', t => {
  fc.assert(
    fc.property(arbitrary.scoresRecord, record => {
      t.deepEqual(codec.decodeScores(codec.encodeScores(record)), record);
    }),
  );
});

test('a batch is the same after a round trip, packed or not', t => {
  fc.assert(
    fc.property(arbitrary.batch, batch => {
      const record = {kind: 'batch' as const, batch};
      t.deepEqual(codec.decodeTelemetry(codec.encodeTelemetry(record)), record);
      t.deepEqual(codec.decodeTelemetry(packing.encodeTelemetry(record)), record);
    }),
  );
});

test('a gap is the same after a round trip', t => {
  fc.assert(
    fc.property(arbitrary.gap, gap => {
      const record = {kind: 'gap' as const, gap};
      t.deepEqual(codec.decodeTelemetry(codec.encodeTelemetry(record)), record);
    }),
  );
});

test('equal ticks give equal bytes, whatever the order of their properties', t => {
  fc.assert(
    fc.property(arbitrary.tick, tick => {
      t.deepEqual(codec.encodeTick(tick), codec.encodeTick(reversed(tick)));
    }),
  );
});

test('figures of a result are written in the order of their names', t => {
  const result = {id: '1', status: 'done' as const, code: '', message: ''};
  const record = {requestId: 'r', atMs: 1, author: 'a', kind: 'effect-result' as const};
  const figures = {downtime_seconds: 1, transferred_bytes: 2};
  const swapped = {transferred_bytes: 2, downtime_seconds: 1};
  t.deepEqual(
    codec.encodeInbox({...record, result: {...result, figures}}),
    codec.encodeInbox({...record, result: {...result, figures: swapped}}),
  );
});

const decoders = ['decodeJournal', 'decodeInbox', 'decodeScores', 'decodeTelemetry'] as const;

test('no bytes make a decoder throw anything but a ForestayError', t => {
  const records = fc.oneof(
    arbitrary.journalRecord.map(record => codec.encodeJournal(record)),
    arbitrary.inboxRecord.map(record => codec.encodeInbox(record)),
    arbitrary.scoresRecord.map(record => codec.encodeScores(record)),
    arbitrary.batch.map(batch => codec.encodeTelemetry({kind: 'batch', batch})),
    arbitrary.batch.map(batch => packing.encodeTelemetry({kind: 'batch', batch})),
    arbitrary.gap.map(gap => codec.encodeTelemetry({kind: 'gap', gap})),
    fc.uint8Array({maxLength: 200}),
  );
  const damage = fc.array(
    fc.record({
      at: fc.nat(1000),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'cut', 'insert', 'remove'),
    }),
    {minLength: 1, maxLength: 5},
  );
  fc.assert(
    fc.property(records, damage, fc.constantFrom(...decoders), (bytes, mutations, decoder) => {
      const mutated = mutations.reduce(mutate, bytes);
      try {
        codec[decoder](mutated);
      } catch (error) {
        t.true(error instanceof ForestayError, String(error));
      }
    }),
    {numRuns: 3000},
  );
  t.pass();
});

type Mutation = {at: number; byte: number; kind: 'set' | 'cut' | 'insert' | 'remove'};

function mutate(bytes: Uint8Array, {at, byte, kind}: Mutation): Uint8Array {
  const where = bytes.length === 0 ? 0 : at % bytes.length;
  const before = [...bytes.subarray(0, where)];
  if (kind === 'cut') return Uint8Array.from(before);
  const after = [...bytes.subarray(kind === 'insert' ? where : where + 1)];
  return Uint8Array.from(kind === 'remove' ? [...before, ...after] : [...before, byte, ...after]);
}

/** The same value with the properties of every object in the other order. */
function reversed<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(reversed) as Value;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, item]) => [key, reversed(item)])) as Value;
}
