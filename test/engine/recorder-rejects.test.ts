import test from 'ava';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {listen} from '../../core/events.ts';
import type {Log} from '../../core/ports.ts';
import {eventually} from '../support/process.ts';
import {
  all,
  batch,
  epoch,
  journalTick,
  PARTITION,
  recording,
  result,
  scores,
  telemetry,
  tick,
} from './recorder-fixture.ts';

test.serial('a damaged record is reported and what follows is stored', async t => {
  const {append, recorder, store, end} = recording(t);
  const seen: unknown[] = [];
  t.teardown(
    listen('record.quarantined', ({topic, offset, code}) => seen.push([topic, offset, code])),
  );
  const garbage = Uint8Array.of(255, 1, 2, 3);
  await append('telemetry', telemetry(batch(1)), garbage, telemetry(batch(2)));
  await append('inbox', garbage, result('7/1/1/0'));
  await append('scores', garbage, scores({epoch: 1, tickNumber: 1}));
  await append('journal', garbage, epoch(1), journalTick(tick(1, 1)));
  await recorder.drained();
  t.is(await store.count('samples_host_v2'), 4);
  t.is(await store.count('effect_results'), 1);
  t.is(await store.count('risks'), 4);
  t.is(await store.count('transitions'), 1);
  t.deepEqual(seen, [
    ['telemetry', 1, 'BATCH_MALFORMED'],
    ['journal', 0, 'RECORD_MALFORMED'],
    ['inbox', 0, 'RECORD_MALFORMED'],
    ['scores', 0, 'RECORD_MALFORMED'],
  ]);
  const aside = await all(store, 'rejected_records');
  t.is(aside.length, 4);
  t.like(
    aside.find(({topic}) => topic === 'telemetry'),
    {partition: PARTITION, position: 1, code: 'BATCH_MALFORMED', length: 4, bytes: '/wECAw=='},
  );
  t.true(aside.every(({reason}) => String(reason).startsWith('cannot read 4 bytes')));
  await end();
});

test.serial('what is set aside is bounded, and what follows it is stored', async t => {
  const {append, recorder, store, end} = recording(t);
  const long = new Uint8Array(5000).fill(255);
  await append('telemetry', ...Array.from({length: 1200}, () => long), telemetry(batch(1)));
  await recorder.drained();
  t.is(await store.count('rejected_records'), 1000);
  const [one] = await all(store, 'rejected_records');
  t.is(Buffer.from(String(one?.bytes), 'base64').length, 1024);
  t.is(await store.count('samples_host_v2'), 2);
  await end();
});

test.serial('damage in one topic of a partition keeps nothing else from the store', async t => {
  const inner = createMemoryLog();
  const log: Log = {
    ...inner,
    read: async (...args) => {
      if (args[0] === 'journal') throw new ForestayError('LOG_CORRUPT', 'rotten');
      return await inner.read(...args);
    },
  };
  const {append, store, end} = recording(t, {log});
  await inner.append('journal', PARTITION, [epoch(1)]);
  await append('telemetry', telemetry(batch(1)));
  await append('inbox', result('7/1/1/0'));
  // The tables come with the first rows.
  const count = (table: string) => store.count(table).catch(() => 0);
  await eventually('the rows', async () => (await count('effect_results')) === 1);
  t.is(await count('samples_host_v2'), 2);
  await end();
});
