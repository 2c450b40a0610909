import {once} from 'node:events';
import {type AddressInfo, createServer} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {encodeTickRecords} from '../../core/engine/journal-reader.ts';
import {applyEpoch, applyTick} from '../../core/engine/read-model-fold.ts';
import {codec} from '../../proto/codec.ts';
import {aDecision, aMove, aTick, START_MS} from '../api/records.ts';
import {startApi} from '../api/server.ts';
import {forestay, start} from './run.ts';

/** Journals with a move and a decision in two partitions. */
async function startEvents(t: ExecutionContext) {
  const started = await startApi(t);
  const {log, model, api} = started;
  const happen = async (partition: number, number: number) => {
    const tick = aTick(number, {
      transitions: [aMove(`hosts/h${partition}`, number, 'normal', 'at-risk.watching')],
      decisions: [aDecision(number, {id: `${partition}/1/${number}/d0`})],
    });
    const offset = await log.append('journal', partition, encodeTickRecords(codec, tick));
    applyTick(model, partition, tick, offset + 1);
  };
  for (const partition of [3, 7]) {
    const epoch = {epoch: 1, owner: 'core-a/1', address: '127.0.0.1:7443'};
    await log.append('journal', partition, [codec.encodeJournal({kind: 'epoch', epoch})]);
    applyEpoch(model, partition, epoch, 1);
    await happen(partition, 1);
  }
  const run = (...args: string[]) => forestay([...args, '--server', api.grpcAddress]);
  return {...started, happen, run};
}

test('events are told in order to people and as JSON, filtered, and from a token on', async t => {
  const {run, happen} = await startEvents(t);
  const table = await run('events');
  t.is(table.code, 0, table.stderr);
  const lines = table.stdout.trim().split('\n');
  t.is(lines.length, 6);
  t.regex(table.stdout, /ownership +partition 3 +epoch 1 of core-a\/1/);
  t.regex(table.stdout, /transition +hosts\/h7 +normal → at-risk\.watching +on risk\.raised/);
  t.regex(table.stdout, /decision +hosts\/h1 +cordon \(would-act\): risk 0\.40 is above 0\.10/);
  const filtered = await run('events', '--filter', 'kind = decision', '-o', 'json');
  const {events, resumeToken} = JSON.parse(filtered.stdout);
  t.deepEqual(
    events.map(({name}: {name: string}) => name),
    ['events/3/1/1/d0', 'events/7/1/1/d0'],
  );
  await happen(7, 2);
  const since = await run('events', '--since', resumeToken, '-o', 'name');
  t.is(since.stdout, 'events/7/1/2/t0\nevents/7/1/2/d0\n');
  const late = await run(
    'events',
    '--since',
    new Date(START_MS + 1500).toISOString(),
    '-o',
    'name',
  );
  t.is(late.stdout, since.stdout);
  const recent = await run(
    'events',
    '--since',
    '1d',
    '--filter',
    'event = nothing',
    '-o',
    'ndjson',
  );
  t.regex(recent.stdout, /^(\{"type":"bookmark","resumeToken":"[\w-]+"\}\n)+$/);
});

test('what events cannot begin with is a wrong use, and says what to write', async t => {
  const {run} = await startEvents(t);
  for (const since of ['5x', 'nonsense', '2026-99-99', '0-5']) {
    const {code, stderr} = await run('events', '--since', since);
    t.is(code, 2, stderr);
    t.regex(stderr, /is no time, age or token; write 2026-.*an age such as/);
  }
  const damaged = await run('events', '--since', 'AbCdEfGhIjKlMnOp');
  t.is(damaged.code, 2);
  t.regex(damaged.stderr, /cannot resume with this token.*list again/);
  t.is((await run('events', '--filter', 'colour = red')).code, 2);
});

test('a watch of events goes on when its core comes back, and tells nothing twice', async t => {
  const first = await startEvents(t);
  const {api, log, model, happen} = first;
  const args = ['events', '-w', '-o', 'name', '--since', '2026-01-01T00:00:00Z'];
  t.timeout(60_000);
  const running = start([...args, '--server', api.grpcAddress]);
  t.teardown(() => running.signal('SIGKILL'));
  await running.until('events/7/1/1/d0');
  await happen(3, 2);
  await running.until('events/3/1/2/d0');
  await api.close(200);
  await running.until('the core went away');
  await happen(7, 2);
  const {api: again} = await startApi(t, {
    listen: api.grpcAddress,
    model,
    events: {log, codec},
  });
  t.is(again.grpcAddress, api.grpcAddress);
  await running.until('events/7/1/2/d0');
  await happen(3, 3);
  await running.until('events/3/1/3/d0');
  running.signal('SIGINT');
  const {code, stdout} = await running.done;
  t.is(code, 130);
  const names = stdout.trim().split('\n');
  t.is(new Set(names).size, names.length);
  t.deepEqual(
    names.filter(name => name.startsWith('events/3/')),
    ['0/0', '1/t0', '1/d0', '2/t0', '2/d0', '3/t0', '3/d0'].map(rest => `events/3/1/${rest}`),
  );
});

test('a watch whose core never answers ends in time', async t => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const server = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  for (const args of [
    ['events', '-w'],
    ['hosts', 'watch'],
  ]) {
    const {code, stderr} = await forestay([...args, '--timeout', '0.5', '--server', server]);
    t.is(code, 8, stderr);
    t.regex(stderr, /no answer from 127\.0\.0\.1:\d+ within 0\.5 s/);
  }
});

test('of several cores any will do: the first that answers, and another when it goes away', async t => {
  const first = await startEvents(t);
  const {api, log, model, happen} = first;
  const {api: second} = await startApi(t, {model, events: {log, codec}});
  const servers = ['127.0.0.1:1', api.grpcAddress, second.grpcAddress].join(',');
  const listed = await forestay(['events', '-o', 'name', '--server', servers]);
  t.is(listed.code, 0, listed.stderr);
  t.timeout(60_000);
  const args = ['events', '-w', '-o', 'name', '--since', '2026-01-01T00:00:00Z'];
  const running = start([...args, '--server', servers]);
  t.teardown(() => running.signal('SIGKILL'));
  await running.until('events/7/1/1/d0');
  await happen(3, 2);
  await running.until('events/3/1/2/d0');
  await api.close(200);
  await happen(7, 2);
  await running.until('events/7/1/2/d0');
  running.signal('SIGINT');
  const {stdout} = await running.done;
  const names = stdout.trim().split('\n');
  t.is(new Set(names).size, names.length);
});

test('where none of several cores answers, all of them are named', async t => {
  const {code, stderr} = await forestay(['status', '--server', '127.0.0.1:1,127.0.0.1:2']);
  t.not(code, 0);
  t.regex(stderr, /cannot reach a core at 127\.0\.0\.1:1 or 127\.0\.0\.1:2/);
});
