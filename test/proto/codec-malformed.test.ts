import {create, type DescMessage, type MessageInitShape, toBinary} from '@bufbuild/protobuf';
import test from 'ava';
import type {ForestayError} from '../../core/domain/errors.ts';
import {codec} from '../../proto/codec.ts';
import {packFloats} from '../../proto/codec-floats.ts';
import {
  InboxRecordSchema,
  JournalRecordSchema,
  ScoresRecordSchema,
} from '../../proto/gen/forestay/records/v1/records_pb.ts';
import {
  type BatchSchema,
  type BlockSchema,
  IngestRequestSchema,
  TimeBase,
  ValueEncoding,
} from '../../proto/gen/forestay/v1/telemetry_pb.ts';

/** The fields of a message, before it is one. */
type Init<Schema extends DescMessage> = Exclude<MessageInitShape<Schema>, {$typeName: string}>;
type BlockInit = Init<typeof BlockSchema>;
type BatchInit = Init<typeof BatchSchema>;

const bytes = (length: number) => new Uint8Array(length);

function batchBytes(overrides: BatchInit): Uint8Array {
  const head = {edge: 'e', cell: 'c', incarnation: 3, seq: 9n, timeBase: TimeBase.LIVE};
  const request = {case: 'batch' as const, value: {...head, ...overrides}};
  return toBinary(IngestRequestSchema, create(IngestRequestSchema, {request}));
}

/** Two rows of three columns. */
function blockBytes(overrides: BlockInit): Uint8Array {
  const block = {
    metricSet: 'a.v1',
    rows: 2,
    entities: ['hosts/a', 'hosts/b'],
    baseMs: 1000n,
    values: bytes(2 * 3 * 4),
  };
  return batchBytes({blocks: [{...block, ...overrides}]});
}

const wrongBlocks: Record<string, [BlockInit, RegExp]> = {
  'no metric set': [{metricSet: ''}, /metric_set has 0 characters; 1 to 256/],
  'more rows than values': [{rows: 7}, /take 24 bytes, not 7 rows/],
  'rows without values': [{values: bytes(0)}, /take 0 bytes, not 2 rows/],
  'values without rows': [{rows: 0}, /take 24 bytes, not 0 rows/],
  'values that are no floats': [{values: bytes(22)}, /take 22 bytes/],
  'rows without end': [{rows: 0xffff_ffff, values: bytes(0)}, /at most 65536/],
  'fewer entities than rows': [{entities: ['hosts/a']}, /2 rows, 1 entities and no row_entity/],
  'a row that points nowhere': [{rowEntity: Uint8Array.of(0, 0, 2, 0)}, /row 1 .* entity 2 of 2/],
  'a row_entity too short': [{rowEntity: bytes(3)}, /row_entity of a.v1 takes 3 bytes, not 4/],
  'offsets too long': [{rowOffsetMs: bytes(9)}, /row_offset_ms of a.v1 takes 9 bytes, not 8/],
  'a time before 1970': [{baseMs: -1n}, /base_ms of a.v1 is -1/],
  'a time after all dates': [{baseMs: 9_000_000_000_000_000n}, /base_ms of a.v1 is 9000/],
  'a time beyond 2^53': [{baseMs: 2n ** 62n}, /base_ms is .* above 2\^53/],
  'an entity without kind': [{entities: ['hosts/a', 'rack/b']}, /"rack\/b" is neither/],
  'an entity without name': [{entities: ['hosts/', 'vms/']}, /"hosts\/" is neither/],
  'an entity too long': [
    {entities: ['hosts/a', `vms/${'x'.repeat(300)}`]},
    /has 304 characters; at most 256/,
  ],
  'a device off the rows': [{devices: [{row: 2, column: 0, name: 'sda'}]}, /row 2, column 0/],
  'a device off the columns': [{devices: [{row: 0, column: 3, name: 'sda'}]}, /row 0, column 3/],
  'too many devices': [
    {devices: Array.from({length: 7}, () => ({name: 'sda'}))},
    /names 7 devices/,
  ],
  'an encoding from the future': [{encoding: 9 as ValueEncoding}, /encoding 9/],
  'compressed nonsense': [{encoding: ValueEncoding.SHUFFLE_ZSTD}, /cannot unpack the values/],
  'a bomb': [
    {encoding: ValueEncoding.SHUFFLE_ZSTD, values: packFloats(new Float32Array(8 << 20))},
    /cannot unpack the values of a.v1 within 16777216 bytes/,
  ],
};

