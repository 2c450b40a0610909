import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import type {EffectKind, IssuedEffect} from '../../core/domain/effects.ts';
import type {PartitionRuntime} from '../../core/engine/partition-runtime.ts';
import {violatedPrecondition} from '../../core/engine/preconditions.ts';
import {codec} from '../../proto/codec.ts';
import type {HostEvent} from '../../statecharts/events.ts';
import {ticksOf} from '../support/journal.ts';
import {createRig, PARTITION, type Rig, second, vm} from '../support/partition.ts';

const RISKY = {a: {risk: 0.9, vms: [vm('v1')]}, b: {}, c: {}};
const CALM = {a: {vms: [vm('v1')]}, b: {}, c: {}};

async function untilAsked(rig: Rig, runtime: PartitionRuntime, kind: EffectKind) {
  for (let count = 0; count < 60; count++) {
    await second(rig, runtime, RISKY);
    const effect = rig.agents.executed.find(found => found.kind === kind);
    if (effect !== undefined) return effect;
  }
  throw new Error(`no ${kind}`);
}

async function results(rig: Rig): Promise<string[]> {
  const found: string[] = [];
  for (const {value} of await rig.log.read('inbox', PARTITION, 0, 1 << 30)) {
    const record = codec.decodeInbox(value);
    if (record.kind !== 'effect-result') continue;
    const {id, status, code} = record.result;
    found.push(`${id} ${status}${code === '' ? '' : ` ${code}`}`);
  }
  return found;
}

const begun = (rig: Rig, runtime: PartitionRuntime) => {
  rig.agents.begin(({kind}) => (kind === 'start-migration' ? 'running' : 'done'));
  return untilAsked(rig, runtime, 'start-migration');
};

test('an effect that runs is asked after, and its one result ends it', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const move = await begun(rig, runtime);
  await second(rig, runtime, RISKY);
  t.true(runtime.state.running.has(move.id));
  rig.agents.finish(move.id);
  await second(rig, runtime, RISKY);
  t.is(runtime.state.actors.vmContext('v1')?.host, move.targetHost);
  await second(rig, runtime, CALM);
  t.is((await results(rig)).filter(line => line.startsWith(`${move.id} `)).length, 1);
});

test('the first result per id counts, repeats and strangers change nothing', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const move = await begun(rig, runtime);
  const result = {code: '', message: '', figures: {}};
  await rig.command({kind: 'effect-result', result: {...result, id: '9/9/9/9', status: 'done'}});
  await rig.command({kind: 'effect-result', result: {...result, id: move.id, status: 'failed'}});
  await rig.command({kind: 'effect-result', result: {...result, id: move.id, status: 'done'}});
  await runtime.step(rig.clock.nowMs());
  t.is(runtime.state.actors.vmContext('v1')?.host, 'a');
  t.true((runtime.state.vms.get('v1')?.failedAtMs ?? 0) > 0);
});

test('silence is not a result: an unreachable agent leaves the effect open', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const move = await begun(rig, runtime);
  rig.agents.unreachable.add('a');
  for (let i = 0; i < 5; i++) await second(rig, runtime, CALM);
  t.true(runtime.state.running.has(move.id));
  rig.agents.unreachable.delete('a');
  rig.agents.finish(move.id);
  await second(rig, runtime, CALM);
  t.false(runtime.state.running.has(move.id));
});

test('what an agent never saw is sent again under the same id while it is wanted', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const move = await begun(rig, runtime);
  rig.agents.forget(move.id);
  await second(rig, runtime, RISKY);
  t.is(rig.agents.executed.filter(({id}) => id === move.id).length, 2);
});

test('an effect that nobody waits for is cancelled, as often as it takes to be heard', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const move = await begun(rig, runtime);
  runtime.state.actors.send('vms/v1', {type: 'cancelled', atMs: 0, by: 'test'});
  rig.agents.unreachable.add('a');
  await second(rig, runtime, CALM);
  rig.agents.unreachable.delete('a');
  await second(rig, runtime, CALM);
  t.true((await results(rig)).includes(`${move.id} cancelled`));
  t.is(rig.agents.calls.filter(call => call === 'cancel a').length, 2);
  t.false(runtime.state.running.has(move.id));
});

test('what runs in the background is cancelled long after its deadline: its driver hangs', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  rig.agents.begin(() => 'running');
  const cordon = await untilAsked(rig, runtime, 'cordon-host');
  const closed = async () => (await results(rig)).includes(`${cordon.id} cancelled`);
  for (let i = 0; i < 80; i++) await second(rig, runtime, CALM);
  t.false(await closed());
  for (let i = 0; i < 30; i++) await second(rig, runtime, CALM);
  t.true(await closed());
});

test('what was cancelled and never begun is not begun any more', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const move = await begun(rig, runtime);
  rig.agents.forget(move.id);
  runtime.state.actors.send('vms/v1', {type: 'cancelled', atMs: 0, by: 'test'});
  await second(rig, runtime, CALM);
  await second(rig, runtime, CALM);
  t.is(rig.agents.executed.filter(({id}) => id === move.id).length, 1);
  t.true((await results(rig)).includes(`${move.id} abandoned ABANDONED`));
});

