import test from 'ava';
import {createMemoryLog} from '../../core/adapters/log-memory.ts';
import type {ForestayError} from '../../core/domain/errors.ts';
import {PARTITION_COUNT, PARTITIONS} from '../../core/domain/hash.ts';
import {HOST_METRICS, metricSet} from '../../core/domain/metric-sets.ts';
import {createMetricSets} from '../../core/engine/ingest-metric-sets.ts';
import type {Log} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {manualClock, NOW_MS} from './ingest-fixtures.ts';

const request = {
  requestId: 'r1',
  name: 'disk.v1',
  entityKind: 'host',
  columns: ['a', 'b'],
  author: 'test',
};

const create = (log: Pick<Log, 'append'>) => createMetricSets({log, codec, clock: manualClock()});

async function inboxSizes(log: Log): Promise<number[]> {
  return Promise.all(PARTITIONS.map(partition => log.endOffset('inbox', partition)));
}

test('a set is made known to every partition under one request id', async t => {
  const log = createMemoryLog();
  const sets = create(log);
  const set = await sets.register(request);
  t.deepEqual(set, metricSet('disk.v1', 'host', ['a', 'b']));
  t.deepEqual(sets.get('disk.v1'), set);
  t.deepEqual(await inboxSizes(log), new Array(PARTITION_COUNT).fill(1));
  const [record] = await log.read('inbox', 63, 0);
  const {name, entityKind, columns, author} = request;
  t.deepEqual(codec.decodeInbox(record?.value as Uint8Array), {
    requestId: 'r1',
    atMs: NOW_MS,
    author,
    kind: 'register-metric-set',
    name,
    entityKind: entityKind as 'host',
    columns,
  });
});

test('the same set again is a no-op, also at the same time', async t => {
  const log = createMemoryLog();
  const sets = create(log);
  const both = await Promise.all([sets.register(request), sets.register(request)]);
  t.deepEqual(both[0], both[1]);
  await sets.register({...request, requestId: 'r2'});
  t.deepEqual(await inboxSizes(log), new Array(PARTITION_COUNT).fill(1));
});

test('other columns under a known name are refused, also at the same time', async t => {
  const log = createMemoryLog();
  const sets = create(log);
  const other = {...request, columns: ['a', 'c']};
  const first = sets.register(request);
  await t.throwsAsync(sets.register(other), {code: 'METRIC_SET_CONFLICT'});
  await first;
  const error = await t.throwsAsync<ForestayError>(sets.register(other));
  t.is(error.code, 'METRIC_SET_CONFLICT');
  t.regex(error.message, /choose a new name, such as disk\.v2/);
});

test('a built-in set is known from the start', async t => {
  const sets = create(createMemoryLog());
  const {name, kind, columns} = HOST_METRICS;
  const set = await sets.register({...request, name, entityKind: kind, columns});
  t.deepEqual(set, HOST_METRICS);
  await t.throwsAsync(sets.register({...request, name}), {code: 'METRIC_SET_CONFLICT'});
});

test('a set that the log already holds is taken as it is', t => {
  const sets = create(createMemoryLog());
  const set = metricSet('old.v3', 'vm', ['a']);
  sets.registerKnown(set);
  sets.registerKnown(metricSet('old.v3', 'vm', ['b']));
  t.is(sets.get('old.v3'), set);
  t.true(sets.all().includes(set));
});

test('a registration that not every partition took is not known, and can be repeated', async t => {
  const log = createMemoryLog();
  let broken = true;
  const sets = create({
    append: async (topic, partition, values) => {
      if (broken && partition === 5) throw new Error('no leader');
      return log.append(topic, partition, values);
    },
  });
  const error = await t.throwsAsync<ForestayError>(sets.register(request));
  t.like(error, {code: 'LOG_APPEND_FAILED', retryable: true, details: {failed: 1}});
  t.is(sets.get('disk.v1'), undefined);
  broken = false;
  await sets.register(request);
  t.is((await inboxSizes(log))[5], 1);
});

test('a request without an id gets the one of its set', async t => {
  const log = createMemoryLog();
  const set = await create(log).register({...request, requestId: ''});
  const [record] = await log.read('inbox', 0, 0);
  const {requestId} = codec.decodeInbox(record?.value as Uint8Array);
  t.is(requestId, `register-metric-set/disk.v1/${set.hash}`);
});

for (const [what, wrong, field] of [
  ['an empty name', {name: ''}, 'name'],
  ['a name with spaces', {name: 'a b'}, 'name'],
  ['an entity kind that is none', {entityKind: 'rack'}, 'entity_kind'],
  ['no columns', {columns: []}, 'columns'],
  ['too many columns', {columns: Array.from({length: 1025}, (_, at) => `c${at}`)}, 'columns'],
  ['a column twice', {columns: ['a', 'a']}, 'columns'],
  ['a column without a name', {columns: ['a', '']}, 'columns'],
] as const) {
  test(`${what} is refused by field`, async t => {
    const sets = create(createMemoryLog());
    const error = await t.throwsAsync<ForestayError>(sets.register({...request, ...wrong}));
    t.is(error.code, 'INVALID_ARGUMENT');
    t.is(error.details.field, field);
  });
}

test('sets are bounded in number, those on their way included; known ones are taken', async t => {
  const sets = create(createMemoryLog());
  const named = (at: number) => ({...request, requestId: '', name: `set${at}.v1`});
  const all = Array.from({length: 260}, (_, at) => sets.register(named(at)));
  const failed = (await Promise.allSettled(all)).filter(({status}) => status === 'rejected');
  t.is(failed.length, 260 - (256 - 3), 'three are built in');
  const error = await t.throwsAsync<ForestayError>(sets.register(named(259)));
  t.is(error.code, 'ENTITY_LIMIT_REACHED');
  t.regex(error.message, /there are 256 sets, at most 256 are kept/);
  t.is(sets.all().length, 256);
  await t.notThrowsAsync(sets.register(named(0)));
});

test('the names of all sets together are bounded', async t => {
  const log = createMemoryLog();
  const sets = create(log);
  const columns = Array.from({length: 1024}, (_, at) => `${at}`.padEnd(128, 'x'));
  const named = (at: number) => ({...request, requestId: '', name: `set${at}.v1`, columns});
  for (let at = 0; at < 7; at++) await sets.register(named(at));
  const error = await t.throwsAsync<ForestayError>(sets.register(named(7)));
  t.is(error.code, 'ENTITY_LIMIT_REACHED');
  t.regex(error.message, /their names would have 10\d{5} characters, at most 1048576/);
  t.deepEqual(await inboxSizes(log), new Array(PARTITION_COUNT).fill(7));
});

test('a set whose name has the hash of another is refused: they would share a table', async t => {
  const sets = create(createMemoryLog());
  await sets.register({...request, name: 'Set439599'});
  const error = await t.throwsAsync<ForestayError>(
    sets.register({...request, name: 'Set622382', columns: ['other']}),
  );
  t.is(error.code, 'METRIC_SET_CONFLICT');
  t.regex(error.message, /its hash is that of Set439599; choose another name/);
});
