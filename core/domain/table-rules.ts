/** What every store refuses and how it reads values: one place, so that all refuse the same. */
import {ForestayError} from './errors.ts';

type Value = string | number | null;

/** A table as stores know it; the same shape as the port's. */
export type Table = {
  name: string;
  version: number;
  columns: readonly {name: string; type: string}[];
  keys: readonly string[];
};

type Query = {
  table: string;
  where?: Readonly<Record<string, string | number>>;
  fromMs?: number;
  toMs?: number;
  limit: number;
};

export const QUERY_LIMIT_MAX = 100_000;

const IDENTIFIER = /^[a-z][a-z0-9_]{0,62}$/;

/** Lower case letters, digits and underscores: needs no quotes in any SQL, and hides none. */
export function isIdentifier(name: string): boolean {
  return IDENTIFIER.test(name);
}

/** Throws `INVALID_ARGUMENT` for a table that stores cannot hold. */
export function checkTable(table: Table): void {
  const names = table.columns.map(column => column.name);
  const bad = [table.name, ...names].find(name => !isIdentifier(name));
  if (bad !== undefined) {
    throw invalid(
      `cannot use ${JSON.stringify(bad)} as a name in table ${table.name}: want ${IDENTIFIER}`,
    );
  }
  if (new Set(names).size !== names.length) throw invalid(`table ${table.name} repeats a column`);
  const first = table.columns[0];
  if (first?.type !== 'timestamp' || table.keys[0] !== first.name) {
    throw invalid(`table ${table.name} must begin, columns and keys, with its timestamp`);
  }
  const stray = table.keys.find(key => !names.includes(key));
  if (stray !== undefined) throw invalid(`key ${stray} of table ${table.name} is not a column`);
}

/** Throws `INVALID_ARGUMENT` unless every column is known and the limit is within bounds. */
export function checkQuery(table: Table, query: Query): void {
  checkWhere(table, query.where);
  const {limit} = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > QUERY_LIMIT_MAX) {
    throw invalid(`cannot query ${limit} rows of ${table.name}: want 1 to ${QUERY_LIMIT_MAX}`);
  }
  for (const bound of [query.fromMs, query.toMs]) {
    if (bound !== undefined && !Number.isFinite(bound)) {
      throw invalid(`cannot query ${table.name}: a time bound is ${bound}`);
    }
  }
}

/** Throws `INVALID_ARGUMENT` for an unknown column or a value of another type than the column. */
export function checkWhere(table: Table, where: Query['where']): void {
  for (const [name, value] of Object.entries(where ?? {})) {
    const type = table.columns.find(column => column.name === name)?.type;
    if (type === undefined) throw invalid(`table ${table.name} has no column ${name}`);
    const wanted = type === 'symbol' || type === 'text' ? 'string' : 'number';
    if (typeof value !== wanted || Number.isNaN(value)) {
      throw invalid(`column ${name} of ${table.name} is compared with a ${wanted}, not ${value}`);
    }
  }
}

/** What is stored for a value: a number that is not finite is a missing one. */
export function storedValue(value: Value): Value {
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

/**
 * Columns to add to a stored table of version `stored`.
 * Throws `STORE_SCHEMA_NEWER` when a newer program has been here.
 */
export function columnsToAdd(
  table: Table,
  stored: {version: number; columns: readonly string[]},
): readonly Table['columns'][number][] {
  if (stored.version > table.version) {
    throw new ForestayError(
      'STORE_SCHEMA_NEWER',
      `cannot use table ${table.name}: the store has version ${stored.version}, this program knows ` +
        `${table.version}; run the newer program, or point this one at another store`,
      {details: {table: table.name, stored: stored.version, known: table.version}},
    );
  }
  return table.columns.filter(column => !stored.columns.includes(column.name));
}

/** Throws `STORE_WRITE_FAILED` for a row that does not fit its table: no retry can help it. */
export function checkRow(table: Table, keyIndexes: readonly number[], row: readonly Value[]): void {
  const missing = keyIndexes.find(index => storedValue(row[index] ?? null) === null);
  if (row.length === table.columns.length && missing === undefined) return;
  const reason =
    missing === undefined
      ? `it has ${row.length} values for ${table.columns.length} columns`
      : `its key ${table.columns[missing]?.name} is missing`;
  throw new ForestayError('STORE_WRITE_FAILED', `cannot write a row to ${table.name}: ${reason}`, {
    details: {table: table.name, poison: true},
  });
}

/** Where the keys of a table are among its columns. */
export function keyIndexes(table: Table): readonly number[] {
  return table.keys.map(key => table.columns.findIndex(column => column.name === key));
}

export function unknownTable(name: string): ForestayError {
  return invalid(
    `table ${JSON.stringify(name)} is not there: it must be ensured before it is used`,
  );
}

export function storeClosed(): ForestayError {
  return new ForestayError('STORE_WRITE_FAILED', 'cannot use the store: it was closed');
}

function invalid(message: string): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', message);
}
