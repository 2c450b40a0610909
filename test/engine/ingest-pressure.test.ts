import test from 'ava';
import {batchBytes, HELLO, heldLog, recordingStream, settled, setUp} from './ingest-fixtures.ts';

test.serial('a full stream is paused until half of it is durable', async t => {
  const held = heldLog();
  const bytes = batchBytes(1).length;
  const limits = {streamBytesMax: bytes * 3, appendsInFlightMax: 1, appendBytesMax: bytes * 2};
  const {open} = setUp({log: held.log, limits});
  const {session, calls} = open();
  for (let seq = 1; seq <= 4; seq++) session.record(batchBytes(seq));
  t.deepEqual(calls, ['pause']);
  await held.release();
  t.deepEqual(calls, ['pause']);
  await held.release();
  t.deepEqual(calls, ['pause', 'resume']);
});

test.serial('streams that fill the core together are paused together', async t => {
  const held = heldLog();
  const {open} = setUp({log: held.log, limits: {totalBytesMax: batchBytes(1).length}});
  const first = open();
  const second = open({...HELLO, edge: 'h02'});
  first.session.record(batchBytes(1));
  second.session.record(batchBytes(1, {edge: 'h02'}));
  t.deepEqual([first.calls, second.calls], [[], ['pause']]);
  await held.release();
  t.deepEqual(second.calls, ['pause', 'resume']);
});

test.serial('edges of a partition whose owner lags are told to wait, once an interval', t => {
  let lagMs = 60_000;
  const {open, clock} = setUp({lagMs: () => lagMs, limits: {throttleMs: 1_000}});
  const {session, replies} = open();
  session.record(batchBytes(1));
  session.record(batchBytes(2));
  clock.advance(1_000);
  session.record(batchBytes(3));
  clock.advance(1_000);
  lagMs = 0;
  session.record(batchBytes(4));
  const throttle = {kind: 'throttle', intervalMs: 1_000} as const;
  t.deepEqual(
    replies.filter(({kind}) => kind === 'throttle'),
    [throttle, throttle],
  );
});

test.serial('closing waits for the appends under way, then ends the streams', async t => {
  const held = heldLog();
  const {open, ingest} = setUp({log: held.log});
  const {session, replies, errors} = open();
  session.record(batchBytes(1));
  await settled();
  const closed = ingest.close();
  await settled();
  t.deepEqual(errors, []);
  await held.release();
  await closed;
  t.deepEqual(replies, [{kind: 'ack', incarnation: 1, seq: 1}]);
  t.is(errors[0]?.code, 'LOG_CLOSED');
  const late = recordingStream();
  ingest.open(late.stream);
  t.is(late.errors[0]?.code, 'LOG_CLOSED');
});
