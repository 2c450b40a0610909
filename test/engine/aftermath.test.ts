/** What comes after an act, in the order in which it really comes: found by the simulator. */
import test from 'ava';
import type {PartitionRuntime} from '../../core/engine/partition-runtime.ts';
import {codec} from '../../proto/codec.ts';
import {
  createRig,
  hostBatch,
  hostFacts,
  PARTITION,
  type Rig,
  second,
  vm,
} from '../support/partition.ts';

const pathOf = (runtime: PartitionRuntime, actor: string) => runtime.state.actors.path(actor);

test('a host whose last VM has left is done with it, though nothing else is to be planned', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const moving = () => rig.agents.executed.find(({kind}) => kind === 'start-migration');
  rig.agents.begin(({kind}) => (kind === 'start-migration' ? 'running' : 'done'));
  for (let seconds = 0; moving() === undefined && seconds < 60; seconds++) {
    await second(rig, runtime, {a: {risk: 0.9, vms: [vm('v1')]}, b: {}, c: {}});
  }
  t.is(pathOf(runtime, 'hosts/a'), 'migrating.evacuating');
  const {id = '', targetHost = ''} = moving() ?? {};
  rig.agents.finish(id);
  const hosts = {a: {risk: 0.9}, b: {}, c: {}, [targetHost]: {vms: [vm('v1')]}};
  for (let seconds = 0; seconds < 5; seconds++) await second(rig, runtime, hosts);
  t.not(pathOf(runtime, 'hosts/a'), 'migrating.evacuating');
});

/** Host a is proven lost with v1 on it, and nobody may restart it. */
async function losesA(rig: Rig): Promise<PartitionRuntime> {
  const runtime = await rig.start();
  await second(rig, runtime, {a: {vms: [vm('v1')]}, b: {}});
  await rig.command({kind: 'pause', comment: ''});
  await rig.command({kind: 'declare-host', host: 'a', state: 'lost'});
  await second(rig, runtime, {b: {}});
  return runtime;
}

test('a VM that starts by itself on its returned host is not restarted elsewhere', async t => {
  const rig = createRig();
  const runtime = await losesA(rig);
  t.is(pathOf(runtime, 'vms/v1'), 'recovering.awaiting-restart');
  await second(rig, runtime, {a: {bootId: 'boot-2', vms: [vm('v1')]}, b: {}});
  t.not(pathOf(runtime, 'vms/v1'), 'recovering.awaiting-restart');
  t.is(runtime.state.actors.vmContext('v1')?.host, 'a');
});

test('a VM that its host has started again during a restart that hangs is not restarted once more', async t => {
  const rig = createRig();
  rig.agents.begin(({kind}) => (kind === 'restart-vm' ? 'running' : 'done'));
  const runtime = await rig.start();
  await second(rig, runtime, {a: {vms: [vm('v1')]}, b: {}});
  await rig.command({kind: 'declare-host', host: 'a', state: 'lost'});
  const restarts = () => rig.agents.executed.filter(({kind}) => kind === 'restart-vm').length;
  for (let seconds = 0; seconds < 5; seconds++) await second(rig, runtime, {b: {}});
  t.is(pathOf(runtime, 'vms/v1'), 'recovering.restarting');
  await second(rig, runtime, {a: {bootId: 'boot-2', vms: [vm('v1')]}, b: {}});
  rig.pass(10 * 60_000);
  // Inventories come once a minute, samples every second.
  for (let seq = 1; seq <= 5; seq++) {
    const batch = hostBatch('a', seq, [{atMs: rig.clock.nowMs()}], {incarnation: 2});
    await rig.log.append('telemetry', PARTITION, [codec.encodeTelemetry({kind: 'batch', batch})]);
    await second(rig, runtime, {b: {}});
  }
  t.is(restarts(), 1);
  t.is(runtime.state.actors.vmContext('v1')?.host, 'a');
});

/** From a spool: made before the loss, in a life of the host that was never heard of. */
async function sendFromBefore(rig: Rig, madeMs: number): Promise<void> {
  const batch = hostBatch('a', 1, [{atMs: madeMs}], {
    incarnation: 2,
    inventory: {hosts: [hostFacts('a', {bootId: 'boot-2', vms: [vm('v1')]})]},
  });
  await rig.log.append('telemetry', PARTITION, [codec.encodeTelemetry({kind: 'batch', batch})]);
}

test('what a spool kept from before a loss is no sign of life', async t => {
  const rig = createRig();
  const runtime = await losesA(rig);
  const lostMs = runtime.state.timeMs;
  await sendFromBefore(rig, lostMs - 500);
  await second(rig, runtime, {b: {}});
  t.true(runtime.state.actors.hostContext('a')?.lost);
  t.is(pathOf(runtime, 'vms/v1'), 'recovering.awaiting-restart');
});

test('nor does it say, once the host is back, that its VMs run', async t => {
  const rig = createRig();
  const runtime = await losesA(rig);
  const lostMs = runtime.state.timeMs;
  await second(rig, runtime, {b: {}});
  await second(rig, runtime, {a: {bootId: 'boot-3'}, b: {}});
  t.false(runtime.state.actors.hostContext('a')?.lost);
  await sendFromBefore(rig, lostMs - 500);
  await second(rig, runtime, {b: {}});
  t.is(pathOf(runtime, 'vms/v1'), 'recovering.awaiting-restart');
});

test('a host that had started anew before its fence was proven is back once it is heard again', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  rig.agents.begin(({kind}) => (kind === 'fence-host' ? 'running' : 'done'));
  const fence = () => rig.agents.executed.find(({kind}) => kind === 'fence-host');
  const b = {vms: [vm('v2')]};
  await second(rig, runtime, {a: {vms: [vm('v1')]}, b});
  for (let seconds = 0; seconds < 120 && fence() === undefined; seconds++) {
    await second(rig, runtime, {b});
  }
  const returned = {bootId: 'boot-2', vms: [vm('v1')]};
  await second(rig, runtime, {a: returned, b});
  rig.agents.finish(fence()?.id ?? '');
  for (let seconds = 0; seconds < 3; seconds++) await second(rig, runtime, {a: returned, b});
  t.false(runtime.state.actors.hostContext('a')?.lost);
  t.is(runtime.state.actors.vmContext('v1')?.host, 'a');
});

test('a host whose clock is behind is believed in the end', async t => {
  const rig = createRig();
  const runtime = await losesA(rig);
  rig.pass(61 * 60_000);
  await sendFromBefore(rig, rig.clock.nowMs() - 2 * 3_600_000);
  await second(rig, runtime, {b: {}});
  t.false(runtime.state.actors.hostContext('a')?.lost);
});
