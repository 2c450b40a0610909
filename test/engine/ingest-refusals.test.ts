import test from 'ava';
import {HOST_METRICS, metricSet, VM_METRICS} from '../../core/domain/metric-sets.ts';
import {hostFacts} from '../support/partition.ts';
import {
  batchBytes,
  blockOf,
  eventsOf,
  gapBytes,
  HELLO,
  sequencesOf,
  settled,
  setUp,
} from './ingest-fixtures.ts';

/** A batch that has lost its last byte: the head can be read, the rest cannot. */
const garbage = Uint8Array.of(0x12, 0xff, 0xff, 0x03, 0x01);

test.serial(
  'a malformed batch is refused in its place, and the gap lets the next one in',
  async t => {
    const {open, log} = setUp();
    const refused = eventsOf(t, 'batch.refused');
    const {session, replies, errors} = open();
    session.record(batchBytes(1));
    session.record(garbage);
    session.record(batchBytes(3));
    await settled();
    t.like(
      replies.find(({kind}) => kind === 'refusal'),
      {kind: 'refusal', incarnation: 1, seq: 2, code: 'BATCH_MALFORMED'},
    );
    t.deepEqual(refused, [{code: 'BATCH_MALFORMED'}]);
    t.deepEqual(await sequencesOf(log), [1]);
    session.record(gapBytes(2));
    session.record(batchBytes(4));
    await settled();
    t.deepEqual(await sequencesOf(log), [1, '2-2', 3, 4]);
    t.deepEqual(replies.at(-1), {kind: 'ack', incarnation: 1, seq: 4});
    t.deepEqual(errors, []);
  },
);

test('an edge that sends everything after the gap again is understood too', async t => {
  const {open, log} = setUp();
  const {session, replies, errors} = open();
  session.record(batchBytes(1, {blocks: [blockOf(VM_METRICS, {metricSet: 'nobody.v1'})]}));
  session.record(batchBytes(2));
  session.record(batchBytes(3));
  session.record(gapBytes(1));
  session.record(batchBytes(2));
  session.record(batchBytes(3));
  session.record(batchBytes(4));
  await settled();
  t.deepEqual(await sequencesOf(log), ['1-1', 2, 3, 4]);
  t.deepEqual(replies.at(-1), {kind: 'ack', incarnation: 1, seq: 4});
  t.deepEqual(errors, []);
});

test('a second bad batch among those that wait is refused in its turn', async t => {
  const {open, log} = setUp();
  const {session, replies} = open();
  session.record(batchBytes(1));
  session.record(garbage);
  session.record(garbage);
  session.record(batchBytes(4));
  session.record(gapBytes(2));
  session.record(gapBytes(3));
  await settled();
  const refusals = replies.filter(reply => reply.kind === 'refusal');
  t.deepEqual(
    refusals.map(({seq}) => seq),
    [2, 3],
  );
  t.deepEqual(await sequencesOf(log), [1, '2-2', '3-3', 4]);
});

test('what waits behind a refused batch is bounded: above it everything must come again', async t => {
  const {open, log} = setUp({limits: {streamBytesMax: batchBytes(1).length}});
  const {session, errors} = open();
  session.record(batchBytes(1));
  await settled();
  session.record(garbage);
  for (const seq of [3, 4]) session.record(batchBytes(seq));
  session.record(gapBytes(2));
  session.record(batchBytes(5));
  await settled();
  t.is(errors[0]?.code, 'BATCH_GAP');
  t.deepEqual(await sequencesOf(log), [1, '2-2', 3]);
});

test('bytes that say nothing at all end a stream on which nothing is expected yet', t => {
  const {open} = setUp();
  const {session, errors} = open();
  session.record(garbage);
  t.is(errors[0]?.code, 'BATCH_MALFORMED');
});

test('a batch whose body is wrong is refused by the sequence in its head', t => {
  const {open} = setUp();
  const {session, replies} = open();
  session.record(batchBytes(7, {blocks: [blockOf(HOST_METRICS, {values: new Float32Array(0)})]}));
  t.like(replies[0], {kind: 'refusal', seq: 7, code: 'BATCH_MALFORMED'});
});

