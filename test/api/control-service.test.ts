import * as grpc from '@grpc/grpc-js';
import test from 'ava';
import {RequestIds} from '../../core/api/request-ids.ts';
import {ForestayError} from '../../core/domain/errors.ts';
import {applyScores, applyTick} from '../../core/engine/read-model-fold.ts';
import {ControlService, HostDeclaration, Mode} from '../../proto/gen/forestay/v1/control_pb.ts';
import {DecisionService} from '../../proto/gen/forestay/v1/decision_pb.ts';
import {InspectService, StatechartFormat} from '../../proto/gen/forestay/v1/inspect_pb.ts';
import {readErrorInfo} from '../../proto/rich-errors.ts';
import {aDecision, aHost, aMove, anEffect, aScore, aTick, aVm, START_MS} from './records.ts';
import {call, startApi} from './server.ts';

test('pause, resume and mode go to the inbox with author, time and request id', async t => {
  const {client, submitted} = await startApi(t);
  const control = client(ControlService);
  const author = 'ada';
  await call(control, control.pauseActions, {requestId: 'r1', author, comment: 'storm'});
  await call(control, control.resumeActions, {requestId: 'r2', author});
  await call(control, control.setMode, {requestId: 'r3', mode: Mode.AUTO});
  t.like(submitted[0], {kind: 'pause', requestId: 'r1', author: 'ada', comment: 'storm'});
  t.like(submitted[1], {kind: 'resume', requestId: 'r2', comment: ''});
  t.like(submitted[2], {kind: 'set-mode', mode: 'auto'});
  t.regex(submitted[2]?.author ?? '', /^127\.0\.0\.1:\d+$/);
  t.true((submitted[0]?.atMs ?? 0) > START_MS);
});

test('a switch of models goes to the inbox; one that names no model is refused', async t => {
  const {client, submitted} = await startApi(t);
  const control = client(ControlService);
  const modelHash = 'a1'.repeat(32);
  const asked = {author: 'ada', comment: 'it was shadowed for a week', modelHash, percent: 25};
  await call(control, control.switchModel, asked);
  t.like(submitted[0], {kind: 'switch-model', ...asked});
  for (const wrong of [
    {modelHash: 'latest', percent: 100},
    {modelHash, percent: 101},
  ]) {
    const error = await t.throwsAsync(call(control, control.switchModel, wrong));
    t.is(readErrorInfo(error)?.reason, 'INVALID_ARGUMENT');
  }
  t.is(submitted.length, 1);
});

test('status tells of a canary, and of a model that was refused', async t => {
  const {client, model} = await startApi(t);
  const control = client(ControlService);
  const refused = {modelHash: 'bad', because: 'its signature is another’s'};
  const canary = {modelHash: 'next', percent: 10};
  applyTick(model, 3, aTick(1, {models: {champion: 'c', canary, refused}}));
  const {partitions} = await call(control, control.getStatus, {});
  t.like(partitions[0], {
    canaryHash: 'next',
    canaryPercent: 10,
    refusedHash: 'bad',
    refusedBecause: 'its signature is another’s',
  });
});

test('a request without an id gets one, and the answer names it', async t => {
  const {client, submitted} = await startApi(t);
  const control = client(ControlService);
  const {requestId} = await call(control, control.pauseActions, {});
  t.regex(requestId, /^[0-9a-f-]{36}$/);
  t.is(submitted[0]?.requestId, requestId);
});

test('the same request id twice acts once; with another body it is refused', async t => {
  const {client, submitted} = await startApi(t);
  const control = client(ControlService);
  const pause = (comment: string) =>
    call(control, control.pauseActions, {requestId: 'same', comment});
  await pause('storm');
  t.is((await pause('storm')).requestId, 'same');
  t.is(submitted.length, 1);
  const error = await t.throwsAsync(pause('flood'));
  t.is((error as grpc.ServiceError).code, grpc.status.ALREADY_EXISTS);
  t.is(readErrorInfo(error)?.reason, 'REQUEST_ID_REUSED');
  t.is(submitted.length, 1);
});

