import test from 'ava';
import {partitionOfCell} from '../../core/domain/hash.ts';
import {VM_METRICS} from '../../core/domain/metric-sets.ts';
import {
  batchBytes,
  blockOf,
  eventsOf,
  gapBytes,
  HELLO,
  heldLog,
  recordingStream,
  sequencesOf,
  settled,
  setUp,
  telemetryOf,
} from './ingest-fixtures.ts';

test.serial('an ack follows the durable append and covers all before it', async t => {
  const held = heldLog();
  const {open} = setUp({log: held.log});
  const {session, replies} = open();
  session.record(batchBytes(1));
  session.record(batchBytes(2));
  await settled();
  t.deepEqual(replies, []);
  await held.release();
  t.deepEqual(replies, [{kind: 'ack', incarnation: 1, seq: 2}]);
});

test.serial('the log keeps the bytes as they arrived', async t => {
  const {log, open} = setUp();
  const {session} = open();
  const [first, second] = [batchBytes(1), gapBytes(2, 7)];
  session.record(first);
  session.record(second);
  await settled();
  const records = await log.read('telemetry', partitionOfCell('default'), 0);
  t.deepEqual(
    records.map(({value}) => value),
    [first, second],
  );
});

test.serial('the batches of twelve edges in one turn take one append', async t => {
  const held = heldLog();
  const {open} = setUp({log: held.log});
  for (let edge = 0; edge < 12; edge++) {
    const {session} = open({...HELLO, edge: `h${edge}`});
    session.record(batchBytes(1, {edge: `h${edge}`}));
  }
  await held.release();
  t.deepEqual(held.groups, [12]);
});

test.serial('what waits for an append shares the next one, and an append has a size', async t => {
  const held = heldLog();
  const bytes = batchBytes(1).length;
  const limits = {appendsInFlightMax: 1, appendBytesMax: bytes * 3};
  const {open, log} = setUp({log: held.log, limits});
  const {session} = open();
  session.record(batchBytes(1));
  await settled();
  for (let seq = 2; seq <= 6; seq++) session.record(batchBytes(seq));
  for (let round = 0; round < 4; round++) await held.release();
  t.deepEqual(held.groups, [1, 3, 2]);
  t.deepEqual(await sequencesOf(log), [1, 2, 3, 4, 5, 6]);
});

test.serial('appends that end in another order are acked in order', async t => {
  const held = heldLog();
  const {open} = setUp({log: held.log, limits: {appendsInFlightMax: 2}});
  const {session, replies} = open();
  session.record(batchBytes(1));
  await settled();
  session.record(batchBytes(2));
  await settled();
  t.deepEqual(held.groups, [1, 1]);
  await held.releaseNewestFirst();
  t.deepEqual(replies, [
    {kind: 'ack', incarnation: 1, seq: 1},
    {kind: 'ack', incarnation: 1, seq: 2},
  ]);
});

test.serial('a stream ends at its first failed append and acks nothing after it', async t => {
  const held = heldLog();
  const {open, log} = setUp({log: held.log, limits: {appendsInFlightMax: 1}});
  const {session, replies, errors} = open();
  const other = open({...HELLO, edge: 'h02'});
  session.record(batchBytes(1));
  await settled();
  session.record(batchBytes(2));
  other.session.record(batchBytes(1, {edge: 'h02'}));
  await held.fail(new Error('disk full'));
  await held.release();
  t.deepEqual(replies, []);
  t.is(errors[0]?.code, 'LOG_APPEND_FAILED');
  t.true(errors[0]?.retryable);
  t.like(errors[0]?.cause, {message: 'disk full'});
  t.deepEqual(other.replies, [{kind: 'ack', incarnation: 1, seq: 1}]);
  t.deepEqual((await telemetryOf(log)).length, 1);
});

