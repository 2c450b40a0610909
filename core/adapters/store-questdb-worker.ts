/**
 * The thread that talks to QuestDB: rows over ILP/HTTP, statements and reads over `/exec`.
 *
 * Q1 A flush that fails has lost its rows (the client empties its buffer before it sends), so
 *    rows are kept here until `flush()` resolves, and sent anew.
 * Q2 Deduplication by the tables' keys makes sending anew harmless.
 * Q3 Offsets are sent only after the rows before them are durable.
 * Q4 Tables are applied behind the write: what was written can be read a moment later.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {Sender} from '@questdb/nodejs-client';
import {parseAddress} from '../domain/address.ts';
import {ForestayError, isForestayError} from '../domain/errors.ts';
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
  Topic,
} from '../ports.ts';
import {serveStore} from './store-in-worker.ts';
import {
  backOff,
  execute,
  POLL_MS,
  reasonOf,
  unreadable,
  waitUntilReachable,
} from './store-questdb-http.ts';
import {type Cell, equal, microseconds, readValue, timeToLive} from './store-questdb-sql.ts';
import {quoted, where} from './store-sql-words.ts';

export type QuestDbServer = {
  /** `HOST:PORT` of the HTTP server. */
  address: string;
  /** Before every table's name. */
  tablePrefix: string;
  /** Of rows; Infinity: they are kept. */
  ageMsMax: number;
  connectMsMax: number;
  flushMsMax: number;
  flushAttemptsMax: number;
};

type Table = {schema: TableSchema; name: string; keys: readonly number[]};
type Batch = {table: Table; rows: readonly StoreRow[]};

const TYPES: Readonly<Record<ColumnType, string>> = {
  symbol: 'SYMBOL',
  text: 'VARCHAR',
  double: 'DOUBLE',
  long: 'LONG',
  timestamp: 'TIMESTAMP',
};

const SCHEMAS: TableSchema = {
  name: 'forestay_schema',
  version: 1,
  columns: [
    {name: 'ts', type: 'timestamp'},
    {name: 'name', type: 'symbol'},
    {name: 'version', type: 'long'},
  ],
  keys: ['ts', 'name'],
};

const OFFSETS: TableSchema = {
  name: 'forestay_offsets',
  version: 1,
  columns: [
    {name: 'ts', type: 'timestamp'},
    {name: 'topic', type: 'symbol'},
    {name: 'partition', type: 'long'},
    {name: 'offset', type: 'long'},
    {name: 'epoch', type: 'long'},
  ],
  keys: ['ts', 'topic', 'partition'],
};

/** Offsets and versions have no time: one moment for all makes a later one replace an earlier. */
const NO_TIME_MS = 0;

const REQUEST_MS_MAX = 20_000;
const APPLIED_MS_MAX = 20_000;

class QuestDbTables {
  readonly #server: QuestDbServer;
  readonly #sender: Sender;
  readonly #tables = new Map<string, Table>();
  readonly #schemas: Table;
  readonly #offsets: Table;
  /** Writes go one after the other: they share the sender's buffer. */
  #lastWrite: Promise<void> = Promise.resolve();

  private constructor(server: QuestDbServer, sender: Sender) {
    this.#server = server;
    this.#sender = sender;
    this.#schemas = this.#tableOf(SCHEMAS);
    this.#offsets = this.#tableOf(OFFSETS);
  }

  static async open(server: QuestDbServer): Promise<QuestDbTables> {
    if (parseAddress(server.address) === undefined || server.address.includes(';')) {
      throw new ForestayError(
        'CONFIG_INVALID',
        `cannot use ${JSON.stringify(server.address)} as the address of QuestDB: want HOST:PORT`,
      );
    }
    await waitUntilReachable(server);
    const sender = await Sender.fromConfig(
      `http::addr=${server.address};protocol_version=2;auto_flush=off;` +
        `retry_timeout=${server.flushMsMax};request_timeout=${server.flushMsMax}`,
      {log: () => {}},
    );
    const tables = new QuestDbTables(server, sender);
    await tables.#create(tables.#schemas);
    await tables.#create(tables.#offsets);
    return tables;
  }

