import {
  checkQuery,
  checkRow,
  checkTable,
  checkWhere,
  columnsToAdd,
  keyIndexes,
  storeClosed,
  storedValue,
  unknownTable,
} from '../domain/table-rules.ts';
import type {SinkOffset, Store, StoreRow, StoreValue, TableSchema} from '../ports.ts';

type MemoryTable = {schema: TableSchema; keys: readonly number[]; rows: Map<string, StoreRow>};
type Row = Readonly<Record<string, StoreValue>>;

/** A store for tests and simulations: gone with the process. Queries read every row. */
export function createMemoryStore(): Store {
  const tables = new Map<string, MemoryTable>();
  const offsets = new Map<string, SinkOffset>();
  let closed = false;

  const tableOf = (name: string): MemoryTable => {
    const table = tables.get(name);
    if (table === undefined) throw unknownTable(name);
    return table;
  };

  return {
    async ensure(schema) {
      checkTable(schema);
      const stored = tables.get(schema.name);
      if (stored === undefined) {
        tables.set(schema.name, {schema, keys: keyIndexes(schema), rows: new Map()});
      } else {
        migrate(stored, schema);
      }
    },

    async write(batches, taken) {
      if (closed) throw storeClosed();
      for (const {table, rows} of batches) {
        const {schema, keys} = tableOf(table);
        for (const row of rows) checkRow(schema, keys, row);
      }
      for (const {table, rows} of batches) {
        const into = tableOf(table);
        for (const row of rows) into.rows.set(keyOf(into.keys, row), row.map(storedValue));
      }
      for (const offset of taken) offsets.set(`${offset.topic}/${offset.partition}`, offset);
    },

    readOffsets: async () => [...offsets.values()],

    async query(query) {
      const table = tableOf(query.table);
      checkQuery(table.schema, query);
      const {fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY} = query;
      const time = table.schema.columns[0]?.name as string;
      const found = select(table, query.where).filter(
        row => Number(row[time]) >= fromMs && Number(row[time]) < toMs,
      );
      found.sort((a, b) => compareKeys(table.schema.keys, a, b));
      if (query.order === 'descending') found.reverse();
      return found.slice(0, query.limit);
    },

    async count(name, where) {
      const table = tableOf(name);
      checkWhere(table.schema, where);
      return where === undefined ? table.rows.size : select(table, where).length;
    },

    async close() {
      closed = true;
    },
  };
}

function migrate(table: MemoryTable, schema: TableSchema): void {
  const {version, columns} = table.schema;
  const known = columns.map(column => column.name);
  const added = columnsToAdd(schema, {version, columns: known});
  const all = [...columns, ...added];
  // The new schema's order counts from here on.
  const from = schema.columns.map(({name}) => all.findIndex(column => column.name === name));
  for (const [key, row] of table.rows) {
    table.rows.set(
      key,
      from.map(index => row[index] ?? null),
    );
  }
  table.schema = schema;
  table.keys = keyIndexes(schema);
}

const keyOf = (keys: readonly number[], row: StoreRow): string =>
  JSON.stringify(keys.map(index => row[index]));

function select({schema, rows}: MemoryTable, where: Row | undefined): Row[] {
  const wanted = Object.entries(where ?? {});
  const found: Row[] = [];
  for (const values of rows.values()) {
    const row = Object.fromEntries(
      schema.columns.map(({name}, index) => [name, values[index] ?? null]),
    );
    if (wanted.every(([name, value]) => row[name] === value)) found.push(row);
  }
  return found;
}

function compareKeys(keys: readonly string[], a: Row, b: Row): number {
  for (const key of keys) {
    const [left, right] = [a[key] as string | number, b[key] as string | number];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