test.serial('what follows a failed append of a stream is not in the log before it', async t => {
  const held = heldLog();
  const {open, log} = setUp({log: held.log});
  const {session} = open();
  session.record(batchBytes(1));
  await settled();
  session.record(batchBytes(1, {incarnation: 2}));
  await settled();
  await held.fail(new Error('no answer'));
  await held.release();
  t.deepEqual(await telemetryOf(log), []);
});

test.serial('a session that comes after a failed append starts where the acks ended', async t => {
  const held = heldLog();
  const {open, log} = setUp({log: held.log});
  const first = open();
  first.session.record(batchBytes(1));
  await held.release();
  first.session.record(batchBytes(2));
  await settled();
  await held.fail(new Error('disk full'));
  const second = open();
  second.session.record(batchBytes(2));
  await held.release();
  t.deepEqual(second.replies, [{kind: 'ack', incarnation: 1, seq: 2}]);
  t.deepEqual(await sequencesOf(log), [1, 2]);
});

test.serial('a repeated batch is acked again and not appended again', async t => {
  const {open, log} = setUp();
  const repeated = eventsOf(t, 'batch.repeated');
  const {session, replies} = open({...HELLO, cell: 'repeats'});
  for (const seq of [1, 2, 1]) {
    session.record(batchBytes(seq, {cell: 'repeats'}));
    await settled();
  }
  t.deepEqual(replies.at(-1), {kind: 'ack', incarnation: 1, seq: 2});
  t.is(replies.length, 3);
  t.deepEqual(await sequencesOf(log, 'repeats'), [1, 2]);
  t.is(repeated.filter(({cell}) => cell === 'repeats').length, 1);
});

test.serial('a repeat of a batch on its way is answered once that one is durable', async t => {
  const held = heldLog();
  const {open, log} = setUp({log: held.log});
  const {session, replies} = open();
  session.record(batchBytes(1));
  session.record(batchBytes(1));
  await settled();
  t.deepEqual(replies, []);
  await held.release();
  t.deepEqual(replies, [{kind: 'ack', incarnation: 1, seq: 1}]);
  t.deepEqual(await sequencesOf(log), [1]);
});

test.serial('a batch of an older incarnation than the durable one is a repeat', async t => {
  const {open, log} = setUp();
  const first = open({...HELLO, incarnation: 2});
  first.session.record(batchBytes(1, {incarnation: 2}));
  await settled();
  const second = open({...HELLO, incarnation: 2});
  second.session.record(batchBytes(9));
  await settled();
  t.deepEqual(second.replies, [{kind: 'ack', incarnation: 1, seq: 9}]);
  t.deepEqual(await sequencesOf(log), [1]);
});

test.serial('a stream may begin anywhere, and a newer incarnation starts anew', async t => {
  const {open, log} = setUp();
  const {session, errors} = open({...HELLO, incarnation: 2});
  session.record(batchBytes(41));
  session.record(batchBytes(42));
  session.record(batchBytes(1, {incarnation: 2}));
  await settled();
  t.deepEqual(errors, []);
  t.deepEqual(await sequencesOf(log), [41, 42, 1]);
});

test.serial('a missing batch ends the stream, saying what was expected and what came', async t => {
  const refused = eventsOf(t, 'batch.refused');
  const {open, log} = setUp();
  const {session, errors} = open();
  session.record(batchBytes(1));
  session.record(batchBytes(3));
  session.record(batchBytes(4));
  await settled();
  t.is(errors.length, 1);
  t.is(errors[0]?.code, 'BATCH_GAP');
  t.deepEqual(refused, [{code: 'BATCH_GAP'}]);
  t.like(errors[0]?.details, {expectedSeq: 2, seq: 3, edge: 'h01'});
  t.regex(errors[0]?.message ?? '', /expected batch 2 .* got batch 3/);
  t.deepEqual(await sequencesOf(log), [1]);
});

test.serial(
  'a batch older than the first one of the stream ends it, unless it is durable',
  async t => {
    const {open} = setUp();
    const {session, errors} = open();
    session.record(batchBytes(5));
    session.record(batchBytes(4));
    t.is(errors[0]?.code, 'BATCH_OUT_OF_ORDER');
  },
);

