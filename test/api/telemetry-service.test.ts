import {once} from 'node:events';
import {connect as connectTcp} from 'node:net';
import {connect as connectTls} from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import test from 'ava';
import {partitionOfCell} from '../../core/domain/hash.ts';
import {HOST_METRICS, metricSet} from '../../core/domain/metric-sets.ts';
import {readErrorInfo} from '../../proto/rich-errors.ts';
import {
  batchBytes,
  blockOf,
  gapBytes,
  HELLO,
  heldLog,
  sequencesOf,
  settled,
} from '../engine/ingest-fixtures.ts';
import {call} from './server.ts';
import {startServer} from './telemetry-server.ts';

const ackOf = (seq: bigint, incarnation = 1) => ({case: 'ack', value: {incarnation, seq}});

test('a batch over gRPC is acked, and the log has the bytes that were sent', async t => {
  const {log, open} = await startServer(t);
  const stream = open();
  const bytes = batchBytes(1);
  stream.hello();
  stream.write(bytes);
  t.like(await stream.next(), ackOf(1n));
  const [record] = await log.read('telemetry', partitionOfCell('default'), 0);
  t.deepEqual(Buffer.from(record?.value ?? []), Buffer.from(bytes));
  stream.call.end();
  t.is((await stream.status).code, grpc.status.OK);
});

test('a stream that ends itself is acked first', async t => {
  const {open} = await startServer(t);
  const stream = open();
  stream.hello();
  for (let seq = 1; seq <= 50; seq++) stream.write(batchBytes(seq));
  stream.call.end();
  t.is((await stream.status).code, grpc.status.OK);
  t.like(stream.answers.at(-1), ackOf(50n));
});

test('a stream without a hello ends, and says why in the details', async t => {
  const {open} = await startServer(t);
  const stream = open();
  stream.write(batchBytes(1));
  const status = await stream.status;
  t.is(status.code, grpc.status.FAILED_PRECONDITION);
  t.is(readErrorInfo(status)?.reason, 'HELLO_MISSING');
});

test('a stream that says nothing is ended after a while', async t => {
  const {open, ingest} = await startServer(t, {helloMs: 20});
  const status = await open().status;
  t.is(readErrorInfo(status)?.reason, 'HELLO_MISSING');
  t.is(ingest.sessionCount(), 0);
});

test('a missing batch ends the stream with what was expected as metadata', async t => {
  const {open} = await startServer(t);
  const stream = open();
  stream.hello();
  stream.write(batchBytes(1));
  stream.write(batchBytes(5));
  const info = readErrorInfo(await stream.status);
  t.is(info?.reason, 'BATCH_GAP');
  t.like(info?.metadata, {expectedSeq: '2', seq: '5', edge: 'h01'});
});

test('a batch out of order ends the stream; a new one is taken', async t => {
  const {open} = await startServer(t);
  const stream = open();
  stream.hello();
  stream.write(batchBytes(5));
  stream.write(batchBytes(4));
  t.is(readErrorInfo(await stream.status)?.reason, 'BATCH_OUT_OF_ORDER');
  const again = open();
  again.hello({...HELLO, edge: 'h02'});
  again.write(batchBytes(1, {edge: 'h02'}));
  t.like(await again.next(), ackOf(1n));
});

test('a repeated batch is acked again', async t => {
  const {open, log} = await startServer(t);
  const stream = open();
  stream.hello();
  stream.write(batchBytes(1));
  t.like(await stream.next(), ackOf(1n));
  stream.write(batchBytes(1));
  t.like(await stream.next(), ackOf(1n));
  t.deepEqual(await sequencesOf(log), [1]);
});

