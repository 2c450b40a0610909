/**
 * The thread that owns the database: node:sqlite is synchronous. Calls are answered in order.
 *
 * Tables are clustered by their keys (WITHOUT ROWID), so time ranges are ranges of the file and a
 * row that is written again replaces itself.
 */
import {DatabaseSync, type StatementSync} from 'node:sqlite';
import {ForestayError} from '../domain/errors.ts';
import type {Retention} from '../domain/retention.ts';
import {
  checkQuery,
  checkRow,
  checkTable,
  checkWhere,
  columnsToAdd,
  keyIndexes,
  storedValue,
  unknownTable,
} from '../domain/table-rules.ts';
import type {
  ColumnType,
  SinkOffset,
  Store,
  StoreQuery,
  StoreRow,
  StoreValue,
  TableSchema,
} from '../ports.ts';
import {serveStore} from './store-in-worker.ts';
import {quoted, where} from './store-sql-words.ts';
import {Trimmer} from './store-sqlite-trim.ts';

export type SqliteFile = {path: string; busyMsMax: number; retention: Retention};

type Table = {schema: TableSchema; keys: readonly number[]; inserts: Map<number, StatementSync>};

const TYPES: Readonly<Record<ColumnType, string>> = {
  symbol: 'TEXT',
  text: 'TEXT',
  double: 'REAL',
  long: 'INTEGER',
  timestamp: 'INTEGER',
};

/** Rows a statement: fewer, larger statements cost half as much a row. */
const WIDTHS = [32, 8, 1];

/** SQLite binds no more values to one statement. */
const VALUES_MAX = 32_766;

const TIME_BOUNDS = [
  ['fromMs', '>='],
  ['toMs', '<'],
] as const;

class SqliteTables {
  readonly #db: DatabaseSync;
  readonly #tables = new Map<string, Table>();
  readonly #trimmer: Trimmer;