test('what was abandoned is not begun by a call that arrives late', async t => {
  const rig = createRig();
  const former = await rig.start();
  const move = await begun(rig, former);
  rig.agents.forget(move.id);
  const heir = await rig.start();
  await second(rig, heir, RISKY);
  t.true((await results(rig)).includes(`${move.id} abandoned ABANDONED`));
  const fence = {partition: PARTITION, epoch: heir.state.epoch};
  const late = await rig.agents.actuator.execute(move, fence);
  t.is(late.status, 'cancelled');
  t.is(rig.agents.executed.filter(({id}) => id === move.id).length, 1);
});

test('what is paused before it is sent again is closed for good', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const move = await begun(rig, runtime);
  rig.agents.forget(move.id);
  runtime.state.control = {...runtime.state.control, paused: true};
  await second(rig, runtime, CALM);
  t.true((await results(rig)).includes(`${move.id} failed EFFECT_PRECONDITION`));
  const fence = {partition: PARTITION, epoch: runtime.state.epoch};
  t.is((await rig.agents.actuator.execute(move, fence)).status, 'cancelled');
});

test('effects of a host that is lost have failed', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const move = await begun(rig, runtime);
  await rig.command({kind: 'declare-host', host: 'a', state: 'lost'});
  await second(rig, runtime, {b: {}, c: {}});
  await second(rig, runtime, {b: {}, c: {}});
  t.true((await results(rig)).includes(`${move.id} failed HOST_LOST`));
});

test('a new owner announces its epoch to every agent before it asks or executes', async t => {
  const rig = createRig();
  const former = await rig.start();
  const move = await begun(rig, former);
  rig.agents.calls.length = 0;
  const heir = await rig.start();
  const announced = [
    'announce a',
    'announce b',
    'announce balancer',
    'announce c',
    'announce power',
  ];
  t.deepEqual([...rig.agents.calls].sort(), announced);
  for (const host of ['a', 'b', 'c']) t.is(rig.agents.epochs.get(host), heir.state.epoch);
  await second(rig, heir, RISKY);
  t.true(heir.state.running.has(move.id), 'it runs and is adopted');
  t.is(rig.agents.executed.filter(({vm}) => vm === 'v1').length, 1);
});

test('a new owner takes the results of its predecessor and abandons what was never begun', async t => {
  for (const fate of ['done', 'unknown'] as const) {
    const rig = createRig();
    const former = await rig.start();
    const move = await begun(rig, former);
    if (fate === 'done') rig.agents.finish(move.id);
    else rig.agents.forget(move.id);
    const heir = await rig.start();
    await second(rig, heir, RISKY);
    const status = fate === 'done' ? 'done' : 'abandoned ABANDONED';
    t.true((await results(rig)).includes(`${move.id} ${status}`));
    t.is(rig.agents.executed.filter(({id}) => id === move.id).length, 1);
    t.is(heir.state.actors.vmContext('v1')?.host, fate === 'done' ? move.targetHost : 'a');
    const ids = (await ticksOf(rig.log, PARTITION)).flatMap(tick => tick.effects.map(({id}) => id));
    t.is(new Set(ids).size, ids.length, 'no id is used twice');
  }
});

test('what was abandoned is planned anew, once it has rested', async t => {
  const rig = createRig({policy: {cooldownMs: 0}});
  const former = await rig.start();
  const move = await begun(rig, former);
  rig.agents.forget(move.id);
  const heir = await rig.start();
  for (let i = 0; i < 5; i++) await second(rig, heir, RISKY);
  const moves = rig.agents.executed.filter(({kind}) => kind === 'start-migration');
  t.is(moves.length, 2);
  t.not(moves[1]?.id, move.id);
});

test('an agent that refuses an epoch says nothing of an effect that runs', async t => {
  const rig = createRig();
  const former = await rig.start();
  const move = await begun(rig, former);
  const heir = await rig.start();
  former.state.actors.send('vms/v1', {type: 'cancelled', atMs: 0, by: 'test'});
  await former.executor.poll();
  t.false((await results(rig)).some(line => line.startsWith(move.id)));
  t.true(heir.state.running.has(move.id));
});

test('an effect that a former owner sends too late is refused; what came of it is for the next one to say', async t => {
  const rig = createRig();
  const former = await rig.start();
  const move = await begun(rig, former);
  await rig.start();
  const late: IssuedEffect = {...move, id: `${PARTITION}/${former.state.epoch}/999/0`, host: 'a'};
  await former.executor.dispatch([late]);
  t.false((await results(rig)).some(line => line.startsWith(late.id)));
  t.false(rig.agents.executed.some(({id}) => id === late.id));
});