test('bytes that are no request are refused in their place, and the stream goes on', async t => {
  const {open, log} = await startServer(t);
  const stream = open();
  stream.hello();
  stream.write(batchBytes(1));
  stream.write(Uint8Array.of(0xff, 0xff, 0xff));
  stream.write(gapBytes(2));
  stream.write(batchBytes(3));
  while ((stream.answers.at(-1)?.value as {seq?: bigint} | undefined)?.seq !== 3n) {
    await stream.next();
  }
  const refusal = stream.answers.find(answer => answer.case === 'refusal');
  t.like(refusal?.value, {seq: 2n, code: 'BATCH_MALFORMED'});
  t.deepEqual(await sequencesOf(log), [1, '2-2', 3]);
});

test('an oversized batch is refused; one beyond the limit of messages ends the stream', async t => {
  const {open, ingest} = await startServer(t);
  const stream = open();
  stream.hello();
  const blocks = [blockOf(HOST_METRICS, {rows: 20_000})];
  stream.write(batchBytes(1, {blocks}));
  t.like((await stream.next()).value, {seq: 1n, code: 'BATCH_TOO_LARGE'});
  stream.write(new Uint8Array(17 * 1024 * 1024));
  t.is((await stream.status).code, grpc.status.RESOURCE_EXHAUSTED);
  await settled();
  t.is(ingest.sessionCount(), 0);
});

test('an unregistered metric set is refused until it is registered', async t => {
  const {open, connect} = await startServer(t);
  const set = metricSet('smd.v1', 'host', ['a', 'b']);
  const client = connect();
  const stream = open();
  stream.hello();
  stream.write(batchBytes(1, {blocks: [blockOf(set)]}));
  t.like((await stream.next()).value, {seq: 1n, code: 'METRIC_SET_UNKNOWN'});
  const request = {name: 'smd.v1', entityKind: 'host', columns: ['a', 'b'], requestId: 'r1'};
  t.like(await call(client, client.registerMetricSet, request), {
    metricSetHash: set.hash,
    scored: false,
  });
  stream.write(gapBytes(1));
  stream.write(batchBytes(2, {blocks: [blockOf(set)]}));
  t.like(await stream.next(), ackOf(2n));
});

test('a wrong hash of a metric set is refused', async t => {
  const {open} = await startServer(t);
  const stream = open();
  stream.hello();
  stream.write(batchBytes(1, {blocks: [blockOf(HOST_METRICS, {metricSetHash: 7})]}));
  t.like((await stream.next()).value, {seq: 1n, code: 'METRIC_SET_UNKNOWN'});
});

test('registering other columns under a known name is ALREADY_EXISTS, a bad field is named', async t => {
  const {connect} = await startServer(t);
  const client = connect();
  const request = {name: 'host.v2', entityKind: 'host', columns: ['a']};
  const conflict = call(client, client.registerMetricSet, request);
  const error = (await t.throwsAsync(conflict)) as grpc.ServiceError;
  t.is(error.code, grpc.status.ALREADY_EXISTS);
  t.is(readErrorInfo(error)?.reason, 'METRIC_SET_CONFLICT');
  const invalid = call(client, client.registerMetricSet, {...request, entityKind: 'rack'});
  t.is(((await t.throwsAsync(invalid)) as grpc.ServiceError).code, grpc.status.INVALID_ARGUMENT);
  const reserved = call(client, client.registerMetricSet, {
    ...request,
    requestId: 'effect/1/1/1/1',
  });
  t.regex(
    (await t.throwsAsync<grpc.ServiceError>(reserved)).details,
    /effect\/, which is reserved/,
  );
  const known = {...request, columns: [...HOST_METRICS.columns]};
  t.like(await call(client, client.registerMetricSet, known), {scored: true});
});

test('a failed append ends the stream as one that may be opened again', async t => {
  const held = heldLog();
  const {open} = await startServer(t, {log: held.log});
  const stream = open();
  stream.hello();
  stream.write(batchBytes(1));
  while (held.groups.length === 0) await settled();
  await held.fail(new Error('disk full'));
  const status = await stream.status;
  t.is(status.code, grpc.status.UNAVAILABLE);
  t.is(readErrorInfo(status)?.reason, 'LOG_APPEND_FAILED');
});