for (const [what, [overrides, message]] of Object.entries(wrongBlocks)) {
  test(`a block with ${what} is malformed, and the error says whose batch it was`, t => {
    const decode = () => codec.decodeTelemetry(blockBytes(overrides));
    const error = t.throws<ForestayError>(decode, {message});
    t.is(error.code, 'BATCH_MALFORMED');
    t.like(error.details, {edge: 'e', incarnation: 3, seq: 9});
  });
}

const host = {host: 'h1', cpuCores: 1, memoryBytes: 1};
const wrongBatches: Record<string, [BatchInit, RegExp]> = {
  'no edge': [{edge: ''}, /edge has 0 characters/],
  'no cell': [{cell: ''}, /cell has 0 characters/],
  'a cell too long': [{cell: 'x'.repeat(257)}, /cell has 257 characters/],
  'sequence 0': [{seq: 0n}, /sequences start at 1/],
  'a sequence beyond 2^53': [{seq: 2n ** 60n}, /seq is .* above/],
  'no time base': [{timeBase: TimeBase.UNSPECIFIED}, /say live, recorded or simulated/],
  'too many blocks': [{blocks: Array.from({length: 1025}, () => ({}))}, /1025 blocks/],
  'a host without name': [{inventory: {hosts: [{}]}}, /host with an empty name/],
  'a VM without name': [{inventory: {hosts: [{...host, vms: [{}]}]}}, /VM with an empty name/],
  'negative memory': [{inventory: {hosts: [{...host, memoryBytes: -1}]}}, /memoryBytes is -1/],
  'NaN cores': [
    {inventory: {hosts: [{...host, vms: [{vm: 'v', cpuCores: Number.NaN}]}]}},
    /cpuCores is NaN/,
  ],
};

for (const [what, [overrides, message]] of Object.entries(wrongBatches)) {
  test(`a batch with ${what} is malformed`, t => {
    const decode = () => codec.decodeTelemetry(batchBytes(overrides));
    const error = t.throws<ForestayError>(decode, {message});
    t.is(error.code, 'BATCH_MALFORMED');
  });
}

test('many small bombs in one batch are one large one', t => {
  const values = packFloats(new Float32Array(1 << 20));
  const block = {metricSet: 'a.v1', rows: 1, entities: ['hosts/a'], values};
  const blocks = Array.from({length: 6}, () => ({...block, encoding: ValueEncoding.SHUFFLE_ZSTD}));
  const decode = (count: number) =>
    codec.decodeTelemetry(batchBytes({blocks: blocks.slice(0, count)}));
  t.notThrows(() => decode(4));
  t.throws(() => decode(6), {code: 'BATCH_MALFORMED', message: /within 1 bytes/});
});

test('a hello, an empty request and a gap that runs backwards are no telemetry', t => {
  const decode = (init: Init<typeof IngestRequestSchema>) => () =>
    codec.decodeTelemetry(toBinary(IngestRequestSchema, create(IngestRequestSchema, init)));
  const neither = {code: 'BATCH_MALFORMED', message: /neither a batch nor a gap/};
  t.throws(decode({request: {case: 'hello', value: {edge: 'e', cell: 'c'}}}), neither);
  t.throws(decode({}), neither);
  const gap = {edge: 'e', cell: 'c', fromSeq: 5n, toSeq: 4n};
  t.throws(decode({request: {case: 'gap', value: gap}}), {message: /gap from 5 to 4/});
});

test('sample times that do not fit a block are refused before they travel', t => {
  const encode = (observedAtMs: number[]) => () => {
    const rows = observedAtMs.length;
    const block = {
      metricSet: 'a.v1',
      metricSetHash: 1,
      rows,
      entities: ['hosts/a'],
      rowEntity: new Uint16Array(rows),
      observedAtMs: Float64Array.from(observedAtMs),
      values: new Float32Array(rows),
      devices: [],
    };
    const head = {edge: 'e', cell: 'c', incarnation: 1, seq: 1, timeBase: 'live' as const};
    return codec.encodeTelemetry({kind: 'batch', batch: {...head, blocks: [block]}});
  };
  t.notThrows(encode([0, 0xffff_ffff]));
  const refused = {code: 'BATCH_MALFORMED', message: /send them in several batches/};
  t.throws(encode([0, 0x1_0000_0000]), refused);
  t.throws(encode([1000.5]), refused);
  t.throws(encode([-1]), refused);
  t.throws(encode([Number.NaN]), refused);
});

test('values are a view of the message where they are aligned and finite', t => {
  const message = blockBytes({});
  const views = [0, 1, 2, 3].map(shift => {
    const buffer = new Uint8Array(message.length + shift);
    buffer.set(message, shift);
    const record = codec.decodeTelemetry(buffer.subarray(shift));
    const values = record.kind === 'batch' ? record.batch.blocks[0]?.values : undefined;
    return values?.buffer === buffer.buffer;
  });
  t.is(views.filter(Boolean).length, 1);
});

