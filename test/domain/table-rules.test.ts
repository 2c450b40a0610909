import test, {type ExecutionContext} from 'ava';
import {type ErrorCode, isForestayError} from '../../core/domain/errors.ts';
import {
  checkQuery,
  checkRow,
  checkTable,
  checkWhere,
  columnsToAdd,
  isIdentifier,
  keyIndexes,
  QUERY_LIMIT_MAX,
  storeClosed,
  storedValue,
  type Table,
  unknownTable,
} from '../../core/domain/table-rules.ts';

const table: Table = {
  name: 'risks',
  version: 2,
  columns: [
    {name: 'at', type: 'timestamp'},
    {name: 'host', type: 'symbol'},
    {name: 'note', type: 'text'},
    {name: 'risk', type: 'double'},
  ],
  keys: ['at', 'host'],
};

function refused(t: ExecutionContext, code: ErrorCode, pattern: RegExp, act: () => void): void {
  const error = t.throws(act);
  t.true(isForestayError(error, code), `${error}`);
  t.regex(error?.message ?? '', pattern);
}

test('a name that needs no quotes is an identifier', t => {
  for (const name of ['a', 'risk_at_target', 'p95', 'a'.repeat(63)]) t.true(isIdentifier(name));
  for (const name of ['', 'A', '1a', '_a', 'a-b', 'a b', 'a;drop', 'ä', 'a'.repeat(64)]) {
    t.false(isIdentifier(name), name);
  }
});

test('a table that stores can hold is taken', t => {
  t.notThrows(() => checkTable(table));
});

const badTables: {title: string; changes: Partial<Table>; message: RegExp}[] = [
  {title: 'has a bad name', changes: {name: 'Risks'}, message: /"Risks" as a name/},
  {
    title: 'has a column with a bad name',
    changes: {columns: [...table.columns, {name: 'x y', type: 'double'}]},
    message: /"x y" as a name in table risks/,
  },
  {
    title: 'repeats a column',
    changes: {columns: [...table.columns, {name: 'risk', type: 'double'}]},
    message: /repeats a column/,
  },
  {
    title: 'does not begin with its timestamp',
    changes: {columns: table.columns.slice(1)},
    message: /must begin, columns and keys, with its timestamp/,
  },
  {title: 'has other keys first', changes: {keys: ['host', 'at']}, message: /must begin/},
  {title: 'has no columns', changes: {columns: []}, message: /must begin/},
  {
    title: 'has a key of no column',
    changes: {keys: ['at', 'vm']},
    message: /key vm .* not a column/,
  },
];
for (const {title, changes, message} of badTables) {
  test(`a table that ${title} is refused`, t => {
    refused(t, 'INVALID_ARGUMENT', message, () => checkTable({...table, ...changes}));
  });
}

test('a query within bounds is taken', t => {
  const query = {table: 'risks', limit: QUERY_LIMIT_MAX, fromMs: 0, toMs: 1};
  t.notThrows(() => checkQuery(table, {...query, where: {host: 'h1', note: 'x', risk: 0.5}}));
  t.notThrows(() => checkQuery(table, {table: 'risks', limit: 1}));
});

test('a query without a sane limit or with a time that is none is refused', t => {
  for (const limit of [0, -1, 1.5, Number.NaN, QUERY_LIMIT_MAX + 1]) {
    const query = () => checkQuery(table, {table: 'risks', limit});
    refused(t, 'INVALID_ARGUMENT', /want 1 to 100000/, query);
  }
  for (const bound of [{fromMs: Number.NaN}, {toMs: Number.POSITIVE_INFINITY}]) {
    const query = () => checkQuery(table, {table: 'risks', limit: 1, ...bound});
    refused(t, 'INVALID_ARGUMENT', /a time bound is/, query);
  }
});

test('a comparison with an unknown column or another type is refused', t => {
  refused(t, 'INVALID_ARGUMENT', /no column vm/, () => checkWhere(table, {vm: 'v1'}));
  refused(t, 'INVALID_ARGUMENT', /compared with a string, not 7/, () =>
    checkWhere(table, {host: 7}),
  );
  refused(t, 'INVALID_ARGUMENT', /compared with a number, not high/, () =>
    checkWhere(table, {risk: 'high'}),
  );
  refused(t, 'INVALID_ARGUMENT', /not NaN/, () => checkWhere(table, {risk: Number.NaN}));
});

test('a number that is not finite is stored as missing', t => {
  t.deepEqual(
    [1.5, 'x', null, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(
      storedValue,
    ),
    [1.5, 'x', null, null, null, null],
  );
});

test('columns that an older store lacks are added, and a newer store is left alone', t => {
  const older = {version: 1, columns: ['at', 'host']};
  t.deepEqual(
    columnsToAdd(table, older).map(({name}) => name),
    ['note', 'risk'],
  );
  t.deepEqual(columnsToAdd(table, {version: 2, columns: ['at', 'host', 'note', 'risk']}), []);
  refused(t, 'STORE_SCHEMA_NEWER', /has version 3, this program knows 2/, () =>
    columnsToAdd(table, {version: 3, columns: []}),
  );
});

test('a row needs a value for every column and none of its keys missing', t => {
  const keys = keyIndexes(table);
  t.deepEqual(keys, [0, 1]);
  t.notThrows(() => checkRow(table, keys, [1, 'h1', null, null]));
  refused(t, 'STORE_WRITE_FAILED', /3 values for 4 columns/, () =>
    checkRow(table, keys, [1, 'h1', null]),
  );
  refused(t, 'STORE_WRITE_FAILED', /its key host is missing/, () =>
    checkRow(table, keys, [1, null, 'x', 0.5]),
  );
  refused(t, 'STORE_WRITE_FAILED', /its key at is missing/, () =>
    checkRow(table, keys, [Number.NaN, 'h1', 'x', 0.5]),
  );
});

test('an unknown table and a closed store have errors of their own', t => {
  t.true(isForestayError(unknownTable('x'), 'INVALID_ARGUMENT'));
  t.true(isForestayError(storeClosed(), 'STORE_WRITE_FAILED'));
});