test('a stream that breaks off is forgotten', async t => {
  const {open, ingest} = await startServer(t);
  const stream = open();
  stream.hello();
  stream.write(batchBytes(1));
  await stream.next();
  t.is(ingest.sessionCount(), 1);
  stream.call.cancel();
  while (ingest.sessionCount() > 0) await settled();
  t.pass();
});

test('a reader that stops reading keeps nothing from the log, and gets the last ack', async t => {
  const {open, log} = await startServer(t);
  const stream = open();
  stream.hello();
  stream.call.pause();
  for (let seq = 1; seq <= 2000; seq++) {
    if (!stream.write(batchBytes(seq))) await once(stream.call, 'drain');
  }
  while ((await log.endOffset('telemetry', partitionOfCell('default'))) < 2000) await settled();
  stream.call.resume();
  stream.call.end();
  t.is((await stream.status).code, grpc.status.OK);
  t.like(stream.answers.at(-1), ackOf(2000n));
});

test('a slow log pauses the stream, and nothing is lost', async t => {
  const held = heldLog();
  const limits = {streamBytesMax: 2048, appendsInFlightMax: 1, appendBytesMax: 1024};
  const {open, log} = await startServer(t, {log: held.log, limits});
  const stream = open();
  stream.hello();
  for (let seq = 1; seq <= 100; seq++) stream.write(batchBytes(seq));
  stream.call.end();
  const ended = stream.status.then(() => true);
  while (!(await Promise.race([ended, held.release().then(() => false)])));
  t.deepEqual(
    await sequencesOf(log),
    Array.from({length: 100}, (_, index) => index + 1),
  );
});

test('another protocol on the port does no harm', async t => {
  const {address, open} = await startServer(t);
  const port = Number(address.split(':')[1]);
  const strangers = [
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    '\0\x01\x02 no protocol at all'.repeat(100),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nand then nonsense',
    '',
  ];
  for (const text of strangers) {
    const socket = connectTcp(port, '127.0.0.1');
    socket.on('error', () => {
      // Being cut off is right.
    });
    await once(socket, 'connect');
    socket.end(text);
    socket.resume();
    await once(socket, 'close');
  }
  const tls = connectTls({port, host: '127.0.0.1', rejectUnauthorized: false});
  await t.throwsAsync(once(tls, 'secureConnect'));
  const stream = open();
  stream.hello();
  stream.write(batchBytes(1));
  t.like(await stream.next(), ackOf(1n));
});

test('a core that is closing says so to its streams', async t => {
  const {open, ingest} = await startServer(t);
  const stream = open();
  stream.hello();
  stream.write(batchBytes(1));
  await stream.next();
  await ingest.close();
  t.is(readErrorInfo(await stream.status)?.reason, 'LOG_CLOSED');
  const late = await open().status;
  t.is(late.code, grpc.status.UNAVAILABLE);
});

test('a hello behind an unknown field is still a hello', async t => {
  const {open} = await startServer(t);
  const stream = open();
  const unknownField = Uint8Array.of(0x78, 0x01);
  const edge = Uint8Array.of(0x0a, 3, 0x68, 0x30, 0x31);
  const cell = Uint8Array.of(0x12, 7, ...Buffer.from('default'));
  const body = [...edge, ...cell, 0x18, 0x01];
  stream.write(Uint8Array.of(...unknownField, 0x0a, body.length, ...body));
  stream.write(batchBytes(1));
  t.like(await stream.next(), ackOf(1n));
});

test('batches of several edges over several streams are all in the log', async t => {
  const {open, log} = await startServer(t);
  const edges = Array.from({length: 12}, (_, index) => `h${index}`);
  const streams = edges.map(edge => {
    const stream = open();
    stream.hello({...HELLO, edge});
    for (let seq = 1; seq <= 20; seq++) stream.write(batchBytes(seq, {edge}));
    stream.call.end();
    return stream;
  });
  for (const {status} of streams) t.is((await status).code, grpc.status.OK);
  t.is((await sequencesOf(log)).length, 240);
});
