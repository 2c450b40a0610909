import test from 'ava';
import type {InventoryVm} from '../../core/domain/telemetry.ts';
import {codec} from '../../proto/codec.ts';
import {createRig, hostBatch, hostFacts, PARTITION, second, vm} from '../support/partition.ts';

const RISKY = {a: {risk: 0.9, vms: [vm('v1')]}, b: {}, c: {}};

type Rig = ReturnType<typeof createRig>;

/** Tells what a host's edge has in its spool from before. */
function lateNews(rig: Rig, runtime: Awaited<ReturnType<Rig['start']>>, beforeMs: number) {
  return async (host: string, seq: number, vms: readonly InventoryVm[]): Promise<void> => {
    const batch = hostBatch(host, seq, [{atMs: beforeMs}], {
      edge: `late-${host}`,
      inventory: {hosts: [hostFacts(host, {vms})]},
    });
    await rig.log.append('telemetry', PARTITION, [codec.encodeTelemetry({kind: 'batch', batch})]);
    rig.pass();
    await runtime.step(rig.clock.nowMs());
  };
}

/** A fleet in which v1 is on its way from a. */
async function moving() {
  const rig = createRig();
  const runtime = await rig.start();
  rig.agents.begin(({kind}) => (kind === 'start-migration' ? 'running' : 'done'));
  const move = () => rig.agents.executed.find(({kind}) => kind === 'start-migration');
  for (let count = 0; count < 60 && move() === undefined; count++) {
    await second(rig, runtime, RISKY);
  }
  const effect = move();
  if (effect === undefined) throw new Error('no move');
  return {rig, runtime, effect};
}

/** A fleet in which v1 has just moved from a to where its result says. */
async function moved() {
  const {rig, runtime, effect} = await moving();
  const beforeMs = rig.clock.nowMs();
  await second(rig, runtime, RISKY);
  rig.agents.finish(effect.id);
  const place = () => runtime.state.actors.vmContext('v1')?.host;
  for (let count = 0; count < 5 && place() !== effect.targetHost; count++) {
    await second(rig, runtime, {});
  }
  const late = lateNews(rig, runtime, beforeMs);
  return {rig, runtime, place, late, target: effect.targetHost};
}

test('a VM that has moved is not seen again where an older inventory had it', async t => {
  const {place, late, target} = await moved();
  t.is(place(), target);
  await late('a', 1, [vm('v1')]);
  t.is(place(), target);
});

test('a VM that was found elsewhere stays there, whatever older inventories say', async t => {
  const rig = createRig();
  const runtime = await rig.start();
  const place = () => runtime.state.actors.vmContext('v1')?.host;
  await second(rig, runtime, {a: {vms: [vm('v1')]}, b: {}});
  const beforeMs = rig.clock.nowMs();
  for (let count = 0; count < 90 && place() !== 'b'; count++) {
    await second(rig, runtime, {a: {}, b: {vms: [vm('v1')]}});
  }
  t.is(place(), 'b');
  const late = lateNews(rig, runtime, beforeMs);
  await late('a', 1, [vm('v1')]);
  t.is(place(), 'b', 'where it was is no news');
  for (const seq of [1, 2, 3]) await late('b', seq, []);
  t.is(place(), 'b', 'that it had not come yet is none either');
});

test('a VM that has moved is not missed in inventories from before it came', async t => {
  const {rig, runtime, place, late, target} = await moved();
  const hosts = {a: {}, [target]: {vms: [vm('v1')]}};
  const path = () => runtime.state.actors.path('vms/v1');
  for (let count = 0; count < 400 && path() !== 'normal'; count++)
    await second(rig, runtime, hosts);
  t.is(path(), 'normal');
  for (const seq of [1, 2, 3]) await late(target, seq, []);
  t.is(place(), target);
});

test('a VM that had arrived when its source was lost is not started a second time', async t => {
  const {rig, runtime, effect} = await moving();
  const target = effect.targetHost;
  await second(rig, runtime, {b: {}, c: {}, [target]: {vms: [vm('v1')]}});
  await rig.log.append('inbox', PARTITION, [
    codec.encodeInbox({
      kind: 'declare-host',
      host: 'a',
      state: 'lost',
      requestId: 'r1',
      atMs: rig.clock.nowMs(),
      author: 'operator',
    }),
  ]);
  // Nothing new is heard: what is known already must do.
  for (let count = 0; count < 10; count++) {
    rig.pass();
    await runtime.step(rig.clock.nowMs());
  }
  t.is(runtime.state.actors.vmContext('v1')?.host, target);
  t.false(rig.agents.executed.some(({kind}) => kind === 'restart-vm'));
});

test('a VM that has moved goes down with its new host, wherever it was seen before', async t => {
  const {rig, runtime, target} = await moved();
  await rig.command({kind: 'declare-host', host: target, state: 'lost'});
  rig.agents.begin(({kind}) => (kind === 'restart-vm' ? 'running' : 'done'));
  for (let count = 0; count < 5; count++) await second(rig, runtime, {a: {}});
  t.true(rig.agents.executed.some(({kind}) => kind === 'restart-vm'));
});

test('nor half an hour later, when an edge that was cut off tells what its spool has kept', async t => {
  const {rig, place, late, target} = await moved();
  rig.pass(30 * 60_000);
  await late('a', 1, [vm('v1')]);
  t.is(place(), target);
});