test('an id that is too long, or looks like one of the engine, is refused', async t => {
  const {client, submitted} = await startApi(t);
  const control = client(ControlService);
  for (const [requestId, message] of [
    ['effect/11/1/331/0', /request_id effect\/11.* begins with effect\/, which is reserved/],
    ['configuration/1/2', /begins with configuration\/, which is reserved/],
    ['register-metric-set/a/1', /begins with register-metric-set\/, which is reserved/],
    ['x'.repeat(65), /request_id has 65 characters, at most 64/],
  ] as const) {
    const error = await t.throwsAsync(call(control, control.resumeActions, {requestId}));
    t.is(readErrorInfo(error)?.reason, 'INVALID_ARGUMENT');
    t.regex((error as grpc.ServiceError).details, message);
  }
  t.deepEqual(submitted, []);
});

test('a request that failed may be tried again under its id', async t => {
  let failures = 1;
  const {client} = await startApi(t, {
    async submit() {
      if (failures-- > 0) {
        throw new ForestayError('LOG_APPEND_FAILED', 'no answer from the log', {retryable: true});
      }
    },
  });
  const control = client(ControlService);
  const pause = () => call(control, control.pauseActions, {requestId: 'r'});
  t.is(readErrorInfo(await t.throwsAsync(pause()))?.reason, 'LOG_APPEND_FAILED');
  t.is((await pause()).requestId, 'r');
});

test('request ids are forgotten after a day, or when there are too many', async t => {
  let nowMs = 0;
  const clock = {nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => undefined};
  const ids = new RequestIds(clock, 2);
  const acts: string[] = [];
  const act = (id: string) => ids.once(id, 'body', async () => void acts.push(id));
  await act('a');
  await act('a');
  nowMs += 25 * 3_600_000;
  await act('a');
  t.deepEqual(acts, ['a', 'a']);
  await act('b');
  await act('c');
  await act('a');
  t.deepEqual(acts, ['a', 'a', 'b', 'c', 'a']);
});

test('a host is declared lost or back by name; unknown ones are refused', async t => {
  const {client, submitted, model} = await startApi(t);
  applyTick(model, 0, aTick(1, {inventory: [aHost('h1')]}));
  const control = client(ControlService);
  const declare = (name: string, declaration: HostDeclaration, part = '') =>
    call(control, control.declareHost, {name, declaration, part});
  await declare('hosts/h1', HostDeclaration.LOST);
  t.like(submitted[0], {kind: 'declare-host', host: 'h1', state: 'lost'});
  t.false(
    'part' in (submitted[0] as object),
    'what was asked for before parts is the same request',
  );
  await declare('hosts/h1', HostDeclaration.RETURNED, 'memory');
  t.like(submitted[1], {kind: 'declare-host', host: 'h1', state: 'returned', part: 'memory'});
  const noPart = await t.throwsAsync(declare('hosts/h1', HostDeclaration.LOST, 'soul'));
  t.regex(
    (noPart as grpc.ServiceError).details,
    /part is "soul"; parts that fail are cpu, memory, disk, network, power/,
  );
  t.is(submitted.length, 2);
  const unknown = await t.throwsAsync(declare('hosts/h9', HostDeclaration.LOST));
  t.is(readErrorInfo(unknown)?.reason, 'NOT_FOUND');
  const vague = await t.throwsAsync(declare('hosts/h1', HostDeclaration.UNSPECIFIED));
  t.is(readErrorInfo(vague)?.reason, 'INVALID_ARGUMENT');
});

test('an unspecified mode and an endless comment are refused', async t => {
  const {client} = await startApi(t);
  const control = client(ControlService);
  const mode = await t.throwsAsync(call(control, control.setMode, {}));
  t.regex((mode as grpc.ServiceError).details, /mode is one of observe, advise, approve, auto/);
  const comment = 'x'.repeat(1001);
  const long = await t.throwsAsync(call(control, control.pauseActions, {comment}));
  t.regex((long as grpc.ServiceError).details, /comment has 1001 characters, at most 1000/);
});

