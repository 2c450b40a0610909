import * as grpc from '@grpc/grpc-js';
import test, {type ExecutionContext} from 'ava';
import {applyScores, applyTick, applyTimeBase} from '../../core/engine/read-model-fold.ts';
import {FleetService} from '../../proto/gen/forestay/v1/fleet_pb.ts';
import {readErrorInfo} from '../../proto/rich-errors.ts';
import {aHost, aMove, aScore, aTick, aVm, START_MS} from './records.ts';
import {call, startApi} from './server.ts';

async function startFleet(t: ExecutionContext) {
  const started = await startApi(t);
  const {model} = started;
  const move = aMove('hosts/h2', 1, 'normal', 'at-risk.watching', {cordoned: true});
  const vms = [aVm('v1'), aVm('v2', {pinnedReason: 'gpu passthrough'})];
  applyTick(
    model,
    7,
    aTick(1, {
      inventory: [aHost('h1', vms), aHost('h2'), aHost('h3')],
      transitions: [
        move,
        aMove('vms/v1', 1, 'normal', 'at-risk.arming-ghost', {host: 'h1', ghostHost: 'h3'}),
      ],
      timers: [{actor: 'vms/v1', dueMs: START_MS + 90_000}],
    }),
  );
  applyScores(model, 7, aScore(START_MS + 2000, ['h1', 'h2'], [0.5, 0.5, 0.25, Number.NaN]));
  return {...started, fleet: started.client(FleetService)};
}

async function failure(promise: Promise<unknown>) {
  try {
    await promise;
    throw new Error('expected it to fail');
  } catch (error) {
    const {code, details} = error as grpc.ServiceError;
    return {code, details, reason: readErrorInfo(error)?.reason};
  }
}

test('a host is shown with what it is, where its actor stands, and its risk', async t => {
  const {fleet} = await startFleet(t);
  const {host: risky} = await call(fleet, fleet.getHost, {name: 'hosts/h2'});
  t.like(risky, {
    name: 'hosts/h2',
    state: 'at-risk',
    substate: 'watching',
    cordoned: true,
    risk: 0.25,
    rack: 'r1',
    partition: 7,
  });
  t.is(risky?.componentRisks.length, 1);
  t.is(risky?.scoreTime?.seconds, BigInt((START_MS + 2000) / 1000));
  const {host: loaded} = await call(fleet, fleet.getHost, {name: 'hosts/h1'});
  t.like(loaded, {state: 'normal', substate: '', movableVms: 1, risk: 0.75});
  t.deepEqual(loaded?.vms, ['vms/v1', 'vms/v2']);
  t.is(loaded?.stateTime, undefined);
});

test('a host that no model scored has no risk', async t => {
  const {fleet} = await startFleet(t);
  const {host} = await call(fleet, fleet.getHost, {name: 'hosts/h3'});
  t.is(host?.risk, undefined);
  t.is(host?.scoreTime, undefined);
});

test('a VM is shown with its places, its deadline, and the risk of its host', async t => {
  const {fleet} = await startFleet(t);
  const {vm} = await call(fleet, fleet.getVm, {name: 'vms/v1'});
  t.like(vm, {
    state: 'at-risk',
    substate: 'arming-ghost',
    host: 'hosts/h1',
    ghostHost: 'hosts/h3',
    targetHost: '',
    risk: 0.75,
    movable: true,
  });
  t.is(vm?.deadline?.seconds, BigInt((START_MS + 90_000) / 1000));
  const {vm: pinned} = await call(fleet, fleet.getVm, {name: 'vms/v2'});
  t.like(pinned, {movable: false, pinnedReason: 'gpu passthrough'});
});

test('an unknown name is NOT_FOUND with the nearest name', async t => {
  const {fleet} = await startFleet(t);
  const error = await failure(call(fleet, fleet.getVm, {name: 'vms/v11'}));
  t.is(error.code, grpc.status.NOT_FOUND);
  t.is(error.reason, 'NOT_FOUND');
  t.regex(error.details, /did you mean vms\/v1\?/);
});

