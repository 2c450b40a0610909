import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {openSqliteStore} from '../../core/adapters/store-sqlite.ts';
import type {Store} from '../../core/ports.ts';
import {all, batch, recording, START_MS, telemetry} from './recorder-fixture.ts';

test('a log that is read again leaves each row once, and none that retention took', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-recorder-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  const store = await openSqliteStore({
    path: join(folder, 'store.sqlite'),
    retention: {ageMs: 60_000, bytes: Number.POSITIVE_INFINITY},
  });
  t.teardown(() => store.close());
  const seconds = 300;
  const kept = Array.from({length: 61}, (_, n) => START_MS + (seconds - 60 + n) * 1000);
  const stored = async () => (await all(store, 'samples_host_v2')).map(({ts}) => ts);

  const first = recording(t, {store, rowsMax: 20});
  for (let seq = 1; seq <= seconds; seq++) {
    await first.append('telemetry', telemetry(batch(seq, {rows: 1})));
  }
  await first.recorder.drained();
  await first.end();
  t.deepEqual(await stored(), kept);
  const taken = (await store.readOffsets()).find(({topic}) => topic === 'telemetry');
  t.is(taken?.offset, seconds, 'what is read of the log is known, whatever was deleted');

  // As if nothing had been written down: the worst of what may come again.
  const forgetful: Store = {...store, readOffsets: async () => []};
  const second = recording(t, {log: first.log, store: forgetful, rowsMax: 20});
  await second.recorder.drained();
  await second.end();
  t.deepEqual(await stored(), kept);
});
