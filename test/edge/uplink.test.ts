import test, {type ExecutionContext} from 'ava';
import {createMemoryFiles, type MemoryFiles} from '../../core/adapters/files-memory.ts';
import type {Loss} from '../../edge/losses.ts';
import {Uplink, type UplinkLimits} from '../../edge/uplink.ts';
import {settle} from './manual-clock.ts';
import {scriptedCore} from './scripted-core.ts';
import {batches, openSpool, show} from './spool-support.ts';

const limits = {
  batchesMax: 4,
  bytesMax: 10_000,
  ackMs: 8000,
  retryMsMin: 1000,
  retryMsMax: 16_000,
  throttleMsMax: 60_000,
};

/** An uplink that waits the full time between attempts, unless told otherwise. */
function connect(
  t: ExecutionContext,
  options: {files?: MemoryFiles; limits?: Partial<UplinkLimits>; draw?: () => number} = {},
) {
  const spooled = openSpool(options.files ?? createMemoryFiles());
  const core = scriptedCore();
  const notes: string[] = [];
  const uplink = new Uplink({
    spool: spooled.spool,
    dial: core.dial,
    clock: spooled.clock,
    random: {next: options.draw ?? (() => 1)},
    edge: 'h01',
    cell: 'default',
    encodeGap: (gap: Loss) =>
      Buffer.from(show({kind: 'gap', position: {incarnation: 0, seq: 0}, gap})),
    limits: {...limits, ...options.limits},
    note: line => notes.push(line),
  });
  t.teardown(() => uplink.stop());
  const fill = (count: number): void => {
    spooled.fill(count);
    uplink.wake();
  };
  return {...spooled, core, uplink, notes, fill};
}

const at = (seq: number, incarnation = 1) => ({incarnation, seq});

test('a batch is sent at once, before it is durable', t => {
  const {uplink, core, fill, files} = connect(t);
  uplink.start();
  files.failAfter(0);
  fill(2);
  t.deepEqual(core.stream.hello, {edge: 'h01', cell: 'default', incarnation: 1});
  t.deepEqual(core.stream.sent, batches(1, 1, 2));
});

test('only a window is in flight, and every ack lets more go', t => {
  const {uplink, core, fill} = connect(t);
  uplink.start();
  fill(10);
  t.deepEqual(core.stream.sent, batches(1, 1, 4));
  core.ack(at(2));
  t.deepEqual(core.stream.sent, batches(1, 1, 6));
  core.ack(at(6));
  t.deepEqual(core.stream.sent, batches(1, 1, 10));
  t.is(uplink.inFlightBatches, 4);
});

test('the window is bounded in bytes too', t => {
  const {uplink, core, fill} = connect(t, {limits: {bytesMax: 45}});
  uplink.start();
  fill(10);
  t.is(core.stream.sent.length, 3);
});

test('a core that is behind is waited for', t => {
  const {uplink, core, fill} = connect(t);
  uplink.start();
  core.script.isFull = true;
  fill(3);
  t.is(core.stream.sent.length, 1);
  core.script.isFull = false;
  core.stream.events.writable();
  t.is(core.stream.sent.length, 3);
});

test('a core that says throttle is sent nothing for that long', async t => {
  const {uplink, core, fill, clock} = connect(t);
  uplink.start();
  fill(1);
  core.stream.events.throttled(3000);
  fill(2);
  await clock.advance(2999);
  t.is(core.stream.sent.length, 1);
  core.ack(at(1));
  t.is(core.stream.sent.length, 1);
  await clock.advance(1);
  t.deepEqual(core.stream.sent, batches(1, 1, 3));
  t.is(uplink.counters.throttles, 1);
});

test('drained resolves with the ack of what was there, not of what came later', async t => {
  const {uplink, core, fill} = connect(t);
  uplink.start();
  await uplink.drained();
  fill(2);
  let isDrained = false;
  const drained = uplink.drained().then(() => {
    isDrained = true;
  });
  fill(1);
  core.ack(at(1));
  await settle();
  t.false(isDrained);
  core.ack(at(2));
  await drained;
  t.pass();
});

test('acks that were had before, and acks of what was never sent, change nothing', t => {
  const {uplink, core, fill, spool} = connect(t);
  uplink.start();
  fill(3);
  core.ack(at(2));
  core.ack(at(2));
  core.ack(at(1));
  core.ack(at(99));
  core.ack(at(1, 7));
  t.deepEqual(spool.acked, at(2));
  t.is(uplink.counters.ignoredAnswers, 4);
});

test('after a broken stream everything behind the last ack is sent again', async t => {
  const {uplink, core, fill, clock, notes} = connect(t);
  uplink.start();
  fill(4);
  core.ack(at(1));
  const first = core.stream;
  first.events.closed(new Error('connection reset'));
  await settle();
  t.false(first.isOpen);
  fill(1);
  await clock.advance(1000);
  t.not(core.stream, first);
  t.deepEqual(core.stream.sent, batches(1, 2, 5));
  t.regex(notes[0] ?? '', /connection reset; trying again in 1000 ms/);
  // The old stream has nothing to say any more.
  first.events.acked(1, 5);
  first.events.writable();
  t.is(uplink.inFlightBatches, 4);
});

