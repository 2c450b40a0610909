import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openSqliteStore} from '../../core/adapters/store-sqlite.ts';
import type {TableSchema} from '../../core/ports.ts';
import {storeContract} from '../contracts/store.ts';
import {smallDisk} from '../support/small-disk.ts';

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'forestay-sqlite-'));
  t.teardown(() => rmSync(path, {recursive: true}));
  return path;
}

storeContract(test, async t => {
  const path = join(folder(t), 'store.sqlite');
  return {
    open: (ageMs = Number.POSITIVE_INFINITY) =>
      openSqliteStore({path, retention: {ageMs, bytes: Number.POSITIVE_INFINITY}}),
    settle: async () => {},
    table: name => name,
    durable: true,
  };
});

const TABLE: TableSchema = {
  name: 'points',
  version: 1,
  columns: [
    {name: 'ts', type: 'timestamp'},
    {name: 'value', type: 'double'},
  ],
  keys: ['ts'],
};

test('a write that fails half way leaves neither rows nor offsets', async t => {
  const store = await openSqliteStore({path: join(folder(t), 'store.sqlite')});
  t.teardown(() => store.close());
  await store.ensure(TABLE);
  const rows = [
    [1, 1],
    [2, 2],
    [null, 3],
  ] as const;
  await t.throwsAsync(
    store.write([{table: 'points', rows}], [{topic: 'journal', partition: 1, offset: 5, epoch: 1}]),
    {message: /key ts is missing/},
  );
  t.is(await store.count('points'), 0);
  t.deepEqual(await store.readOffsets(), []);
  await store.write([{table: 'points', rows: [[1, 1]]}], []);
  t.is(await store.count('points'), 1);
});

test('a full disk refuses rows for now, says why, and takes them when there is room', async t => {
  const disk = smallDisk(t, 1024 * 1024);
  if (disk === undefined) {
    t.pass('only root may mount one');
    return;
  }
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(600 * 1024));
  const store = await openSqliteStore({path: join(disk, 'store.sqlite')});
  t.teardown(() => store.close());
  await store.ensure(TABLE);
  let ts = 0;
  const write = () => {
    const rows = Array.from({length: 1000}, (_, n) => [ts + n, n] as const);
    return store.write([{table: 'points', rows}], []).then(() => {
      ts += 1000;
    });
  };
  const error = await t.throwsAsync(async () => {
    for (let n = 0; n < 100; n++) await write();
  });
  t.like(error, {code: 'STORE_WRITE_FAILED', retryable: true});
  t.regex(`${error?.message}`, /full/);
  rmSync(ballast);
  await write();
  t.is(await store.count('points'), ts, 'no half of a refused write');
});

test('calls beyond the bound of the queue are refused and may be tried again', async t => {
  const store = await openSqliteStore({
    path: join(folder(t), 'store.sqlite'),
    queueLengthMax: 2,
  });
  await store.ensure(TABLE);
  const calls = [1, 2, 3].map(() => store.count('points'));
  const results = await Promise.allSettled(calls);
  t.deepEqual(
    results.map(({status}) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
  t.like((results[2] as PromiseRejectedResult).reason, {
    code: 'STORE_WRITE_FAILED',
    retryable: true,
  });
  t.is(await store.count('points'), 0);
  await store.close();
});

test('what was called before close is done before', async t => {
  const path = join(folder(t), 'store.sqlite');
  const store = await openSqliteStore({path});
  await store.ensure(TABLE);
  const written = store.write([{table: 'points', rows: [[1, 1]]}], []);
  await Promise.all([written, store.close(), store.close()]);
  const again = await openSqliteStore({path});
  await again.ensure(TABLE);
  t.is(await again.count('points'), 1);
  await again.close();
});

test('a file that is no database is refused with what to do', async t => {
  const path = join(folder(t), 'store.sqlite');
  writeFileSync(path, 'this is not a database, but long enough to be looked at as one'.repeat(40));
  const error = await t.throwsAsync(openSqliteStore({path}));
  t.like(error, {code: 'DEPENDENCY_UNREACHABLE'});
  t.regex(error?.message ?? '', /store\.sqlite.*not a database.*check/s);
});

test('a store that is used by another program fails as one that may be tried again', async t => {
  const path = join(folder(t), 'store.sqlite');
  const store = await openSqliteStore({path, callMsMax: 4_000});
  await store.ensure(TABLE);
  const {DatabaseSync} = await import('node:sqlite');
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  t.teardown(async () => {
    other.close();
    await store.close();
  });
  const error = await t.throwsAsync(store.write([{table: 'points', rows: [[1, 1]]}], []));
  t.like(error, {code: 'STORE_WRITE_FAILED', retryable: true});
});
