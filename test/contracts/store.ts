import assert from 'node:assert/strict';
import type {ExecutionContext, TestFn} from 'ava';
import type {Store, StoreRow, TableSchema} from '../../core/ports.ts';
import fc from '../support/fast-check.ts';

/** What a test of the contract gets. `table` makes names that no other test uses. */
export type StoreUnderTest = {
  /** `ageMsMax` is of rows; all are kept unless given. */
  open(ageMsMax?: number): Promise<Store>;
  /** Resolves when what was written can be read. */
  settle(): Promise<void>;
  table(name: string): string;
  /** False: nothing outlives `close`, and nothing is deleted before. */
  durable: boolean;
};

const START_MS = 1_760_000_000_000;

/**
 * The cases that every {@link Store} must pass. `prepare` gives undefined when the service is not
 * there (it has said so).
 */
export function storeContract(
  test: Pick<TestFn, 'serial'>,
  prepare: (t: ExecutionContext) => Promise<StoreUnderTest | undefined>,
): void {
  const contract = (
    title: string,
    body: (t: ExecutionContext, under: StoreUnderTest, store: Store) => Promise<void>,
  ) => {
    test.serial(title, async t => {
      const under = await prepare(t);
      if (under === undefined) return;
      const store = await under.open();
      try {
        await body(t, under, store);
      } finally {
        await store.close();
      }
    });
  };

  const schema = (under: StoreUnderTest, version = 1): TableSchema => ({
    name: under.table('points'),
    version,
    columns: [
      {name: 'ts', type: 'timestamp'},
      {name: 'entity', type: 'symbol'},
      {name: 'seq', type: 'long'},
      {name: 'value', type: 'double'},
      {name: 'note', type: 'text'},
      ...(version > 1 ? [{name: 'extra', type: 'double'} as const] : []),
    ],
    keys: ['ts', 'entity', 'seq'],
  });
  const row = (second: number, entity: string, value: number | null, note: string | null = null) =>
    [START_MS + second * 1000, entity, 1, value, note] as const;

  contract('rows come back as they were written, in time order', async (t, under, store) => {
    const table = schema(under);
    await store.ensure(table);
    const rows: StoreRow[] = [
      [START_MS + 1500, 'hosts/b', 9_007_199_254_740_991, -0.1, 'it\'s "quoted" \\ {=, }\n\ttab'],
      [START_MS, 'hosts/a b=c,d', 0, 1e-300, 'снег ❄ 雪'],
      [START_MS + 500, 'x\\y\'z"', -5, null, null],
    ];
    await store.write([{table: table.name, rows}], []);
    await under.settle();
    t.deepEqual(await store.query({table: table.name, limit: 10}), [
      {ts: START_MS, entity: 'hosts/a b=c,d', seq: 0, value: 1e-300, note: 'снег ❄ 雪'},
      {ts: START_MS + 500, entity: 'x\\y\'z"', seq: -5, value: null, note: null},
      {
        ts: START_MS + 1500,
        entity: 'hosts/b',
        seq: 9_007_199_254_740_991,
        value: -0.1,
        note: 'it\'s "quoted" \\ {=, }\n\ttab',
      },
    ]);
  });

  contract('writing the same rows again leaves each once', async (t, under, store) => {
    const table = schema(under);
    await store.ensure(table);
    const write = (rows: readonly StoreRow[]) => store.write([{table: table.name, rows}], []);
    await write([row(1, 'a', 1), row(2, 'a', 2)]);
    await write([row(2, 'a', 2), row(2, 'b', 3), row(3, 'a', 4)]);
    await write([row(1, 'a', 1)]);
    await under.settle();
    t.is(await store.count(table.name), 4);
    t.is(await store.count(table.name, {entity: 'a'}), 3);
    t.is(await store.count(table.name, {entity: 'nobody'}), 0);
  });

  contract('a later value for the same keys replaces the earlier one', async (t, under, store) => {
    const table = schema(under);
    await store.ensure(table);
    await store.write([{table: table.name, rows: [row(1, 'a', 1, 'first')]}], []);
    await store.write([{table: table.name, rows: [row(1, 'a', 2, 'second')]}], []);
    await under.settle();
    const found = await store.query({table: table.name, limit: 10});
    t.deepEqual(
      found.map(({value, note}) => [value, note]),
      [[2, 'second']],
    );
  });

  contract('numbers that are not finite are missing values', async (t, under, store) => {
    const table = schema(under);
    await store.ensure(table);
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const rows = odd.map((value, index) => row(index, 'a', value));
    await store.write([{table: table.name, rows}], []);
    await under.settle();
    const found = await store.query({table: table.name, limit: 10});
    t.deepEqual(
      found.map(({value}) => value),
      [null, null, null],
    );
  });

  contract('a query takes from its first moment up to its last', async (t, under, store) => {
    const table = schema(under);
    await store.ensure(table);
    const rows = Array.from({length: 10}, (_, second) =>
      row(second, second % 2 ? 'odd' : 'even', second),
    );
    await store.write([{table: table.name, rows}], []);
    await under.settle();
    const values = async (query: object) =>
      (await store.query({table: table.name, limit: 100, ...query})).map(({value}) => value);
    t.deepEqual(await values({fromMs: START_MS + 3000, toMs: START_MS + 6000}), [3, 4, 5]);
    t.deepEqual(await values({where: {entity: 'odd'}, toMs: START_MS + 6000}), [1, 3, 5]);
    t.deepEqual(await values({order: 'descending', limit: 2}), [9, 8]);
    t.deepEqual(await values({order: 'ascending', limit: 2}), [0, 1]);
    t.deepEqual(await values({where: {value: 7, entity: 'odd'}}), [7]);
    t.deepEqual(await values({where: {value: 7, entity: 'even'}}), []);
  });

  contract('offsets are read back, the last written of each partition', async (t, under, store) => {
    const partition = Math.floor(Math.random() * 1e9);
    await store.write([], [{topic: 'journal', partition, offset: 1, epoch: 1}]);
    await store.write(
      [],
      [
        {topic: 'journal', partition, offset: 12, epoch: 3},
        {topic: 'telemetry', partition, offset: 7, epoch: 0},
      ],
    );
    await store.write([], [{topic: 'journal', partition, offset: 14, epoch: 3}]);
    await under.settle();
    const own = (await store.readOffsets()).filter(offset => offset.partition === partition);
    t.deepEqual(
      own.toSorted((a, b) => (a.topic < b.topic ? -1 : 1)),
      [
        {topic: 'journal', partition, offset: 14, epoch: 3},
        {topic: 'telemetry', partition, offset: 7, epoch: 0},
      ],
    );
  });

  contract(
    'a newer version of a table adds its columns and keeps the rows',
    async (t, under, store) => {
      const table = schema(under);
      await store.ensure(table);
      await store.ensure(table);
      await store.write([{table: table.name, rows: [row(1, 'a', 1)]}], []);
      await under.settle();
      const newer = schema(under, 2);
      await store.ensure(newer);
      await store.write([{table: newer.name, rows: [[...row(2, 'a', 2), 0.5]]}], []);
      await under.settle();
      const found = await store.query({table: newer.name, limit: 10});
      t.deepEqual(
        found.map(({value, extra}) => [value, extra]),
        [
          [1, null],
          [2, 0.5],
        ],
      );
    },
  );

  contract('a table of a newer program is refused', async (t, under, store) => {
    await store.ensure(schema(under, 2));
    const error = await t.throwsAsync(store.ensure(schema(under, 1)));
    t.like(error, {code: 'STORE_SCHEMA_NEWER', retryable: false});
    t.regex(error?.message ?? '', /has version 2, this program knows 1/);
  });

  contract('rows and versions outlive the store that wrote them', async (t, under, store) => {
    if (!under.durable) {
      t.pass();
      return;
    }
    await store.ensure(schema(under, 2));
    await store.write([{table: schema(under).name, rows: [[...row(1, 'a', 1), 2]]}], []);
    await store.close();
    await under.settle();
    const again = await under.open();
    try {
      await t.throwsAsync(again.ensure(schema(under, 1)), {message: /newer program/});
      await again.ensure(schema(under, 2));
      t.is(await again.count(schema(under).name), 1);
    } finally {
      await again.close();
    }
  });

  contract('what is too old goes, also when it comes again; offsets stay', async (t, under) => {
    if (!under.durable) {
      t.pass();
      return;
    }
    const day = 86_400;
    const table = schema(under);
    const store = await under.open(30 * day * 1000);
    const partition = Math.floor(Math.random() * 1e9);
    const offset = {topic: 'journal', partition, offset: 1, epoch: 1} as const;
    const old = [row(0, 'a', 1), row(1, 'a', 2), row(5 * day, 'a', 3)];
    const kept = [row(75 * day, 'a', 4), row(100 * day, 'a', 5)];
    const write = async (rows: readonly StoreRow[]) => {
      await store.write([{table: table.name, rows}], []);
      await under.settle();
    };
    try {
      await store.ensure(table);
      await store.write([{table: table.name, rows: old}], [offset]);
      await write([...old, ...kept]);
      await write(old);
      // Time goes on at the next row; until then a server may keep what is late.
      await write([row(100 * day + 1, 'a', 6)]);
      const found = await store.query({table: table.name, limit: 10});
      t.deepEqual(
        found.map(({value}) => value),
        [4, 5, 6],
      );
      const offsets = await store.readOffsets();
      t.deepEqual(
        offsets.filter(known => known.partition === partition),
        [offset],
      );
    } finally {
      await store.close();
    }
  });

  contract('names and comparisons that could carry SQL are refused', async (t, under, store) => {
    const table = schema(under);
    await store.ensure(table);
    const limit = 1;
    const refused = {code: 'INVALID_ARGUMENT'};
    const evil = 'x; DROP TABLE y';
    t.like(await t.throwsAsync(store.ensure({...table, name: evil})), refused);
    const columns = [...table.columns, ...table.columns];
    t.like(await t.throwsAsync(store.ensure({...table, columns})), refused);
    t.like(await t.throwsAsync(store.ensure({...table, keys: ['ts', evil]})), refused);
    t.like(await t.throwsAsync(store.ensure({...table, keys: ['entity']})), refused);
    const fromMs = Number.NaN;
    t.like(await t.throwsAsync(store.query({table: table.name, fromMs, limit})), refused);
    t.like(await t.throwsAsync(store.query({table: evil, limit})), refused);
    t.like(await t.throwsAsync(store.write([{table: evil, rows: []}], [])), refused);
    t.like(
      await t.throwsAsync(store.query({table: table.name, where: {[evil]: 1}, limit})),
      refused,
    );
    t.like(await t.throwsAsync(store.count(table.name, {entity: 1})), refused);
    t.like(await t.throwsAsync(store.query({table: table.name, limit: 0})), refused);
    await store.write([{table: table.name, rows: [row(1, `' OR '1'='1`, 1)]}], []);
    await under.settle();
    t.is(await store.count(table.name, {entity: `' OR '1'='1`}), 1);
    t.is(await store.count(table.name, {entity: `' OR '1'='1' --`}), 0);
  });

  contract('a row that does not fit its table is poison', async (t, under, store) => {
    const table = schema(under);
    await store.ensure(table);
    const write = (bad: StoreRow) => store.write([{table: table.name, rows: [bad]}], []);
    for (const bad of [[START_MS, 'a'], row(Number.NaN, 'a', 1), [START_MS, null, 1, 1, null]]) {
      const error = await t.throwsAsync(write(bad as StoreRow));
      t.like(error, {code: 'STORE_WRITE_FAILED', retryable: false, details: {poison: true}});
    }
  });

  contract(
    'rows of several tables and thousands of rows go in one write',
    async (t, under, store) => {
      const table = schema(under);
      const other = {...table, name: under.table('others')};
      await store.ensure(table);
      await store.ensure(other);
      const rows = Array.from({length: 2500}, (_, index) => row(index, `h${index % 7}`, index / 3));
      await store.write(
        [
          {table: table.name, rows},
          {table: other.name, rows: rows.slice(0, 33)},
        ],
        [],
      );
      await under.settle();
      t.is(await store.count(table.name), 2500);
      t.is(await store.count(other.name), 33);
      const [last] = await store.query({table: table.name, order: 'descending', limit: 1});
      t.is(last?.value, 2499 / 3);
    },
  );

  contract('a table may have a thousand columns', async (t, under, store) => {
    const metrics = Array.from({length: 1030}, (_, index) => `m${index}`);
    const table: TableSchema = {
      name: under.table('wide'),
      version: 1,
      columns: [
        {name: 'ts', type: 'timestamp'},
        ...metrics.map(name => ({name, type: 'double'}) as const),
      ],
      keys: ['ts'],
    };
    await store.ensure(table);
    const rows = Array.from({length: 40}, (_, index) => [
      START_MS + index,
      ...metrics.map((_name, column) => index + column),
    ]);
    await store.write([{table: table.name, rows}], []);
    await under.settle();
    t.is(await store.count(table.name), 40);
    const [last] = await store.query({table: table.name, order: 'descending', limit: 1});
    t.is(last?.m1029, 39 + 1029);
  });

  contract(
    'any text and any number survive the way to the store and back',
    async (t, under, store) => {
      const table = schema(under);
      await store.ensure(table);
      // Unpaired surrogates have no UTF-8, and U+0000 ends texts in some stores.
      const text = fc
        .string({unit: 'grapheme', minLength: 1})
        .map(value => value.replaceAll('\0', ''));
      const value = fc.double({noDefaultInfinity: true, noNaN: true});
      const seed = Date.now() % 2 ** 31;
      t.log(`seed ${seed}`);
      const sample = fc.sample(fc.tuple(text, value), {numRuns: 200, seed});
      const rows = sample.map(([note, double], index) =>
        row(index, `${note}_`, double, `${note}_`),
      );
      await store.write([{table: table.name, rows}], []);
      await under.settle();
      const found = await store.query({table: table.name, limit: 1000});
      assert.deepEqual(
        found.map(({entity, value: double, note}) => [entity, double || 0, note]),
        rows.map(([, entity, , double, note]) => [entity, double || 0, note]),
      );
      t.pass();
    },
  );

  contract('a closed store refuses to write', async (t, under, store) => {
    const table = schema(under);
    await store.ensure(table);
    await store.close();
    const error = await t.throwsAsync(
      store.write([{table: table.name, rows: [row(1, 'a', 1)]}], []),
    );
    t.like(error, {code: 'STORE_WRITE_FAILED', retryable: false});
  });
}