test('status tells readiness, partitions, cells and actors', async t => {
  const cells = [
    {cell: 'default', ingestedSamples: 10, storedSamples: 9, scoredRows: 8, transitions: 1},
  ];
  const {client, model, check} = await startApi(t, {cells: () => cells});
  const control = {mode: 'approve', paused: true, policyVersion: 4} as const;
  const inventory = [aHost('h1', [aVm('v1')]), aHost('h2')];
  const transitions = [aMove('hosts/h2', 1, 'normal', 'at-risk.watching')];
  applyTick(model, 9, aTick(5, {control, inventory, transitions}));
  applyTick(model, 2, aTick(1));
  Object.assign(check, {ok: false, message: 'loading'});
  const service = client(ControlService);
  const status = await call(service, service.getStatus, {});
  t.like(status, {version: '0.0.0-test', ready: false});
  t.like(status.checks[0], {name: 'models', ok: false, message: 'loading'});
  t.deepEqual(
    status.partitions.map(({partition, mode}) => [partition, mode]),
    [
      [2, Mode.UNSPECIFIED],
      [9, Mode.APPROVE],
    ],
  );
  t.like(status.partitions[1], {paused: true, policyVersion: 4, tickNumber: 5n, epoch: 1n});
  t.like(status.cells[0], {cell: 'default', ingestedSamples: 10n, scoredRows: 8n});
  t.deepEqual(
    status.actors.map(({kind, state, count}) => [kind, state, count]),
    [
      ['host', 'normal', 1n],
      ['host', 'at-risk', 1n],
      ['vm', 'normal', 1n],
    ],
  );
});

test('decisions come newest first, by page and filter, and one by name', async t => {
  const {client, model} = await startApi(t);
  const decisions = [1, 2, 3, 4].map(number =>
    aDecision(
      number,
      number % 2 === 0 ? {action: 'none', outcome: 'no-action'} : {expectedInSeconds: 90},
    ),
  );
  applyTick(model, 0, aTick(1, {decisions}));
  const service = client(DecisionService);
  const first = await call(service, service.listDecisions, {pageSize: 3});
  t.deepEqual(
    first.decisions.map(decision => decision.name),
    ['decisions/0/1/4/d0', 'decisions/0/1/3/d0', 'decisions/0/1/2/d0'],
  );
  const {nextPageToken: pageToken} = first;
  const second = await call(service, service.listDecisions, {pageSize: 3, pageToken});
  t.deepEqual(
    second.decisions.map(decision => decision.name),
    ['decisions/0/1/1/d0'],
  );
  const filter = 'outcome = no-action AND entity = hosts/h1';
  t.is((await call(service, service.listDecisions, {filter})).decisions.length, 2);
  const short = await call(service, service.listDecisions, {filter: 'entity = h1 AND host = h1'});
  t.is(short.decisions.length, 4);
  const unheard = call(service, service.listDecisions, {filter: 'outcome = foo'});
  const {details} = (await t.throwsAsync(unheard)) as grpc.ServiceError;
  t.regex(details, /it can be acted, would-act, blocked, no-action/);
  const {decision} = await call(service, service.getDecision, {name: 'decisions/0/1/3/d0'});
  t.like(decision, {action: 'cordon', host: 'hosts/h1', because: 'risk 0.40 is above 0.10'});
  t.is(decision?.expectedInSeconds, 90);
  t.is(first.decisions[0]?.expectedInSeconds, undefined, 'at any time');
  const missing = call(service, service.getDecision, {name: 'decisions/0/1/9/d0'});
  t.is(readErrorInfo(await t.throwsAsync(missing))?.reason, 'NOT_FOUND');
});