test('pages follow each other by name until the token is empty', async t => {
  const {fleet} = await startFleet(t);
  const names: string[] = [];
  let pageToken = '';
  do {
    const page = await call(fleet, fleet.listHosts, {pageSize: 2, pageToken});
    t.true(page.hosts.length <= 2);
    names.push(...page.hosts.map(host => host.name));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  t.deepEqual(names, ['hosts/h1', 'hosts/h2', 'hosts/h3']);
});

test('filters compare text, numbers and flags, and what is unscored has no risk to compare', async t => {
  const {fleet} = await startFleet(t);
  const hosts = async (filter: string) =>
    (await call(fleet, fleet.listHosts, {filter})).hosts.map(host => host.name.slice(6));
  t.deepEqual(await hosts('state = at-risk'), ['h2']);
  t.deepEqual(await hosts('risk >= 0.5'), ['h1']);
  t.deepEqual(await hosts('risk < 0.5 AND cordoned = true'), ['h2']);
  t.deepEqual(await hosts('rack="r1" AND name != hosts/h1'), ['h2', 'h3']);
  const {vms} = await call(fleet, fleet.listVms, {filter: 'movable = false AND host = hosts/h1'});
  t.deepEqual(
    vms.map(vm => vm.name),
    ['vms/v2'],
  );
});

test('a filter takes a resource by its short name too, and no word beside those that there are', async t => {
  const {fleet} = await startFleet(t);
  const vms = async (filter: string) => (await call(fleet, fleet.listVms, {filter})).vms.length;
  t.is(await vms('host = h1'), 2);
  t.is(await vms('host = hosts/h1'), 2);
  t.is(await vms('name = v1 AND state = at-risk AND substate = arming-ghost'), 1);
  t.is(await vms('substate = ""'), 1);
  const {hosts} = await call(fleet, fleet.listHosts, {filter: 'name != h2'});
  t.is(hosts.length, 2);
  const misspelt = await failure(vms('state = at-rist'));
  t.regex(misspelt.details, /state is never "at-rist"; did you mean at-risk\?/);
  const {details, reason} = await failure(vms('state = "nope"'));
  t.is(reason, 'INVALID_ARGUMENT');
  t.regex(details, /it can be normal, at-risk, migrating, /);
});

for (const [title, request, message] of [
  ['an unknown field', {filter: 'stat = x'}, /unknown field stat; did you mean state\?/],
  ['no field at all', {filter: '= x'}, /expected FIELD OP VALUE at "= x"/],
  ['two terms without AND', {filter: 'rack = a rack = b'}, /expected AND at "rack = b"/],
  ['no number for a number', {filter: 'risk > high'}, /risk is a number, "high" is none/],
  ['no flag for a flag', {filter: 'cordoned = yes'}, /cordoned is true or false/],
  ['an order of flags', {filter: 'cordoned > false'}, /write cordoned = true/],
  ['nothing after AND', {filter: 'rack = a AND '}, /expected a term after AND/],
  ['a foreign token', {pageToken: 'zzz'}, /page_token is not one that this server gave/],
  ['a negative page size', {pageSize: -1}, /page_size is -1/],
] as const) {
  test(`a list with ${title} is INVALID_ARGUMENT and says so`, async t => {
    const {fleet} = await startFleet(t);
    const error = await failure(call(fleet, fleet.listHosts, request));
    t.is(error.reason, 'INVALID_ARGUMENT');
    t.is(error.code, grpc.status.INVALID_ARGUMENT);
    t.regex(error.details, message);
  });
}

test('a page token of another filter is refused', async t => {
  const {fleet} = await startFleet(t);
  const {nextPageToken: pageToken} = await call(fleet, fleet.listHosts, {pageSize: 1});
  const error = await failure(call(fleet, fleet.listHosts, {pageToken, filter: 'rack = r1'}));
  t.regex(error.details, /start again without it/);
});

/** Collects what a watch says; `until` resolves when so many events are there. */
function collect<Event>(stream: grpc.ClientReadableStream<Event>) {
  const events: Event[] = [];
  const waiting: {count: number; resolve(): void}[] = [];
  let error: grpc.ServiceError | undefined;
  const ended = new Promise<void>(resolve => stream.once('close', resolve));
  stream.on('data', (event: Event) => {
    events.push(event);
    for (const {count, resolve} of waiting) if (events.length >= count) resolve();
  });
  stream.on('error', (cause: grpc.ServiceError) => {
    error = cause;
  });
  const until = (count: number) =>
    new Promise<void>(resolve => {
      if (events.length >= count) resolve();
      else waiting.push({count, resolve});
    });
  return {events, until, ended, error: () => error};
}

test('a watch gives what is there, then every change, then what is gone', async t => {
  const {model, fleet} = await startFleet(t);
  const stream = fleet.watchVms({filter: 'host = hosts/h1'});
  t.teardown(() => stream.cancel());
  const {events, until} = collect(stream);
  await until(3);
  applyTick(model, 7, aTick(2, {inventory: [aHost('h1', [aVm('v1', {cpuCores: 8}), aVm('v2')])]}));
  await until(5);
  applyTick(model, 7, aTick(3, {inventory: [aHost('h2', [aVm('v1')])]}));
  await until(6);
  const told = events.map(({event}) => {
    const {value} = event;
    return [event.case, typeof value === 'string' ? value : (value as {name?: string}).name];
  });
  t.deepEqual(told, [
    ['initial', 'vms/v1'],
    ['initial', 'vms/v2'],
    ['bookmark', undefined],
    ['changed', 'vms/v1'],
    ['changed', 'vms/v2'],
    ['removed', 'vms/v1'],
  ]);
});

test('a watch whose filter makes no sense fails with the reason', async t => {
  const {fleet} = await startFleet(t);
  const watched = collect(fleet.watchHosts({filter: 'colour = red'}));
  await watched.ended;
  t.is(readErrorInfo(watched.error())?.reason, 'INVALID_ARGUMENT');
});

test('a closing server ends its watches and says why', async t => {
  const {api, fleet} = await startFleet(t);
  const watched = collect(fleet.watchHosts({}));
  await watched.until(4);
  await api.close(5000);
  await watched.ended;
  t.is(watched.error()?.code, grpc.status.UNAVAILABLE);
});

test('a watcher that goes away leaves nothing behind', async t => {
  const {model, fleet} = await startFleet(t);
  const stream = fleet.watchHosts({});
  const {until, ended} = collect(stream);
  await until(3);
  t.is(model.watchers.size, 1);
  stream.cancel();
  await ended;
  for (let turn = 0; turn < 200 && model.watchers.size > 0; turn++) {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  t.is(model.watchers.size, 0);
});

test('the pages of a large fleet cost one sort in all', async t => {
  const {model, fleet} = await startApi(t).then(started => ({
    ...started,
    fleet: started.client(FleetService),
  }));
  const names = Array.from({length: 5000}, (_, number) => `h${(number * 7919) % 5000}`);
  applyTick(model, 7, aTick(1, {inventory: names.map(name => aHost(name))}));
  const listed: string[] = [];
  let pageToken = '';
  do {
    const page = await call(fleet, fleet.listHosts, {pageSize: 500, pageToken});
    listed.push(...page.hosts.map(host => host.name));
    pageToken = page.nextPageToken;
    if (listed.length === 2500) applyTick(model, 7, aTick(2, {inventory: [aHost('h0a')]}));
  } while (pageToken !== '');
  t.deepEqual(listed, names.map(name => `hosts/${name}`).sort());
});

test('ages of a fleet with a time of its own count up to that time', async t => {
  const {model, fleet} = await startFleet(t);
  const before = await call(fleet, fleet.getHost, {name: 'hosts/h1'});
  t.true(Number(before.host?.asOfTime?.seconds) * 1000 > START_MS + 3_600_000);
  applyTimeBase(model, 7, 'simulated');
  applyTimeBase(model, 8, 'simulated');
  const {host} = await call(fleet, fleet.getHost, {name: 'hosts/h1'});
  t.is(host?.asOfTime?.seconds, BigInt((START_MS + 1000) / 1000));
});
