import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {createMemoryStore} from '../../core/adapters/store-memory.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {listen} from '../../core/events.ts';
import type {Store} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {
  all,
  batch,
  epoch,
  journalTick,
  PARTITION,
  recording,
  result,
  SMD,
  START_MS,
  scores,
  telemetry,
  tick,
} from './recorder-fixture.ts';

test('every sample is stored once, with the time of its edge, however often it was sent', async t => {
  const {append, recorder, store, end} = recording(t);
  const late = {...batch(3), blocks: batch(0).blocks};
  await append('telemetry', ...[batch(1), batch(2), batch(1), batch(2), late].map(telemetry));
  await append('telemetry', telemetry(batch(5)), telemetry(batch(4)), telemetry(batch(5)));
  await recorder.drained();
  const rows = await all(store, 'samples_host_v2');
  t.deepEqual(
    rows.map(({ts, entity, seq, row}) => [Number(ts) - START_MS, entity, seq, row]),
    [
      [0, 'hosts/h01', 3, 0],
      [1, 'hosts/h01', 3, 1],
      ...[1, 2, 4, 5].flatMap(seq => [
        [seq * 1000, 'hosts/h01', seq, 0],
        [seq * 1000 + 1, 'hosts/h01', seq, 1],
      ]),
    ],
  );
  t.like(rows[1], {cell: 'default', edge: 'h01', incarnation: 1});
  t.is(rows[1]?.cpu_steal_ratio, 3);
  t.deepEqual([...recorder.storedSamples()], [['default', 12]]);
  await end();
});

test('a recorder that starts again right before a late repeat stores what follows it', async t => {
  const first = recording(t);
  await first.append('telemetry', ...[batch(1), batch(2), batch(3)].map(telemetry));
  await first.recorder.drained();
  await first.end();
  await first.append('telemetry', ...[batch(1), batch(4), batch(5)].map(telemetry));
  const second = recording(t, {log: first.log, store: first.store});
  await second.recorder.drained();
  t.is(await first.store.count('samples_host_v2'), 10);
  await second.end();
});

test('rows of several blocks of one set in a batch are different samples', async t => {
  const {append, recorder, store, end} = recording(t);
  const one = batch(1);
  await append('telemetry', telemetry({...one, blocks: [...one.blocks, ...one.blocks]}));
  await recorder.drained();
  t.is(await store.count('samples_host_v2'), 4);
  await end();
});

test('a registered set gets a table of its own, whatever its metrics are called', async t => {
  const {append, recorder, store, end} = recording(t);
  await append(
    'inbox',
    codec.encodeInbox({
      requestId: 'r1',
      atMs: START_MS,
      author: 'replay',
      kind: 'register-metric-set',
      name: SMD.name,
      entityKind: 'host',
      columns: SMD.columns,
    }),
  );
  await append('telemetry', telemetry(batch(1, {set: SMD})));
  await recorder.drained();
  const [row] = await all(store, 'samples_smd_v1');
  t.like(row, {cpu_utilisation_ratio: 0, load_1: 2, row: 0});
  t.is(Object.keys(row ?? {}).length, 7 + 4);
  t.is(await store.count('commands', {kind: 'register-metric-set'}), 1);
  await end();
});

test.serial(
  'a block of an unknown set is reported, and the rest of its batch is stored',
  async t => {
    const {append, recorder, store, end} = recording(t);
    const codes: string[] = [];
    t.teardown(listen('record.quarantined', ({code}) => codes.push(code)));
    const known = batch(1);
    await append(
      'telemetry',
      telemetry({...known, blocks: [...batch(1, {set: SMD}).blocks, ...known.blocks]}),
    );
    await recorder.drained();
    t.is(await store.count('samples_host_v2'), 2);
    t.deepEqual(codes, ['METRIC_SET_UNKNOWN']);
    await end();
  },
);

test('what an owner that was replaced wrote is not stored', async t => {
  const {append, recorder, store, end} = recording(t);
  await append('journal', epoch(1), journalTick(tick(1, 1)), epoch(2), journalTick(tick(1, 2)));
  await append('journal', journalTick(tick(2, 1)), journalTick(tick(2, 1)));
  await append('scores', scores({epoch: 2, tickNumber: 1}), scores({epoch: 1, tickNumber: 9}));
  await recorder.drained();
  const moves = await all(store, 'transitions');
  t.deepEqual(
    moves.map(({epoch: of, seq}) => [of, seq]),
    [
      [1, 1],
      [2, 1],
    ],
  );
  t.is(await store.count('risks'), 4);
  await end();
});