test('an actor is opened with state, context, timers, history and effects', async t => {
  const {client, model} = await startApi(t);
  const transitions = [
    aMove('hosts/h1', 1, 'normal', 'at-risk.watching'),
    aMove('hosts/h1', 2, 'at-risk.watching', 'migrating', {deadlineMs: START_MS + 5000}),
  ];
  const timers = [{actor: 'hosts/h1', dueMs: START_MS + 5000}];
  applyTick(model, 0, aTick(1, {transitions, timers, effects: [anEffect(1)]}));
  const service = client(InspectService);
  const {actor} = await call(service, service.getActor, {name: 'hosts/h1'});
  t.like(actor, {machine: 'host', machineVersion: 1, state: 'migrating'});
  t.is(JSON.parse(actor?.context ?? '').deadlineMs, START_MS + 5000);
  t.is(actor?.timers[0]?.dueTime?.seconds, BigInt(START_MS / 1000 + 5));
  t.deepEqual(
    actor?.history.map(({seq, from, to}) => [seq, from, to]),
    [
      [1n, 'normal', 'at-risk.watching'],
      [2n, 'at-risk.watching', 'migrating'],
    ],
  );
  t.like(actor?.effects[0], {kind: 'cordon-host', host: 'hosts/h1', vm: '', agent: 'h1'});
  const pool = await t.throwsAsync(call(service, service.getActor, {name: 'pools/p'}));
  t.regex((pool as grpc.ServiceError).details, /names are hosts\/HOST and vms\/VM/);
});

test('a short name is enough where only one host or VM has it', async t => {
  const {client, model} = await startApi(t);
  applyTick(model, 0, aTick(1, {inventory: [aHost('h1', [aVm('v1')]), aHost('x', [aVm('x')])]}));
  const service = client(InspectService);
  const {actor} = await call(service, service.getActor, {name: 'v1'});
  t.is(actor?.name, 'vms/v1');
  t.is((await call(service, service.explainEntity, {name: 'h1'})).name, 'hosts/h1');
  const details = async (name: string) =>
    ((await t.throwsAsync(call(service, service.getActor, {name}))) as grpc.ServiceError).details;
  t.regex(await details('x'), /"x" is a host and a VM; write hosts\/x or vms\/x/);
  t.regex(await details('v2'), /"v2" is not known; did you mean vms\/v1\?/);
  t.regex(await details('something-else'), /4 are known/);
});

test('an explanation has the reasons, largest first, and the newest decisions', async t => {
  const {client, model} = await startApi(t);
  const decisions = Array.from({length: 7}, (_value, index) => aDecision(index));
  applyTick(model, 0, aTick(1, {inventory: [aHost('h1', [aVm('v1')])], decisions}));
  const small = {feature: 'temperature', value: 70, usual: 40, contribution: 0.2};
  const large = {feature: 'errors', value: 400, usual: 0, contribution: 2};
  const change = {metric: 'disk_latency_seconds', value: 0.002};
  const reasons = [
    {
      row: 0,
      component: 'memory',
      reasons: [small, large],
      counterfactual: {changes: [change], risk: 0.05},
      decisions: [decisions[5]?.id ?? ''],
    },
  ];
  applyScores(model, 0, aScore(START_MS, ['h1'], [0.3], {reasons}));
  const service = client(InspectService);
  const host = await call(service, service.explainEntity, {name: 'hosts/h1'});
  t.deepEqual(
    host.reasons.map(reason => reason.feature),
    ['errors', 'temperature'],
  );
  t.like(host.counterfactual, {risk: 0.05, changes: [{...change, unit: 'seconds'}]});
  t.deepEqual(
    host.decisions.map(decision => decision.reasons.length),
    [0, 2, 0, 0, 0],
    'reasons stand with the decision that rests on them',
  );
  t.deepEqual(
    host.decisions.map(decision => decision.name),
    [6, 5, 4, 3, 2].map(number => `decisions/0/1/${number}/d0`),
  );
  const vm = await call(service, service.explainEntity, {name: 'vms/v1'});
  t.like(vm, {host: 'hosts/h1', state: 'normal'});
  t.is(vm.reasons.length, 2);
  t.is(vm.decisions.length, 0);
});

test('a statechart is given in the format that is asked for', async t => {
  const {client} = await startApi(t);
  const service = client(InspectService);
  const chart = async (machine: string, format?: StatechartFormat) =>
    (await call(service, service.getStatechart, {machine, ...(format ? {format} : {})})).content;
  t.is(await chart('host'), 'mermaid of host');
  t.is(await chart('vm', StatechartFormat.JSON), 'json of vm');
  await t.throwsAsync(chart('pool'), {message: /machines are host and vm/});
});
