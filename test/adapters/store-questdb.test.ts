import http from 'node:http';
import type {AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {openQuestDbStore} from '../../core/adapters/store-questdb.ts';
import type {TableSchema} from '../../core/ports.ts';
import {type StoreUnderTest, storeContract} from '../contracts/store.ts';
import {needService} from '../services/need.ts';

let prefixes = 0;

/** A real QuestDB, with tables that no other test has. */
async function questDb(t: ExecutionContext): Promise<StoreUnderTest | undefined> {
  const address = await needService(t, 'questdb');
  if (address === undefined) return undefined;
  const tablePrefix = `t${process.pid}_${Date.now()}_${prefixes++}_`;
  return {
    open: (ageMsMax = Number.POSITIVE_INFINITY) =>
      openQuestDbStore({address, tablePrefix, ageMsMax}),
    settle: () => settle(address, tablePrefix),
    table: name => name,
    durable: true,
  };
}

/** Waits until everything that was written can be read. */
async function settle(address: string, prefix: string): Promise<void> {
  const sql = `SELECT count() FROM wal_tables() WHERE writerTxn != sequencerTxn AND name LIKE '${prefix}%'`;
  const url = `http://${address}/exec?${new URLSearchParams({query: sql})}`;
  for (let attempt = 0; attempt < 600; attempt++) {
    const response = await fetch(url, {signal: AbortSignal.timeout(10_000)});
    const answer = (await response.json()) as {dataset: [[number]]};
    if (answer.dataset[0][0] === 0) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`QuestDB at ${address} has not applied its log after 600 looks`);
}

storeContract(test, questDb);

/** A loopback address of its own, where nothing listens. */
const NOBODY = '127.0.0.2:19009';

const TABLE: TableSchema = {
  name: 'points',
  version: 1,
  columns: [
    {name: 'ts', type: 'timestamp'},
    {name: 'entity', type: 'symbol'},
    {name: 'seq', type: 'long'},
  ],
  keys: ['ts', 'entity', 'seq'],
};
const ROWS = [[1000, 'a', 1] as const, [2000, 'b', 2] as const];
const OFFSET = {topic: 'journal', partition: 1, offset: 5, epoch: 1} as const;

/** QuestDB's side of HTTP: takes statements, and rows as `answer` says. */
async function fakeQuestDb(
  t: ExecutionContext,
  answer: (request: number) => {status: number; body?: string} | 'hang',
) {
  const bodies: string[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      if (!request.url?.startsWith('/write')) {
        response.end('{"dataset":[]}');
        return;
      }
      // The table of versions is written at `ensure`, before the test begins.
      const reply = body.startsWith('forestay_schema') ? {status: 204} : answer(bodies.length);
      if (!body.startsWith('forestay_schema')) bodies.push(body);
      if (reply === 'hang') return;
      response.statusCode = reply.status;
      response.end(reply.body);
    });
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store = await openQuestDbStore({address, flushMsMax: 300, flushAttemptsMax: 3});
  t.teardown(() => store.close());
  await store.ensure(TABLE);
  return {store, bodies, write: () => store.write([{table: 'points', rows: ROWS}], [OFFSET])};
}

const tableOf = (body: string) => body.slice(0, body.indexOf(','));

test('rows of a failed flush are sent again, and offsets only after them', async t => {
  // The client itself tries a 503 again until its deadline; the rows must outlive that too.
  const {bodies, write} = await fakeQuestDb(t, request =>
    request < 2 ? 'hang' : {status: request === 2 ? 503 : 204},
  );
  await write();
  t.deepEqual(bodies.map(tableOf), ['points', 'points', 'points', 'points', 'forestay_offsets']);
  t.true(bodies.slice(0, 4).every(body => body === bodies[0]));
  t.regex(bodies[0] ?? '', /points,entity=a seq=1i .*\npoints,entity=b seq=2i /);
});

test('a server that fails for good ends as a failure that may be tried again', async t => {
  const {bodies, write} = await fakeQuestDb(t, () => ({status: 500, body: 'boom'}));
  const error = await t.throwsAsync(write());
  t.like(error, {code: 'STORE_WRITE_FAILED', retryable: true});
  t.false(bodies.some(body => body.startsWith('forestay_offsets')));
});

test('rows that QuestDB cannot read are poison and not sent again', async t => {
  const {bodies, write} = await fakeQuestDb(t, () => ({status: 400, body: '{"line":1}'}));
  const error = await t.throwsAsync(write());
  t.like(error, {code: 'STORE_WRITE_FAILED', retryable: false, details: {poison: true}});
  t.regex(error?.message ?? '', /"line":1/);
  t.is(bodies.length, 1);
});

test('a row with a value of another type is poison and leaves nothing in the buffer', async t => {
  const {store, bodies, write} = await fakeQuestDb(t, () => ({status: 204}));
  const rows = [[1, 'half', 1] as const, [2, 'bad', 1.5] as const];
  const error = await t.throwsAsync(store.write([{table: 'points', rows}], []));
  t.like(error, {code: 'STORE_WRITE_FAILED', details: {poison: true}});
  await write();
  t.false(bodies.some(body => body.includes('half')));
});

test('a QuestDB that is not there is reported with its address and what to do', async t => {
  const error = await t.throwsAsync(openQuestDbStore({address: NOBODY, connectMsMax: 300}));
  t.like(error, {code: 'DEPENDENCY_UNREACHABLE', retryable: true});
  t.regex(error?.message ?? '', /127\.0\.0\.2:19009 within 300 ms \(.*ECONNREFUSED.*\); start it/s);
});

test('an address or a prefix that cannot be one is refused before anything is sent', async t => {
  for (const address of ['127.0.0.1', 'http://host:1', 'host:1;username=x', '']) {
    t.like(await t.throwsAsync(openQuestDbStore({address})), {code: 'CONFIG_INVALID'}, address);
  }
  const error = await t.throwsAsync(openQuestDbStore({address: 'h:1', tablePrefix: 'x"; DROP'}));
  t.like(error, {code: 'CONFIG_INVALID'});
});