test('decisions, effects, results, risks and reasons are rows as they were recorded', async t => {
  const {append, recorder, store, end} = recording(t);
  await append('journal', epoch(1), journalTick(tick(1, 1)));
  await append('inbox', result('7/1/1/0'));
  await append('scores', scores({epoch: 1, tickNumber: 1}));
  await recorder.drained();
  t.like((await all(store, 'decisions'))[0], {
    id: '7/1/1/d0',
    entity: 'hosts/h01',
    action: 'migrate',
    blocked_by: '',
    alternatives: '[]',
  });
  t.like((await all(store, 'effects'))[0], {
    ts: START_MS + 1001,
    id: '7/1/1/0',
    kind: 'start-migration',
    vm: 'v1',
    target_host: 'h02',
    deadline: START_MS + 61_001,
  });
  t.deepEqual(await all(store, 'effect_results'), [
    {
      ts: START_MS + 5,
      id: '7/1/1/0',
      status: 'done',
      code: '',
      message: 'moved',
      figures: '{"downtime_seconds":0.25}',
    },
  ]);
  const risks = await all(store, 'risks');
  t.deepEqual(
    risks.map(({host, component, risk}) => [host, component, risk]),
    [
      ['h01', 'cpu', 0],
      ['h01', 'disk', 0.5],
      ['h02', 'cpu', 0.25],
      ['h02', 'disk', null],
    ],
  );
  t.like((await all(store, 'reasons'))[0], {host: 'h01', component: 'disk', contribution: 3});
  t.like((await all(store, 'decision_reasons'))[0], {
    decision: '7/1/1/d0',
    feature: 'disk_latency_seconds.level',
    unit: 'seconds',
    counterfactual: '{"changes":[{"metric":"disk_latency_seconds","value":0.01}],"risk":0.1}',
  });
  await end();
});

test('a recorder that starts again stores what came meanwhile and repeats nothing', async t => {
  const first = recording(t);
  await first.append('telemetry', telemetry(batch(1)));
  await first.append('journal', epoch(1), journalTick(tick(1, 1)));
  await first.recorder.drained();
  await first.end();
  await first.append('telemetry', telemetry(batch(1)), telemetry(batch(2)));
  await first.append('journal', journalTick(tick(1, 1)), journalTick(tick(1, 2)));
  const {log, store} = first;
  const second = recording(t, {log, store});
  await second.recorder.drained();
  t.is(await store.count('samples_host_v2'), 4);
  t.is(await store.count('transitions'), 2);
  await second.end();
});

test('a new log beside an old store is recorded from its start', async t => {
  const first = recording(t);
  for (const seq of [1, 2, 3]) await first.append('telemetry', telemetry(batch(seq)));
  await first.recorder.drained();
  await first.end();
  const second = recording(t, {store: first.store});
  await second.recorder.drained();
  await second.append('telemetry', telemetry(batch(4)));
  await second.recorder.drained();
  t.is(await first.store.count('samples_host_v2'), 8);
  await second.end();
});

test('a store that is away for a while gets everything when it is back', async t => {
  const inner = createMemoryStore();
  let away = true;
  let refused = 0;
  const store: Store = {
    ...inner,
    write: async (...args) => {
      if (!away) return inner.write(...args);
      refused++;
      throw new ForestayError('STORE_WRITE_FAILED', 'away', {retryable: true});
    },
  };
  const {append, recorder, end} = recording(t, {store, rowsMax: 10, flushMs: 5});
  for (let seq = 1; seq <= 50; seq++) await append('telemetry', telemetry(batch(seq)));
  while (refused < 3) await systemClock.sleep(5);
  away = false;
  await recorder.drained();
  t.is(await inner.count('samples_host_v2'), 100);
  t.deepEqual([...recorder.storedSamples()], [['default', 100]]);
  await end();
});

test('while the store is away the recorder stops reading', async t => {
  const inner = createMemoryLog();
  const store: Store = {
    ...createMemoryStore(),
    write: () => Promise.reject(new ForestayError('STORE_WRITE_FAILED', '', {retryable: true})),
  };
  let readTo = 0;
  let reads = 0;
  const log: typeof inner = {
    ...inner,
    read: async (topic, partition, from) => {
      const records = await inner.read(topic, partition, from, 1);
      reads++;
      if (topic === 'telemetry') readTo = Math.max(readTo, from + records.length);
      return records;
    },
  };
  const {append, recorder, end} = recording(t, {log, store, rowsMax: 10, flushMs: 5});
  for (let seq = 1; seq <= 100; seq++) await append('telemetry', telemetry(batch(seq)));
  // It has stopped when nothing was read for a while; on a busy machine the beginning takes longer.
  const deadlineMs = systemClock.monotonicMs() + 10_000;
  let before = -1;
  while ((readTo < 1 || reads !== before) && systemClock.monotonicMs() < deadlineMs) {
    before = reads;
    await systemClock.sleep(100);
  }
  // Two rows a batch: ten at most are on their way, ten more wait. It may stop before, when rows
  // have waited for their flush.
  t.true(readTo >= 1 && readTo <= 11, `read ${readTo} batches`);
  await t.throwsAsync(recorder.drained(50), {code: 'TIMED_OUT'});
  await end();
});

