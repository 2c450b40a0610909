/** A host that starts anew without having been declared lost: its former life is over all the same. */
import test from 'ava';
import type {InventoryHost} from '../../core/domain/telemetry.ts';
import type {PartitionRuntime} from '../../core/engine/partition-runtime.ts';
import {createRig, type Rig, second, vm} from '../support/partition.ts';

const pathOf = (runtime: PartitionRuntime, name: string) =>
  runtime.state.actors.path(`vms/${name}`);
const restarted = (rig: Rig) =>
  rig.agents.executed.filter(({kind}) => kind === 'restart-vm').map(effect => effect.vm);

/** Seconds in which a has booted anew and names these VMs. */
async function rebooted(
  rig: Rig,
  runtime: PartitionRuntime,
  {seconds, ...facts}: Partial<InventoryHost> & {seconds: number; risk?: number},
): Promise<void> {
  for (let count = 0; count < seconds; count++) {
    await second(rig, runtime, {a: {bootId: 'boot-2', ...facts}, b: {}});
  }
}

test('VMs that do not come back with their host are started again, not forgotten', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  await second(rig, runtime, {a: {vms: [vm('v1'), vm('v2')]}, b: {}});
  await rebooted(rig, runtime, {seconds: 1, vms: [vm('v2')]});
  t.is(pathOf(runtime, 'v1'), 'normal', 'one inventory without it may be a race');
  await rebooted(rig, runtime, {seconds: 10, vms: [vm('v2')]});
  t.deepEqual(restarted(rig), ['v1']);
  t.is(pathOf(runtime, 'v2'), 'normal', 'it came back by itself');
});

test('that one of them was at risk does not keep it from being missed', async t => {
  const rig = createRig({policy: {mode: 'observe'}});
  const runtime = await rig.start();
  for (let count = 0; count < 3; count++) {
    await second(rig, runtime, {a: {risk: 0.9, vms: [vm('v1')]}, b: {}});
  }
  t.is(pathOf(runtime, 'v1'), 'at-risk.observing');
  await rebooted(rig, runtime, {seconds: 3, risk: 0.9});
  t.is(pathOf(runtime, 'v1'), 'recovering.awaiting-restart');
});

test('a VM that came back and is missed later was deleted', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  await second(rig, runtime, {a: {vms: [vm('v1')]}, b: {}});
  await rebooted(rig, runtime, {seconds: 2, vms: [vm('v1')]});
  await rebooted(rig, runtime, {seconds: 15});
  t.false(runtime.state.vms.has('v1'));
  t.deepEqual(restarted(rig), []);
});

test('a ghost does not outlive the life of its host', async t => {
  const capabilities = ['arm-ghost', 'retire-ghost'];
  const rig = createRig();
  const runtime = await rig.start();
  const risky = {capabilities, risk: 0.9, vms: [vm('v1', {criticality: 1})]};
  const ghostHost = () => runtime.state.actors.vmContext('v1')?.ghostHost ?? '';
  for (let count = 0; count < 60 && pathOf(runtime, 'v1') !== 'at-risk.protected'; count++) {
    await second(rig, runtime, {a: risky, b: {capabilities}});
  }
  t.is(ghostHost(), 'b');
  await second(rig, runtime, {a: risky, b: {capabilities, bootId: 'boot-2'}});
  t.not(pathOf(runtime, 'v1'), 'at-risk.protected');
  t.true(rig.agents.executed.some(({kind}) => kind === 'retire-ghost'));
});