test.serial('an older incarnation after a newer one ends the stream', async t => {
  const held = heldLog();
  const {open} = setUp({log: held.log});
  const {session, errors} = open({...HELLO, incarnation: 2});
  session.record(batchBytes(1, {incarnation: 2}));
  session.record(batchBytes(9));
  t.is(errors[0]?.code, 'BATCH_OUT_OF_ORDER');
});

test.serial('a gap stands for the batches that will never come', async t => {
  const {open, log} = setUp();
  const {session, replies} = open();
  session.record(gapBytes(1, 10));
  session.record(batchBytes(11));
  await settled();
  t.deepEqual(replies, [{kind: 'ack', incarnation: 1, seq: 11}]);
  t.deepEqual(await sequencesOf(log), ['1-10', 11]);
});

test.serial('nothing counts before the hello', t => {
  const {ingest} = setUp();
  const {stream, errors} = recordingStream();
  ingest.open(stream).record(batchBytes(1));
  t.is(errors[0]?.code, 'HELLO_MISSING');
  t.is(ingest.sessionCount(), 0);
});

test.serial('a second hello and a hello without names end the stream', t => {
  const {open, ingest} = setUp();
  const {session, errors} = open();
  session.hello(HELLO);
  t.is(errors[0]?.code, 'EDGE_MISMATCH');
  const nameless = recordingStream();
  ingest.open(nameless.stream).hello({...HELLO, cell: ''});
  t.is(nameless.errors[0]?.code, 'INVALID_ARGUMENT');
  t.deepEqual(nameless.errors[0]?.details, {field: 'cell'});
});

test.serial('a new stream of an edge takes the place of the old one', async t => {
  const {open, ingest} = setUp();
  const first = open();
  const second = open();
  t.is(first.errors[0]?.code, 'EDGE_MISMATCH');
  t.regex(first.errors[0]?.message ?? '', /opened another stream/);
  first.session.close();
  second.session.record(batchBytes(1));
  await settled();
  t.deepEqual(second.replies, [{kind: 'ack', incarnation: 1, seq: 1}]);
  t.is(ingest.sessionCount(), 1);
});

test.serial(
  'NaN is legal; infinities are counted and read as missing, and the log keeps them',
  async t => {
    const {open, log} = setUp();
    const infinite = eventsOf(t, 'samples.infinite');
    const values = new Float32Array(VM_METRICS.columns.length).fill(1);
    values.set([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    const {session} = open();
    const bytes = batchBytes(1, {blocks: [blockOf(VM_METRICS, {values})]});
    session.record(bytes);
    await settled();
    t.deepEqual(infinite, [{count: 2}]);
    const [record] = await telemetryOf(log);
    const block = record?.kind === 'batch' ? record.batch.blocks[0] : undefined;
    t.deepEqual(
      block?.values.subarray(0, 4),
      Float32Array.of(Number.NaN, Number.NaN, Number.NaN, 1),
    );
    const [raw] = await log.read('telemetry', partitionOfCell('default'), 0);
    t.deepEqual(raw?.value, bytes);
  },
);

test.serial('a stream that the edge has finished ends once everything is acked', async t => {
  const held = heldLog();
  const {open, ingest} = setUp({log: held.log});
  const {session, replies, errors} = open();
  session.record(batchBytes(1));
  session.finish();
  await settled();
  t.deepEqual(errors, []);
  await held.release();
  t.deepEqual(replies, [{kind: 'ack', incarnation: 1, seq: 1}]);
  t.deepEqual(errors, [undefined]);
  t.is(ingest.sessionCount(), 0);
});

test.serial('what was accepted is appended although the transport is gone', async t => {
  const {open, log} = setUp();
  const {session, replies} = open();
  session.record(batchBytes(1));
  session.close();
  session.record(batchBytes(2));
  await settled();
  t.deepEqual(replies, []);
  t.deepEqual(await sequencesOf(log), [1]);
});