test('infinities become missing in a copy; the bytes stay as they were', t => {
  const values = Float32Array.of(1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2, 3, 4);
  const message = blockBytes({values: new Uint8Array(values.buffer)});
  for (const shift of [0, 1, 2, 3]) {
    const buffer = new Uint8Array(message.length + shift);
    buffer.set(message, shift);
    const record = codec.decodeTelemetry(buffer.subarray(shift));
    const block = record.kind === 'batch' ? record.batch.blocks[0] : undefined;
    t.deepEqual(block?.values, Float32Array.of(1, Number.NaN, Number.NaN, 2, 3, 4));
    t.is(block?.infinities, 2);
    t.deepEqual(buffer.subarray(shift), message);
  }
});

test('values that compression would make larger are sent as they are', t => {
  const block = {metricSet: 'a.v1', metricSetHash: 1, rows: 1, entities: ['hosts/a']};
  const random = Float32Array.of(0.123, 4567.8, -9.1e-5);
  t.true(packFloats(random).length > random.byteLength);
  const record = codec.decodeTelemetry(
    blockBytes({...block, values: new Uint8Array(random.buffer)}),
  );
  t.deepEqual(record.kind === 'batch' ? record.batch.blocks[0]?.values : undefined, random);
});

test('a record of no known kind or with an unknown word is malformed', t => {
  const journal = (init: Init<typeof JournalRecordSchema>) => () =>
    codec.decodeJournal(toBinary(JournalRecordSchema, create(JournalRecordSchema, init)));
  const malformed = (message: RegExp) => ({code: 'RECORD_MALFORMED', message});
  t.throws(journal({}), malformed(/no known kind/));
  t.throws(journal({record: {case: 'tick', value: {}}}), malformed(/has no cut/));
  t.throws(
    journal({record: {case: 'tickPart', value: {part: 2, parts: 2}}}),
    malformed(/part 2 of 2/),
  );
  t.throws(
    journal({record: {case: 'tick', value: {cut: {}, control: {mode: 'wild'}}}}),
    malformed(/mode is "wild"; known are observe/),
  );
  t.throws(
    journal({record: {case: 'tick', value: {cut: {}, risks: [{host: 'h', risks: bytes(5)}]}}}),
    malformed(/5 bytes/),
  );
  const tick = (value: object) => journal({record: {case: 'tick', value: {cut: {}, ...value}}});
  t.throws(tick({hostRisks: {hosts: ['h', 'i'], risks: bytes(12)}}), malformed(/2 hosts/));
  const sampled = {components: ['cpu'], hosts: ['h'], host: bytes(4), atMs: bytes(8)};
  t.throws(tick({sampleRisks: [{...sampled, risks: bytes(8)}]}), malformed(/2 risks/));
  t.throws(tick({sampleRisks: [{...sampled, atMs: bytes(9)}]}), malformed(/9 bytes/));
  const stray = {...sampled, host: Uint8Array.of(1, 0, 0, 0), risks: bytes(4)};
  t.throws(tick({sampleRisks: [stray]}), malformed(/host 1 of 1/));
  t.throws(journal({record: {case: 'epoch', value: {epoch: 2n ** 60n}}}), malformed(/epoch is/));
});

test('inbox and scores records are checked too', t => {
  const inbox = (init: MessageInitShape<typeof InboxRecordSchema>) => () =>
    codec.decodeInbox(toBinary(InboxRecordSchema, create(InboxRecordSchema, init)));
  const scores = (init: MessageInitShape<typeof ScoresRecordSchema>) => () =>
    codec.decodeScores(toBinary(ScoresRecordSchema, create(ScoresRecordSchema, init)));
  const code = 'RECORD_MALFORMED';
  t.throws(inbox({record: {case: 'pause', value: {}}}), {code, message: /no request id/});
  t.throws(inbox({requestId: 'r'}), {code, message: /no known kind/});
  const declared = {case: 'declareHost' as const, value: {host: 'h', state: 'tired'}};
  t.throws(inbox({requestId: 'r', record: declared}), {code, message: /known are lost, returned/});
  const named = {case: 'declareHost' as const, value: {host: 'h', state: 'lost', part: 'soul'}};
  t.throws(inbox({requestId: 'r', record: named}), {code, message: /known are cpu, memory/});
  t.throws(scores({hosts: ['h'], components: ['cpu'], risks: bytes(3)}), {code});
  const reasons = [{row: 1, component: 'cpu'}];
  t.throws(scores({hosts: ['h'], components: [], reasons}), {code, message: /row 1/});
});