test.serial(
  'a row that the store cannot take is set aside, and its neighbours are stored',
  async t => {
    const inner = createMemoryStore();
    const store: Store = {
      ...inner,
      write: async (batches, offsets) => {
        const rows = batches.flatMap(of => (of.table === 'samples_host_v2' ? of.rows : []));
        if (rows.some(row => row[5] === 3)) {
          throw new ForestayError('STORE_WRITE_FAILED', 'not this', {details: {poison: true}});
        }
        await inner.write(batches, offsets);
      },
    };
    let rejected = 0;
    t.teardown(
      listen('rows.rejected', ({count}) => {
        rejected += count;
      }),
    );
    const {append, recorder, end} = recording(t, {store});
    await append('telemetry', ...[1, 2, 3, 4, 5].map(seq => telemetry(batch(seq))));
    await recorder.drained();
    t.is(await inner.count('samples_host_v2'), 8);
    const aside = await all(inner, 'rejected_rows');
    t.is(aside.length, 2);
    t.is(rejected, 2);
    t.like(aside[0], {ts: START_MS + 3000, table_name: 'samples_host_v2', reason: 'not this'});
    t.regex(String(aside[0]?.body), /"hosts\/h01","default"/);
    await end();
  },
);

test('a store of a newer program ends the recorder with that reason', async t => {
  const store = createMemoryStore();
  const table = {
    name: 'risks',
    version: 99,
    columns: [{name: 'ts', type: 'timestamp'}],
    keys: ['ts'],
  };
  await store.ensure(table as Parameters<Store['ensure']>[0]);
  const {run} = recording(t, {store});
  await t.throwsAsync(run, {code: 'STORE_SCHEMA_NEWER'});
});

test('a store that is closed under it ends the recorder', async t => {
  const {store, append, recorder, run} = recording(t, {flushMs: 1});
  await recorder.drained();
  await store.close();
  await append('telemetry', telemetry(batch(1)));
  await t.throwsAsync(run, {code: 'STORE_WRITE_FAILED'});
});

test('a log that is closed ends the recorder quietly', async t => {
  const {log, recorder, run} = recording(t);
  await recorder.drained();
  await log.close();
  await t.notThrowsAsync(run);
});

test('thinned out, every second batch and every second record of scores is stored', async t => {
  const {append, recorder, store, end} = recording(t, {sampleEvery: 2, scoreEvery: 2});
  await append('telemetry', ...[1, 2, 3, 4].map(seq => telemetry(batch(seq))));
  for (const tickNumber of [1, 2, 3]) await append('scores', scores({epoch: 1, tickNumber}));
  await recorder.drained();
  t.is(await store.count('samples_host_v2'), 4);
  t.is(await store.count('risks'), 8);
  t.is(await store.count('reasons'), 3);
  await end();
});

test('a gap that an edge declared does not hold up what follows', async t => {
  const {append, recorder, store, end} = recording(t);
  const gap = {edge: 'h01', cell: 'default', incarnation: 1, fromSeq: 2, toSeq: 8, reason: 'full'};
  await append('telemetry', telemetry(batch(1)));
  await append('telemetry', codec.encodeTelemetry({kind: 'gap', gap}), telemetry(batch(9)));
  await recorder.drained();
  t.is(await store.count('samples_host_v2'), 4);
  await end();
});

test('records that retention took before they were read do not stop the recorder', async t => {
  const log = createMemoryLog();
  const first = recording(t, {log});
  await first.append('telemetry', telemetry(batch(1)));
  await first.recorder.drained();
  await first.end();
  for (const seq of [2, 3, 4, 5]) await first.append('telemetry', telemetry(batch(seq)));
  log.dropBefore('telemetry', PARTITION, 3);
  const second = recording(t, {log, store: first.store});
  await second.recorder.drained();
  t.is(await first.store.count('samples_host_v2'), 6);
  await second.end();
});