test('while the core is away attempts become rarer up to a cap; when it is back all is sent', async t => {
  const {uplink, core, fill, clock} = connect(t);
  core.script.isAway = true;
  uplink.start();
  fill(6);
  await clock.advance(0);
  t.is(uplink.counters.dials, 1);
  // 1, 2, 4, 8, 16, 16 s
  for (const [ms, dials] of [
    [1000, 2],
    [2000, 3],
    [4000, 4],
    [8000, 5],
    [16_000, 6],
    [16_000, 7],
  ] as const) {
    await clock.advance(ms);
    t.is(uplink.counters.dials, dials);
  }
  core.script.isAway = false;
  await clock.advance(16_000);
  t.deepEqual(core.stream.sent, batches(1, 1, 4));
  core.ack(at(4));
  t.deepEqual(core.stream.sent, batches(1, 1, 6));
  core.stream.events.closed(undefined);
  await clock.advance(1000);
  t.is(core.streams.length, 2, 'an ack begins the series anew');
});

test('the wait before an attempt is a random part of its maximum', async t => {
  const {uplink, core, clock} = connect(t, {draw: () => 0.25});
  core.script.isAway = true;
  uplink.start();
  await clock.advance(249);
  t.is(uplink.counters.dials, 1);
  await clock.advance(1);
  t.is(uplink.counters.dials, 2);
});

test('a stream that acks nothing for too long is given up', async t => {
  const {uplink, core, fill, clock, notes} = connect(t);
  uplink.start();
  await clock.advance(60_000);
  t.is(core.streams.length, 1, 'without anything in flight silence is fine');
  fill(1);
  await clock.advance(8000);
  t.is(core.streams.length, 1);
  await clock.advance(4000);
  t.is(core.streams.length, 2);
  t.deepEqual(core.stream.sent, ['1/1']);
  t.regex(notes[0] ?? '', /\[SERVER_UNREACHABLE\] the core acknowledged none of 1 batches for 8 s/);
});

test('a refused batch goes to the reject folder, its gap in its place, and nothing waits', async t => {
  const {uplink, core, fill, files, notes} = connect(t);
  uplink.start();
  fill(6);
  t.deepEqual(core.stream.sent, batches(1, 1, 4));
  const drained = uplink.drained();
  core.stream.events.refused({...at(2), code: 'METRIC_SET_UNKNOWN', message: 'who is vm.v9?'});
  t.is(core.stream.sent.at(-1), 'gap 1/2-2 METRIC_SET_UNKNOWN');
  t.is(files.list('/spool/reject').length, 1);
  t.is(notes[0], 'uplink: batch 1/2 was refused: [METRIC_SET_UNKNOWN] who is vm.v9?');
  core.ack(at(4));
  core.ack(at(6));
  await drained;
  t.is(core.streams.length, 1);
  t.is(uplink.counters.refusedBatches, 1);
});

test('refusals of what is not in flight are ignored', t => {
  const {uplink, core, fill, files} = connect(t);
  uplink.start();
  fill(2);
  core.ack(at(1));
  for (const seq of [1, 3]) core.stream.events.refused({...at(seq), code: 'X', message: ''});
  t.deepEqual(files.list('/spool/reject'), []);
  t.is(uplink.counters.ignoredAnswers, 2);
  core.stream.events.refused({...at(2), code: 'X', message: ''});
  core.stream.events.refused({...at(2), code: 'X', message: 'and its gap too'});
  t.is(uplink.counters.sentGaps, 1);
  t.is(uplink.counters.ignoredAnswers, 3);
});

test('a refused batch is not offered again on a new stream, but its gap is', async t => {
  const {uplink, core, fill, clock} = connect(t);
  uplink.start();
  fill(3);
  core.stream.events.refused({...at(1), code: 'BATCH_MALFORMED', message: ''});
  core.stream.events.closed(undefined);
  await clock.advance(1000);
  t.deepEqual(core.stream.sent, ['gap 1/1-1 BATCH_MALFORMED', '1/2', '1/3']);
});

test('a restarted edge sends the older incarnation first and then its own', async t => {
  const files = createMemoryFiles();
  const before = openSpool(files);
  before.fill(3);
  before.spool.acknowledge(at(1));
  await before.spool.close();

  const {uplink, core, fill, spool} = connect(t, {files});
  uplink.start();
  fill(2);
  t.deepEqual(core.stream.hello.incarnation, 2);
  t.deepEqual(core.stream.sent, ['1/2', '1/3', '2/1', '2/2']);
  core.ack(at(3));
  core.ack(at(2, 2));
  await uplink.drained();
  t.deepEqual(spool.acked, at(2, 2));
});

test('stopping before everything is acked rejects those who wait for it', async t => {
  const {uplink, core, fill} = connect(t);
  uplink.start();
  fill(1);
  const drained = uplink.drained();
  await uplink.stop();
  await t.throwsAsync(drained, {code: 'TIMED_OUT', message: /h01 stopped before/});
  t.false(core.stream.isOpen);
});