  store(): Store {
    return {
      ensure: schema => this.#inTurn(() => this.#ensure(schema)),
      write: (batches, offsets) => this.#inTurn(() => this.#write(batches, offsets)),
      readOffsets: () => this.#readOffsets(),
      query: query => this.#query(query),
      count: (table, where) => this.#count(table, where),
      close: () => this.#inTurn(() => this.#sender.close()),
    };
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const done = this.#lastWrite.then(act);
    this.#lastWrite = done.catch(() => {});
    return done;
  }

  #tableOf(schema: TableSchema): Table {
    return {schema, name: `${this.#server.tablePrefix}${schema.name}`, keys: keyIndexes(schema)};
  }

  async #ensure(schema: TableSchema): Promise<void> {
    checkTable(schema);
    const table = this.#tableOf(schema);
    await this.#applied(this.#schemas);
    const [stored] = await this.#select(this.#schemas, [equal('name', schema.name)], 1);
    if (stored === undefined) {
      await this.#create(table, timeToLive(this.#server.ageMsMax));
    } else {
      const present = await this.#exec(`SELECT "column" FROM table_columns('${table.name}')`);
      const columns = present.map(([name]) => String(name));
      for (const column of columnsToAdd(schema, {version: Number(stored.version), columns})) {
        const type = TYPES[column.type as ColumnType];
        await this.#exec(
          `ALTER TABLE "${table.name}" ADD COLUMN IF NOT EXISTS "${column.name}" ${type}`,
        );
      }
    }
    await this.#send([{table: this.#schemas, rows: [[NO_TIME_MS, schema.name, schema.version]]}]);
    this.#tables.set(schema.name, table);
  }

  /** Offsets and versions live for ever: they stand at a time that is older than any. */
  async #create({name, schema}: Table, ttl = ''): Promise<void> {
    const columns = schema.columns.map(column => `"${column.name}" ${TYPES[column.type]}`);
    await this.#exec(
      `CREATE TABLE IF NOT EXISTS "${name}" (${columns.join(', ')}) TIMESTAMP("${schema.keys[0]}") ` +
        `PARTITION BY DAY${ttl} WAL DEDUP UPSERT KEYS(${quoted(schema.keys)})`,
    );
  }

  async #write(
    batches: readonly {table: string; rows: readonly StoreRow[]}[],
    offsets: readonly SinkOffset[],
  ): Promise<void> {
    const checked = batches.map(({table, rows}) => ({table: this.#table(table), rows}));
    for (const {table, rows} of checked) {
      for (const row of rows) checkRow(table.schema, table.keys, row);
    }
    await this.#send(checked);
    const rows = offsets.map(
      ({topic, partition, offset, epoch}) => [NO_TIME_MS, topic, partition, offset, epoch] as const,
    );
    await this.#send([{table: this.#offsets, rows}]);
  }

  /** Q1: builds the request anew for every attempt. */
  async #send(batches: readonly Batch[]): Promise<void> {
    if (batches.every(({rows}) => rows.length === 0)) return;
    const {flushAttemptsMax, address} = this.#server;
    for (let attempt = 1; ; attempt++) {
      try {
        this.#fill(batches);
        await this.#sender.flush();
        return;
      } catch (error) {
        if (isForestayError(error)) throw error;
        const failure = flushFailure(address, error as Error);
        if (!failure.retryable || attempt >= flushAttemptsMax) throw failure;
      }
      await backOff(attempt);
    }
  }

  #fill(batches: readonly Batch[]): void {
    try {
      this.#sender.reset();
      for (const {table, rows} of batches) for (const row of rows) this.#addRow(table, row);
    } catch (error) {
      throw poison(`a row cannot be sent: ${(error as Error).message}`, error);
    }
  }

  /** ILP wants a row's symbols before its other columns. */
  #addRow({name, schema}: Table, row: StoreRow): void {
    const sender = this.#sender.table(name);
    const {columns} = schema;
    for (let index = 1; index < columns.length; index++) {
      const value = row[index] ?? null;
      const column = columns[index] as TableSchema['columns'][number];
      if (value !== null && column.type === 'symbol') sender.symbol(column.name, value);
    }
    for (let index = 1; index < columns.length; index++) {
      const value = storedValue(row[index] ?? null);
      const column = columns[index] as TableSchema['columns'][number];
      if (value !== null) this.#addColumn(column.name, column.type, value);
    }
    // Without auto-flush this only ends the row; there is nothing to wait for.
    void sender.at(microseconds(row[0] as number), 'us');
  }

  #addColumn(name: string, type: ColumnType, value: string | number): void {
    if (type === 'double') this.#sender.floatColumn(name, value as number);
    else if (type === 'long') this.#sender.intColumn(name, value as number);
    else if (type === 'text') this.#sender.stringColumn(name, value as string);
    else if (type === 'timestamp') {
      this.#sender.timestampColumn(name, microseconds(value as number), 'us');
    }
  }

  async #readOffsets(): Promise<readonly SinkOffset[]> {
    await this.#applied(this.#offsets);
    const rows = await this.#select(this.#offsets, [], 1_000_000);
    return rows.map(row => ({
      topic: row.topic as Topic,
      partition: Number(row.partition),
      offset: Number(row.offset),
      epoch: Number(row.epoch),
    }));
  }

  async #query(query: StoreQuery): Promise<Record<string, StoreValue>[]> {
    const table = this.#table(query.table);
    checkQuery(table.schema, query);
    const time = table.schema.keys[0] as string;
    const conditions = Object.entries(query.where ?? {}).map(([name, value]) => equal(name, value));
    if (query.fromMs !== undefined) conditions.push(`"${time}" >= ${microseconds(query.fromMs)}`);
    if (query.toMs !== undefined) conditions.push(`"${time}" < ${microseconds(query.toMs)}`);
    return this.#select(table, conditions, query.limit, query.order);
  }

  async #count(name: string, equals?: Readonly<Record<string, string | number>>): Promise<number> {
    const table = this.#table(name);
    checkWhere(table.schema, equals);
    const conditions = Object.entries(equals ?? {}).map(([column, value]) => equal(column, value));
    const rows = await this.#exec(`SELECT count() FROM "${table.name}"${where(conditions)}`);
    return Number(rows[0]?.[0]);
  }

  async #select(
    {name, schema}: Table,
    conditions: readonly string[],
    limit: number,
    order: StoreQuery['order'] = 'ascending',
  ): Promise<Record<string, StoreValue>[]> {
    const direction = order === 'descending' ? 'DESC' : 'ASC';
    const keys = schema.keys.map(key => `"${key}" ${direction}`).join(', ');
    const names = quoted(schema.columns.map(column => column.name));
    const rows = await this.#exec(
      `SELECT ${names} FROM "${name}"${where(conditions)} ORDER BY ${keys} LIMIT ${limit}`,
    );
    return rows.map(row =>
      Object.fromEntries(
        schema.columns.map((column, index) => [column.name, readValue(column.type, row[index])]),
      ),
    );
  }

  #table(name: string): Table {
    const table = this.#tables.get(name);
    if (table === undefined) throw unknownTable(name);
    return table;
  }

  /** Waits until what was written to the table can be read (Q4). */
  async #applied({name}: Table): Promise<void> {
    const until = performance.now() + APPLIED_MS_MAX;
    for (;;) {
      const [state] = await this.#exec(
        `SELECT writerTxn, sequencerTxn, suspended FROM wal_tables() WHERE name = '${name}'`,
      );
      if (state === undefined || state[0] === state[1]) return;
      if (state[2] === true || performance.now() > until) {
        throw unreadable(
          `table ${name} stands at transaction ${state[0]} of ${state[1]}; look at wal_tables() and, ` +
            'if it is suspended, run ALTER TABLE … RESUME WAL',
        );
      }
      await sleep(POLL_MS);
    }
  }

  #exec(sql: string): Promise<readonly (readonly Cell[])[]> {
    return execute(this.#server.address, sql, REQUEST_MS_MAX);
  }
}

/** What QuestDB read and refused it will refuse again; anything else may pass. */
function flushFailure(address: string, error: Error): ForestayError {
  const what = `QuestDB at ${address} took no rows: ${reasonOf(error)}`;
  if (/statusCode=(400|413)/.test(error.message)) return poison(what, error);
  return new ForestayError('STORE_WRITE_FAILED', what, {retryable: true, cause: error});
}

function poison(what: string, cause: unknown): ForestayError {
  return new ForestayError('STORE_WRITE_FAILED', what, {details: {poison: true}, cause});
}

await serveStore<QuestDbServer>(async server => (await QuestDbTables.open(server)).store());