test('an oversized batch is refused with both numbers', t => {
  const {open} = setUp({limits: {batchBytesMax: 1000}});
  const {session, replies} = open();
  const blocks = [blockOf(VM_METRICS, {rows: 100})];
  const bytes = batchBytes(1, {blocks});
  session.record(bytes);
  t.like(replies[0], {kind: 'refusal', seq: 1, code: 'BATCH_TOO_LARGE'});
  const message = replies[0]?.kind === 'refusal' ? replies[0].message : '';
  t.true(message.includes(`${bytes.length} bytes is larger than 1000`), message);
});

test('a metric set that nobody registered is refused, saying what to do', t => {
  const {open} = setUp();
  const {session, replies} = open();
  session.record(batchBytes(1, {blocks: [blockOf(metricSet('mine.v1', 'host', ['a']))]}));
  t.like(replies[0], {kind: 'refusal', code: 'METRIC_SET_UNKNOWN'});
  const message = replies[0]?.kind === 'refusal' ? replies[0].message : '';
  t.regex(message, /mine\.v1" is not registered; call .*RegisterMetricSet first/);
});

test('a metric set under a known name with other columns is refused', t => {
  const {open} = setUp();
  const {session, replies} = open();
  session.record(batchBytes(1, {blocks: [blockOf(metricSet('host.v1', 'host', ['a']))]}));
  t.like(replies[0], {kind: 'refusal', code: 'METRIC_SET_UNKNOWN'});
  const message = replies[0]?.kind === 'refusal' ? replies[0].message : '';
  t.regex(message, /host\.v1 has hash [0-9a-f]{8} here/);
});

test('values that are not rows × columns, and entities of another kind, are refused', t => {
  const {open} = setUp();
  const {session, replies} = open();
  const narrow = blockOf(VM_METRICS, {values: new Float32Array(3)});
  session.record(batchBytes(1, {blocks: [narrow]}));
  const {session: second, replies: secondReplies} = open({...HELLO, edge: 'h02'});
  const stranger = blockOf(VM_METRICS, {entities: ['hosts/h01']});
  second.record(batchBytes(1, {edge: 'h02', blocks: [stranger]}));
  for (const [reply, text] of [
    [replies[0], /has 3 values; 1 rows of 8 columns are 8/],
    [secondReplies[0], /names hosts\/h01; its samples are of kind vm/],
  ] as const) {
    t.like(reply, {kind: 'refusal', code: 'BATCH_MALFORMED'});
    t.regex(reply?.kind === 'refusal' ? reply.message : '', text);
  }
});

test('a batch of another edge or cell is refused', t => {
  const {open} = setUp();
  const {session, replies} = open();
  session.record(batchBytes(1, {cell: 'elsewhere'}));
  t.like(replies[0], {kind: 'refusal', seq: 1, code: 'EDGE_MISMATCH'});
});

test('a batch of another edge is never taken for a repeat', async t => {
  const {open} = setUp();
  const {session, errors} = open();
  session.record(batchBytes(1));
  await settled();
  session.record(batchBytes(1, {edge: 'h99'}));
  t.is(errors[0]?.code, 'EDGE_MISMATCH');
});

test('a gap that is wrong itself ends the stream', t => {
  const {open} = setUp();
  const {session, errors} = open();
  session.record(gapBytes(1, 2, {edge: 'h99'}));
  t.is(errors[0]?.code, 'EDGE_MISMATCH');
});

test('an error that is none of ours is not swallowed', t => {
  const codec = {
    decodeTelemetry(): never {
      throw new TypeError('a mistake');
    },
  };
  const {open} = setUp({codec});
  const {session} = open();
  t.throws(() => session.record(batchBytes(1)), {instanceOf: TypeError});
});

for (const name of ['power', 'balancer']) {
  test(`a host named ${name} is refused: an agent has that name`, async t => {
    const {open, log} = setUp();
    const {session, replies} = open();
    session.record(batchBytes(1, {blocks: [], inventory: {hosts: [hostFacts(name)]}}));
    await settled();
    session.record(gapBytes(1));
    session.record(batchBytes(2, {blocks: [blockOf(HOST_METRICS, {entities: [`hosts/${name}`]})]}));
    await settled();
    const refusals = replies.flatMap(reply => (reply.kind === 'refusal' ? [reply] : []));
    t.deepEqual(
      refusals.map(({seq, code}) => `${seq} ${code}`),
      ['1 BATCH_MALFORMED', '2 BATCH_MALFORMED'],
    );
    t.regex(refusals[0]?.message ?? '', /rename the host: power and balancer are reserved/);
    t.deepEqual(await sequencesOf(log), ['1-1']);
  });
}
