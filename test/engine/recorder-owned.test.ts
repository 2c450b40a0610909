import test from 'ava';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import {createMemoryStore} from '../../core/adapters/store-memory.ts';
import type {Store} from '../../core/ports.ts';
import {eventually} from '../support/process.ts';
import {batch, PARTITION, recording, telemetry} from './recorder-fixture.ts';

/** Counts the rows of samples that it is given, equal ones too. */
function countingStore(): Store & {written(): number} {
  const store = createMemoryStore();
  let written = 0;
  return {
    ...store,
    async write(batches, offsets) {
      for (const {table, rows} of batches) if (table.startsWith('samples')) written += rows.length;
      await store.write(batches, offsets);
    },
    written: () => written,
  };
}

test('of two recorders at one log and one store, only the one that owns the partition stores it', async t => {
  const log = createMemoryLog();
  const store = countingStore();
  let owner = 'a';
  const a = recording(t, {log, store, isOwned: () => owner === 'a'});
  const b = recording(t, {log, store, isOwned: () => owner === 'b'});
  await a.append('telemetry', telemetry(batch(1)), telemetry(batch(2)));
  await a.recorder.drained();
  await b.recorder.drained();
  t.is(store.written(), 4);
  t.deepEqual([...b.recorder.storedSamples()], []);

  owner = 'b';
  await a.append('telemetry', telemetry(batch(3)));
  await b.recorder.drained();
  t.is(store.written(), 6, 'the new owner goes on where the former one had come to');
  t.is(await store.count('samples_host_v2'), 6);
  await a.end();
  await b.end();
});

test('rows that were read before a partition went to another core are stored all the same', async t => {
  const log = createMemoryLog();
  const store = countingStore();
  let owned = true;
  const {append, end} = recording(t, {log, store, flushMs: 300, isOwned: () => owned});
  let isRead = false;
  const watched = log.read;
  log.read = async (topic, partition, from, bytes) => {
    const records = await watched(topic, partition, from, bytes);
    isRead ||= topic === 'telemetry' && records.length > 0;
    return records;
  };
  await append('telemetry', telemetry(batch(1)));
  await eventually('the batch is read', () => isRead);
  owned = false;
  await eventually('its rows are stored', () => store.written() === 2);
  const offsets = await store.readOffsets();
  t.false(
    offsets.some(({topic, partition}) => topic === 'telemetry' && partition === PARTITION),
    'how far it has come is for the new owner to say',
  );
  await end();
});
