import test from 'ava';
import {createAckPacer} from '../../core/engine/ingest-acks.ts';
import {batchBytes, HELLO, NOW_MS, settled, setUp} from './ingest-fixtures.ts';

/** Sleeps end when a test moves the time beyond them. */
function clockOf() {
  let nowMs = NOW_MS;
  let sleeps: {untilMs: number; wake: () => void}[] = [];
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: (ms: number) =>
      new Promise<void>(wake => {
        sleeps.push({untilMs: nowMs + ms, wake});
      }),
    async pass(ms: number) {
      nowMs += ms;
      const due = sleeps.filter(({untilMs}) => untilMs <= nowMs);
      sleeps = sleeps.filter(({untilMs}) => untilMs > nowMs);
      for (const {wake} of due) wake();
      await new Promise(resolve => setImmediate(resolve));
    },
  };
}

test('so many acks go at once, the others in their order as time passes', async t => {
  const clock = clockOf();
  const pacer = createAckPacer(clock, 6);
  const sent: number[] = [];
  for (let index = 0; index < 8; index++) pacer.queue(() => sent.push(index));
  await clock.pass(0);
  t.deepEqual(sent, [0, 1, 2]);
  await clock.pass(340);
  t.deepEqual(sent, [0, 1, 2, 3, 4]);
  pacer.queue(() => sent.push(8));
  await clock.pass(10_000);
  t.deepEqual(sent, [0, 1, 2, 3, 4, 5, 6, 7]);
  await clock.pass(400);
  pacer.queue(() => sent.push(9));
  await clock.pass(0);
  t.deepEqual(sent, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('a limit that is none keeps nothing waiting', async t => {
  const clock = clockOf();
  const pacer = createAckPacer(clock, Number.POSITIVE_INFINITY);
  let sent = 0;
  for (let index = 0; index < 1000; index++) pacer.queue(() => sent++);
  await clock.pass(1);
  pacer.queue(() => sent++);
  await clock.pass(0);
  t.is(sent, 1001);
});

/** Two edges of which the second one has to wait for its acks: one goes in a second. */
async function twoEdges() {
  const clock = clockOf();
  const {open} = setUp({clock, limits: {acksPerSecondMax: 1}});
  const first = open();
  const second = open({...HELLO, edge: 'h02'});
  const send = async (...seqs: number[]) => {
    for (const seq of seqs) second.session.record(batchBytes(seq, {edge: 'h02'}));
    await settled();
  };
  first.session.record(batchBytes(1));
  await send(1);
  return {clock, ...second, send};
}

const ackOf = (seq: number) => ({kind: 'ack' as const, incarnation: 1, seq});

test('an ack that waited for its turn tells what is durable by then', async t => {
  const {clock, send, replies} = await twoEdges();
  t.deepEqual(replies, []);
  await send(2, 3);
  t.deepEqual(replies, []);
  await clock.pass(1000);
  t.deepEqual(replies, [ackOf(3)]);
});

test('an edge that has sent a good part of its window does not wait for its turn', async t => {
  const {clock, send, replies} = await twoEdges();
  await send(...Array.from({length: 30}, (_, index) => index + 2));
  t.deepEqual(replies, []);
  await send(32);
  t.deepEqual(replies, [ackOf(32)]);
  await clock.pass(1000);
  await send(33);
  await clock.pass(1000);
  t.deepEqual(replies, [ackOf(32), ackOf(33)]);
});

test('an edge that is done is told at once', async t => {
  const {send, session, replies, calls} = await twoEdges();
  session.finish();
  await settled();
  t.deepEqual([replies, calls], [[ackOf(1)], ['end']]);
  await send(2);
  t.deepEqual(replies, [ackOf(1)]);
});

test('what is durable is acked before a stream ends for any reason', async t => {
  const {send, replies, errors} = await twoEdges();
  await send(3);
  t.deepEqual(replies, [ackOf(1)]);
  t.is(errors[0]?.code, 'BATCH_GAP');
});
