import test, {type ExecutionContext} from 'ava';
import {ReplayEdge, type ReplayEdgeOptions} from '../../cli/replay-edge.ts';
import type {ReplayRow} from '../../cli/replay-rows.ts';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import {metricSet} from '../../core/domain/metric-sets.ts';
import type {Batch} from '../../core/domain/telemetry.ts';
import type {LinkEvents} from '../../edge/ports.ts';
import {codec} from '../../proto/codec.ts';

const SET = metricSet('x.v1', 'host', ['a', 'b']);
const row = (host: string, atMs: number, ...values: number[]): ReplayRow => ({
  host,
  atMs,
  set: SET,
  values,
});

/** A core of a few lines: answers each batch as it is told. */
function replaying(
  t: ExecutionContext,
  answer: (batch: Batch, events: LinkEvents) => void,
  options: Partial<ReplayEdgeOptions> = {},
) {
  const batches: Batch[] = [];
  const edge = new ReplayEdge({
    edge: 'replay',
    cell: 'c',
    incarnation: 9,
    codec,
    clock: systemClock,
    random: seededRandom(1),
    batchRowsMax: 3,
    ackMsMax: 5_000,
    note: () => {},
    dial: (_hello, events) => ({
      send(bytes) {
        const record = codec.decodeTelemetry(bytes);
        if (record.kind === 'gap') return true;
        batches.push(record.batch);
        setImmediate(() => answer(record.batch, events));
        return true;
      },
      close() {},
    }),
    ...options,
  });
  t.teardown(() => edge.close());
  return {edge, batches};
}

const acknowledge = ({incarnation, seq}: Batch, events: LinkEvents) =>
  events.acked(incarnation, seq);

test('every sample is sent once, in the order of its batch, and counted when it is acked', async t => {
  const {edge, batches} = replaying(t, acknowledge);
  for (let second = 0; second < 4; second++) {
    await edge.add(row('h1', second, second, Number.NaN));
    await edge.add(row('h2', second, Number.POSITIVE_INFINITY, 1e300));
  }
  await edge.finish();
  t.is(edge.sentSamples, 8);
  t.is(edge.ackedSamples, 8);
  t.deepEqual(
    batches.map(({seq, incarnation, timeBase}) => [incarnation, seq, timeBase]),
    [1, 2, 3].map(seq => [9, seq, 'recorded']),
  );
  const [block] = batches[0]?.blocks ?? [];
  t.deepEqual(block?.entities, ['hosts/h1', 'hosts/h2']);
  t.deepEqual([...(block?.rowEntity ?? [])], [0, 1, 0]);
  t.deepEqual([...(block?.observedAtMs ?? [])], [0, 0, 1]);
  // What is not finite, or too large for f32, is missing.
  t.deepEqual([...(block?.values ?? [])], [0, NaN, 1, NaN, NaN, NaN]);
});

test('two rows of a host at one time are two samples', async t => {
  const {edge, batches} = replaying(t, acknowledge);
  await edge.add(row('h1', 5, 1, 1));
  await edge.add(row('h1', 5, 2, 2));
  await edge.finish();
  t.is(batches[0]?.blocks[0]?.rows, 2);
  t.is(edge.ackedSamples, 2);
});

test('a refused batch ends the replay with the reason of the core', async t => {
  const {edge} = replaying(t, ({incarnation, seq}, events) =>
    events.refused({incarnation, seq, code: 'TIME_BASE_CONFLICT', message: 'cell c is live'}),
  );
  await edge.add(row('h1', 0, 1, 1));
  const error = await t.throwsAsync(edge.finish());
  t.regex(error?.message ?? '', /refused batch 1: \[TIME_BASE_CONFLICT\] cell c is live/);
  t.is(edge.ackedSamples, 0);
});

test('a core that says nothing ends the replay with what it had', async t => {
  const {edge} = replaying(
    t,
    (batch, events) => {
      if (batch.seq === 1) acknowledge(batch, events);
    },
    {ackMsMax: 200},
  );
  for (let second = 0; second < 5; second++) await edge.add(row('h1', second, 1, 1));
  const error = await t.throwsAsync(edge.finish(), {code: 'TIMED_OUT'});
  t.regex(error?.message ?? '', /acknowledged 3 of 5 samples/);
});

test('a replay waits for a core that is behind', async t => {
  const held: (() => void)[] = [];
  const wide = metricSet(
    'wide.v1',
    'host',
    Array.from({length: 1000}, (_, index) => `m${index}`),
  );
  const {edge} = replaying(
    t,
    (batch, events) => {
      held.push(() => acknowledge(batch, events));
    },
    {batchRowsMax: 50},
  );
  const values = Array.from({length: 1000}, Math.random);
  let added = 0;
  const all = (async () => {
    for (; added < 2000; added++) await edge.add({host: 'h', atMs: added, set: wide, values});
    await edge.finish();
  })();
  let before = -1;
  while (added !== before) {
    before = added;
    await systemClock.sleep(100);
  }
  // 4 MB a thousand rows: it has stopped well before the end.
  t.true(added < 1500, `${added} rows ahead`);
  const release = setInterval(() => {
    for (const give of held.splice(0)) give();
  }, 5);
  await all;
  clearInterval(release);
  t.is(edge.ackedSamples, 2000);
});
