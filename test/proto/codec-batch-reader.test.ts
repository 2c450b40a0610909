import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import test from 'ava';
import {readBatch} from '../../proto/codec-batch-reader.ts';
import {createEntityLists} from '../../proto/codec-entities.ts';
import {IngestRequestSchema} from '../../proto/gen/forestay/v1/telemetry_pb.ts';
import {WireCursor} from '../../proto/wire-cursor.ts';
import fc from '../support/fast-check.ts';

const name = fc.string({unit: 'binary-ascii', maxLength: 80});
const bytes = fc.uint8Array({maxLength: 40});
const uint32 = fc.nat(0xffff_ffff);
const block = fc.record({
  metricSet: name,
  metricSetHash: uint32,
  rows: uint32,
  entities: fc.array(name, {maxLength: 5}),
  rowEntity: bytes,
  baseMs: fc.bigInt(-(2n ** 51n), 2n ** 51n),
  rowOffsetMs: bytes,
  encoding: fc.constantFrom(0, 1),
  values: bytes,
  devices: fc.array(fc.record({row: uint32, column: uint32, name}), {maxLength: 2}),
});
const batch = fc.record({
  edge: name,
  cell: name,
  incarnation: uint32,
  seq: fc.bigInt(0n, 2n ** 53n - 1n),
  timeBase: fc.constantFrom(0, 1, 2, 3),
  blocks: fc.array(block, {maxLength: 3}),
  inventory: fc.option(fc.constant({hosts: [{host: 'h1', vms: [{vm: 'v1'}]}]}), {nil: undefined}),
});

function encode(value: object): Uint8Array {
  const request = {case: 'batch' as const, value: value as never};
  return toBinary(IngestRequestSchema, create(IngestRequestSchema, {request}));
}

/** What the generated reader makes of it, with numbers for integers of 64 bits. */
function general(bytes: Uint8Array): unknown {
  const {request} = fromBinary(IngestRequestSchema, bytes);
  return plain(request.value);
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, field]) => !key.startsWith('$') && field !== undefined)
      .map(([key, field]) => [key, plain(field)]),
  );
}

test('the fast reader takes every plain batch and reads what the general one reads', t => {
  fc.assert(
    fc.property(batch, value => {
      const wire = encode(value);
      t.deepEqual(plain(readBatch(wire)), general(wire));
    }),
  );
});

test('whatever the bytes, the fast reader reads what the general one reads or leaves it alone', t => {
  const damaged = fc
    .tuple(batch, fc.nat(), fc.nat(255), fc.boolean())
    .map(([value, at, byte, cut]) => {
      const wire = encode(value);
      if (wire.length === 0) return wire;
      if (cut) return wire.subarray(0, at % wire.length);
      wire[at % wire.length] = byte;
      return wire;
    });
  fc.assert(
    fc.property(damaged, wire => {
      const read = readBatch(wire);
      if (read !== undefined) t.deepEqual(plain(read), general(wire));
    }),
    {numRuns: 2000},
  );
  t.pass();
});

test('an unknown field, a name beyond ASCII and a repeated inventory are left to the general reader', t => {
  const wire = encode({edge: 'e', cell: 'c'});
  const head = wire.subarray(2);
  const withField = (...field: number[]) =>
    Uint8Array.from([0x12, head.length + field.length, ...head, ...field]);
  t.truthy(readBatch(withField()));
  t.is(readBatch(withField(0x78, 1)), undefined);
  t.is(readBatch(withField(0x3a, 0, 0x3a, 0)), undefined);
  // A time base that the general reader takes for a negative one.
  t.is(readBatch(withField(0x28, 0xff, 0xff, 0xff, 0xff, 0x0f)), undefined);
  t.is(readBatch(encode({edge: 'übel', cell: 'c'})), undefined);
  t.is(readBatch(Uint8Array.from([...withField(), 0x1a, 0])), undefined);
  t.is(readBatch(encode({edge: 'e', seq: 2n ** 60n})), undefined);
});

test('the list of an edge that names the same entities again is the same list', t => {
  const lists = createEntityLists(1500);
  const run = (...names: string[]) => Buffer.concat(names.map(named));
  const read = (wire: Buffer) => {
    const cursor = new WireCursor(wire);
    cursor.varint();
    return lists.read(cursor, 0);
  };
  const first = read(run('hosts/a', 'hosts/b'));
  t.deepEqual(first, ['hosts/a', 'hosts/b']);
  t.is(read(run('hosts/a', 'hosts/b')), first);
  t.is(read(Buffer.concat([run('hosts/a', 'hosts/b'), Buffer.of(0x2a, 0)])), first);
  t.deepEqual(read(run('hosts/a', 'hosts/b', 'hosts/c')), ['hosts/a', 'hosts/b', 'hosts/c']);
  t.deepEqual(read(run('hosts/a', 'hosts/c')), ['hosts/a', 'hosts/c']);
  t.deepEqual(read(run('hosts/a')), ['hosts/a']);
  const other = read(run('hosts/other'));
  t.is(read(run('hosts/other')), other);
  read(run('hosts/'.padEnd(70, 'x')));
  read(run('hosts/'.padEnd(70, 'y')));
  t.not(read(run('hosts/other')), other, 'above its bound it forgets');
});

test('many short lists are forgotten by the memory that they take, not by their bytes alone', t => {
  const lists = createEntityLists(100_000);
  const read = (name: string) => {
    const cursor = new WireCursor(named(name));
    cursor.varint();
    return lists.read(cursor, 0);
  };
  const first = read('vms/v0');
  t.is(read('vms/v0'), first);
  for (let index = 1; index < 1000; index++) read(`vms/v${index}`);
  t.not(read('vms/v0'), first, 'ten kilobytes of names are half a megabyte of lists');
});

test('a long list is the same list too, and is not taken for another', t => {
  const lists = createEntityLists();
  const names = Array.from({length: 100}, (_, index) => `vms/v${index}`);
  const read = (all: readonly string[]) => {
    const wire = Buffer.concat([Buffer.of(9), ...all.map(named)]).subarray(1);
    const cursor = new WireCursor(wire);
    cursor.varint();
    return lists.read(cursor, 0);
  };
  const first = read(names);
  t.is(read(names), first);
  t.deepEqual(read([...names.slice(0, -1), 'vms/w99']), [...names.slice(0, -1), 'vms/w99']);
});

function named(text: string): Buffer {
  return Buffer.concat([Buffer.of(0x22, text.length), Buffer.from(text)]);
}