  constructor({path, busyMsMax, retention}: SqliteFile) {
    this.#db = new DatabaseSync(path, {timeout: busyMsMax});
    this.#db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA cache_size = -16000;
      PRAGMA wal_autocheckpoint = 4000;
      PRAGMA journal_size_limit = 67108864;
      CREATE TABLE IF NOT EXISTS forestay_schema (name TEXT PRIMARY KEY, version INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS forestay_offsets (
        topic TEXT, partition INTEGER, offset INTEGER NOT NULL, epoch INTEGER NOT NULL,
        PRIMARY KEY (topic, partition)
      ) WITHOUT ROWID;
    `);
    this.#trimmer = new Trimmer(this.#db, retention);
    // Also tables of metric sets that nobody sends any more have rows that grow old.
    for (const {name} of this.#all('SELECT name FROM forestay_schema', [])) {
      const sql = 'SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk';
      const keys = this.#all(sql, [name as string]).map(column => String(column.name));
      if (keys.length > 0) this.#trimmer.add(String(name), keys);
    }
  }

  store(): Store {
    return {
      ensure: async table => this.#transact(() => this.#ensure(table)),
      write: async (batches, offsets) => this.#transact(() => this.#write(batches, offsets)),
      readOffsets: async () => this.#offsets(),
      query: async query => this.#query(query),
      count: async (table, where) => this.#count(table, where),
      close: async () => this.#db.close(),
    };
  }

  #transact(body: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      body();
      this.#db.exec('COMMIT');
    } catch (error) {
      // A full disk has ended the transaction already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #ensure(schema: TableSchema): void {
    checkTable(schema);
    const {name, version, columns, keys} = schema;
    const stored = this.#all('SELECT version FROM forestay_schema WHERE name = ?', [name])[0];
    if (stored === undefined) {
      const definitions = columns.map(column => `"${column.name}" ${TYPES[column.type]}`);
      this.#db.exec(
        `CREATE TABLE "${name}" (${definitions.join(', ')}, PRIMARY KEY (${quoted(keys)})) WITHOUT ROWID`,
      );
    } else {
      const present = this.#all('SELECT name FROM pragma_table_info(?)', [name]).map(column =>
        String(column.name),
      );
      const added = columnsToAdd(schema, {version: Number(stored.version), columns: present});
      for (const column of added) {
        const type = TYPES[column.type as ColumnType];
        this.#db.exec(`ALTER TABLE "${name}" ADD COLUMN "${column.name}" ${type}`);
      }
    }
    this.#db
      .prepare('INSERT OR REPLACE INTO forestay_schema (name, version) VALUES (?, ?)')
      .run(name, version);
    if (stored === undefined) this.#trimmer.add(name, keys);
    this.#tables.set(name, {schema, keys: keyIndexes(schema), inserts: new Map()});
  }

  /** What is deleted goes with the rows that take its place: both are there, or neither. */
  #write(
    batches: readonly {table: string; rows: readonly StoreRow[]}[],
    offsets: readonly SinkOffset[],
  ): void {
    const startMs = performance.now();
    for (const {table, rows} of batches) this.#insert(this.#table(table), rows);
    const statement = this.#db.prepare(
      'INSERT OR REPLACE INTO forestay_offsets (topic, partition, offset, epoch) VALUES (?, ?, ?, ?)',
    );
    for (const {topic, partition, offset, epoch} of offsets) {
      statement.run(topic, partition, offset, epoch);
    }
    this.#trimmer.trim(performance.now() - startMs);
  }

  #offsets(): SinkOffset[] {
    const sql = 'SELECT topic, partition, offset, epoch FROM forestay_offsets';
    return this.#db.prepare(sql).all() as SinkOffset[];
  }

  #insert(table: Table, rows: readonly StoreRow[]): void {
    let at = 0;
    for (const width of WIDTHS) {
      if (width * table.schema.columns.length > VALUES_MAX) continue;
      while (rows.length - at >= width) {
        const values: StoreValue[] = [];
        for (let index = at; index < at + width; index++) {
          const row = rows[index] as StoreRow;
          checkRow(table.schema, table.keys, row);
          for (const value of row) values.push(storedValue(value));
        }
        this.#insertStatement(table, width).run(...values);
        at += width;
      }
    }
  }

  #insertStatement(table: Table, width: number): StatementSync {
    const known = table.inserts.get(width);
    if (known !== undefined) return known;
    const names = table.schema.columns.map(column => column.name);
    const row = `(${names.map(() => '?').join(', ')})`;
    const rows = Array.from({length: width}, () => row).join(', ');
    const statement = this.#db.prepare(
      `INSERT OR REPLACE INTO "${table.schema.name}" (${quoted(names)}) VALUES ${rows}`,
    );
    table.inserts.set(width, statement);
    return statement;
  }

  #query(query: StoreQuery): Record<string, StoreValue>[] {
    const {schema} = this.#table(query.table);
    checkQuery(schema, query);
    const conditions = Object.keys(query.where ?? {}).map(name => `"${name}" = ?`);
    const values: (string | number)[] = Object.values(query.where ?? {});
    for (const [bound, operator] of TIME_BOUNDS) {
      const value = query[bound];
      if (value === undefined) continue;
      conditions.push(`"${schema.columns[0]?.name}" ${operator} ?`);
      values.push(value);
    }
    const direction = query.order === 'descending' ? 'DESC' : 'ASC';
    const order = schema.keys.map(key => `"${key}" ${direction}`).join(', ');
    const columns = quoted(schema.columns.map(column => column.name));
    return this.#all(
      `SELECT ${columns} FROM "${schema.name}"${where(conditions)} ORDER BY ${order} LIMIT ?`,
      [...values, query.limit],
    );
  }

  #count(name: string, equal?: Readonly<Record<string, string | number>>): number {
    const {schema} = this.#table(name);
    checkWhere(schema, equal);
    const conditions = Object.keys(equal ?? {}).map(column => `"${column}" = ?`);
    const sql = `SELECT count(*) AS rows FROM "${schema.name}"${where(conditions)}`;
    return Number(this.#all(sql, Object.values(equal ?? {}))[0]?.rows);
  }

  #table(name: string): Table {
    const table = this.#tables.get(name);
    if (table === undefined) throw unknownTable(name);
    return table;
  }

  #all(sql: string, values: readonly StoreValue[]): Record<string, StoreValue>[] {
    return this.#db.prepare(sql).all(...values) as Record<string, StoreValue>[];
  }
}

await serveStore<SqliteFile>(async file => {
  try {
    return new SqliteTables(file).store();
  } catch (error) {
    throw cannotOpen(file.path, error as Error);
  }
});

function cannotOpen(path: string, cause: Error): ForestayError {
  return new ForestayError(
    'DEPENDENCY_UNREACHABLE',
    `cannot open the sqlite store ${path}: ${cause.message}; check that its folder exists, can be ` +
      'written, and holds no other file of that name',
    {cause},
  );
}
