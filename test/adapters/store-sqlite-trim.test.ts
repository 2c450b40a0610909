import {mkdtempSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test, {type ExecutionContext} from 'ava';
import {openSqliteStore} from '../../core/adapters/store-sqlite.ts';
import {cutMsMax, type Retention} from '../../core/domain/retention.ts';
import type {SinkOffset, Store, TableSchema} from '../../core/ports.ts';

const keepAll: Retention = {ageMs: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY};
const bytesMax = 4 * 2 ** 20;
const startMs = 1_760_000_000_000;

function file(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-trim-'));
  t.teardown(() => rmSync(folder, {recursive: true}));
  return join(folder, 'store.sqlite');
}

const table = (name: string): TableSchema => ({
  name,
  version: 1,
  columns: [
    {name: 'ts', type: 'timestamp'},
    {name: 'entity', type: 'symbol'},
    {name: 'note', type: 'text'},
  ],
  keys: ['ts', 'entity'],
});

/** A second of many hosts, and a row of a table that has few. */
async function writeSecond(store: Store, second: number, offsets: SinkOffset[] = []) {
  const ts = startMs + second * 1000;
  const rows = Array.from({length: 400}, (_, n) => [ts, `hosts/${n}`, 'x'.repeat(150)] as const);
  const few = [[ts + 500, 'hosts/0', 'few']] as const;
  await store.write(
    [
      {table: 'samples', rows},
      {table: 'decisions', rows: few},
    ],
    offsets,
  );
}

async function open(
  t: ExecutionContext,
  path: string,
  retention: Partial<Retention> = {bytes: bytesMax},
): Promise<Store> {
  const store = await openSqliteStore({path, retention: {...keepAll, ...retention}});
  t.teardown(() => store.close());
  await store.ensure(table('samples'));
  await store.ensure(table('decisions'));
  return store;
}

const oldestOf = async (store: Store, name: string): Promise<number> =>
  Number((await store.query({table: name, limit: 1}))[0]?.ts);

function usedBytes(path: string): number {
  const db = new DatabaseSync(path);
  const value = (name: string) => Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
  const used = (value('page_count') - value('freelist_count')) * value('page_size');
  db.close();
  return used;
}

test('the file stays at its bound, and begins at one time in all tables', async t => {
  const path = file(t);
  const store = await open(t, path);
  const offset = {topic: 'telemetry', partition: 3, offset: 0, epoch: 0} as const;
  const seconds = 300;
  for (let second = 0; second < seconds; second++) {
    await writeSecond(store, second, [{...offset, offset: second}]);
  }
  const [samples, decisions] = [
    await oldestOf(store, 'samples'),
    await oldestOf(store, 'decisions'),
  ];
  t.true(samples > startMs, 'about 25 MB were written');
  t.true(Math.abs(samples - decisions) <= cutMsMax + 1000);
  const kept = (startMs + seconds * 1000 - samples) / 1000;
  t.true(Math.abs((await store.count('samples')) - kept * 400) <= 400, 'none is missing');
  t.deepEqual(await store.readOffsets(), [{...offset, offset: seconds - 1}]);
  await store.close();
  const used = usedBytes(path);
  t.true(used <= bytesMax && used > 0.9 * bytesMax, `${used} bytes are used`);
  const {size} = statSync(path);
  t.true(size <= 1.1 * bytesMax, `the file has ${size} bytes`);
});

test('a bound that is lowered is reached by and by, and the file grows no more', async t => {
  const path = file(t);
  const large = await open(t, path, keepAll);
  for (let second = 0; second < 200; second++) await writeSecond(large, second);
  await large.close();
  const {size} = statSync(path);
  t.true(usedBytes(path) > 3 * bytesMax);
  const store = await open(t, path);
  for (let second = 200; second < 300; second++) await writeSecond(store, second);
  await store.close();
  t.true(usedBytes(path) <= bytesMax);
  t.true(statSync(path).size <= 1.01 * size);
});

test('no write waits until all of a long past is deleted', async t => {
  const path = file(t);
  const long = await open(t, path, keepAll);
  for (let second = 0; second < 200; second++) await writeSecond(long, second);
  await long.close();
  const store = await open(t, path, {ageMs: 60_000});
  await writeSecond(store, 10_000);
  t.true((await store.count('samples')) > 1000, 'of 80,000');
  for (let n = 0; n < 1000 && (await store.count('samples')) > 400; n++) await store.write([], []);
  t.is(await store.count('samples'), 400);
  t.is(await store.count('decisions'), 1);
});

test('rows that were deleted and come again go again, and take no newer ones with them', async t => {
  const path = file(t);
  const store = await open(t, path);
  for (let second = 0; second < 100; second++) await writeSecond(store, second);
  const oldest = await oldestOf(store, 'samples');
  for (let second = 0; second < 5; second++) await writeSecond(store, second);
  // Passes are bounded by time: some more of them end what is left.
  for (let n = 0; n < 20; n++) await store.write([], []);
  const again = await oldestOf(store, 'samples');
  t.true(again >= oldest && again <= oldest + 5000, `${again - oldest} ms more are gone`);
});

test('rows of a table that no program uses any more grow old too', async t => {
  const path = file(t);
  const first = await open(t, path, keepAll);
  await first.ensure(table('samples_retired'));
  const rows = Array.from({length: 700}, (_, n) => [startMs - n, 'hosts/0', 'x'] as const);
  await first.write([{table: 'samples_retired', rows}], []);
  await first.close();
  const store = await open(t, path);
  for (let second = 0; second < 100; second++) await writeSecond(store, second);
  await store.ensure(table('samples_retired'));
  t.is(await store.count('samples_retired'), 0);
  await store.close();
});

test('a table that somebody dropped does not keep the store from opening', async t => {
  const path = file(t);
  await (await open(t, path)).close();
  const db = new DatabaseSync(path);
  db.exec('DROP TABLE samples');
  db.close();
  await t.notThrowsAsync(async () => {
    const store = await openSqliteStore({path});
    await store.close();
  });
});