test('hosts whose agent does not answer are frozen until it does', async t => {
  const rig = createRig();
  const former = await rig.start();
  await second(rig, former, CALM);
  rig.agents.unreachable.add('a');
  const heir = await rig.start();
  t.true(heir.state.hosts.get('a')?.frozen);
  t.false(heir.state.hosts.get('b')?.frozen);
  for (let i = 0; i < 12; i++) await second(rig, heir, RISKY);
  t.deepEqual(rig.agents.executed, []);
  t.true(rig.ticks.some(tick => tick.decisions.some(({blockedBy}) => blockedBy === 'frozen')));
  const tries = rig.agents.calls.filter(call => call === 'announce a').length;
  t.true(tries >= 3 && tries <= 6, `${tries} tries: the pauses grow`);
  rig.agents.unreachable.delete('a');
  for (let i = 0; i < 30; i++) await second(rig, heir, RISKY);
  t.false(heir.state.hosts.get('a')?.frozen);
  t.true(rig.agents.executed.length > 0);
});

test('nothing is put onto a frozen host', async t => {
  const rig = createRig();
  const former = await rig.start();
  await second(rig, former, CALM);
  for (const host of ['b', 'c']) rig.agents.unreachable.add(host);
  const heir = await rig.start();
  for (let i = 0; i < 20; i++) await second(rig, heir, RISKY);
  t.false(rig.agents.executed.some(({kind}) => kind === 'start-migration'));
});

test('preconditions stop what was decided and not yet executed', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const move = await begun(rig, runtime);
  const {state} = runtime;
  const {host, targetHost} = move;
  const facts = state.hosts.get(host)?.facts;
  const problems: [string, Partial<IssuedEffect>, Partial<typeof state.control>][] = [
    ['paused', {}, {paused: true}],
    ['advise', {}, {mode: 'advise'}],
    ['no agent', {address: ''}, {}],
    ['unknown', {targetHost: 'nowhere'}, {}],
  ];
  for (const [index, [word, change, control]] of problems.entries()) {
    const before = state.control;
    state.control = {...before, ...control};
    const effect = {...move, id: `${PARTITION}/1/998/${index}`, ...change};
    t.regex(violatedPrecondition(state, effect) ?? '', new RegExp(word));
    await runtime.executor.dispatch([effect]);
    state.control = before;
    t.true((await results(rig)).includes(`${effect.id} failed EFFECT_PRECONDITION`));
  }
  t.is(violatedPrecondition(state, move), undefined);
  const [from, to] = [state.hosts.get(host), state.hosts.get(targetHost)];
  if (from === undefined || to?.facts === undefined) return t.fail();
  from.frozen = true;
  t.regex(violatedPrecondition(state, move) ?? '', /^a has not heard/);
  for (const kind of ['restart-vm', 'activate-ghost', 'shift-traffic', 'retire-ghost'] as const) {
    t.is(violatedPrecondition(state, {...move, kind}), undefined, `${kind} does not need it`);
  }
  from.frozen = false;
  to.frozen = true;
  for (const kind of ['start-migration', 'arm-ghost', 'restart-vm'] as const) {
    t.regex(violatedPrecondition(state, {...move, kind}) ?? '', /target . has not heard/);
  }
  to.frozen = false;
  to.facts.observeOnly = true;
  t.regex(violatedPrecondition(state, move) ?? '', /target . may only be observed/);
  to.facts.observeOnly = false;
  const target = (event: HostEvent) => state.actors.send(`hosts/${targetHost}`, event);
  target({type: 'risk.raised', atMs: 1, risk: 1, component: ''});
  target({type: 'cordon.chosen', atMs: 1});
  t.regex(violatedPrecondition(state, move) ?? '', /cordoned/);
  t.is(violatedPrecondition(state, {...move, kind: 'restart-vm'}), undefined, 'a rescue may');
  target({type: 'host.suspected', atMs: 1});
  t.regex(violatedPrecondition(state, {...move, kind: 'restart-vm'}) ?? '', /does not answer/);
  if (facts !== undefined) facts.observeOnly = true;
  t.regex(violatedPrecondition(state, move) ?? '', /only be observed/);
  t.is(rig.agents.executed.at(-1)?.id, move.id);
});

test('on a live cell a slow agent stops neither ticks nor the effects of others', async t => {
  const rig = createRig({timeBase: 'live'});
  let release = () => {};
  const blocked = new Promise<void>(resolve => {
    release = resolve;
  });
  const runtime = await rig.start();
  for (let i = 0; i < 3; i++) await second(rig, runtime, CALM);
  rig.agents.before(() => blocked);
  for (let i = 0; i < 15; i++) await second(rig, runtime, RISKY);
  t.true(runtime.state.running.size > 0);
  t.is(rig.agents.executed.length, 0);
  release();
  rig.agents.before(async () => {});
  await runtime.executor.drained();
  await systemClock.sleep(0);
  t.true(rig.agents.executed.length > 0);
  await second(rig, runtime, RISKY);
  await runtime.executor.drained();
  rig.agents.finishAll();
  await second(rig, runtime, RISKY);
  await runtime.executor.drained();
  await second(rig, runtime, RISKY);
  const ids = (await results(rig)).map(line => line.split(' ')[0]);
  t.true(ids.length > 0);
  t.is(new Set(ids).size, ids.length);
});
