/** Hosts that are gone for good, as a partition forgets them. */
import test from 'ava';
import type {PartitionRuntime} from '../../core/engine/partition-runtime.ts';
import {createRig, QUICK_BANDS, type Rig} from '../support/partition.ts';
import {replayed} from './replayed.ts';

const HOUR_MS = 3_600_000;
const POLICY = {band: {...QUICK_BANDS, enter: 0.99, leave: 0.98}, mode: 'observe' as const};

async function hours(rig: Rig, runtime: PartitionRuntime, count: number, hosts: readonly string[]) {
  for (let passed = 0; passed < count; passed += 6) {
    // A step of the grid, and an asking, with all of them; then six hours pass.
    for (const ms of [6 * HOUR_MS - 600_000, 600_000]) {
      rig.pass(ms);
      for (const host of hosts) await rig.send(host, 0.01);
      await runtime.step(rig.clock.nowMs());
      await runtime.settled();
    }
  }
}

const known = ({state}: PartitionRuntime) => ({
  layer: [...(state.layers.get('c1')?.places.keys() ?? [])].sort(),
  skill: [...(state.skills.get('c1')?.hosts.keys() ?? [])].sort(),
});

test('a host that was not heard for thirty days gives its places to others, in a replay as well', async t => {
  const rig = createRig({policy: POLICY});
  const runtime = await rig.start();
  await hours(rig, runtime, 12, ['a', 'b', 'c']);
  await rig.command({kind: 'declare-host', host: 'b', state: 'lost'});
  await hours(rig, runtime, 29 * 24, ['a']);
  t.deepEqual(known(runtime), {layer: ['a', 'b', 'c'], skill: ['a', 'b', 'c']});
  await hours(rig, runtime, 24, ['a']);
  t.deepEqual(known(runtime), {layer: ['a'], skill: ['a']});
  await hours(rig, runtime, 12, ['a', 'd', 'e']);
  t.deepEqual(known(runtime), {layer: ['a', 'd', 'e'], skill: ['a', 'd', 'e']});
  t.is(runtime.state.layers.get('c1')?.history.hosts, 3);
  t.is(runtime.state.skills.get('c1')?.lives.length, 3);
  await hours(rig, runtime, 6, ['a', 'c', 'd', 'e']);
  t.deepEqual(known(runtime).layer, ['a', 'c', 'd', 'e'], 'it is back, as a new one');
  const slow = await replayed(t, rig);
  t.deepEqual(slow.layers, runtime.state.layers);
  t.deepEqual(slow.skills, runtime.state.skills);
  await runtime.stop();
  const again = await rig.start();
  t.deepEqual(again.state.layers, runtime.state.layers);
  t.deepEqual(again.state.skills, runtime.state.skills);
});

test('after a month in which no core ran, hosts have time to be heard before they are forgotten', async t => {
  const rig = createRig({policy: POLICY});
  const runtime = await rig.start();
  await hours(rig, runtime, 12, ['a', 'b', 'c']);
  rig.pass(40 * 24 * HOUR_MS);
  await hours(rig, runtime, 0.1, ['a']);
  t.deepEqual(known(runtime).layer, ['a']);
  const other = createRig({policy: POLICY});
  const patient = await other.start();
  await hours(other, patient, 12, ['a', 'b', 'c']);
  other.pass(40 * 24 * HOUR_MS);
  await other.send('a', 0.01);
  await patient.step(other.clock.nowMs());
  t.deepEqual(known(patient), {layer: ['a', 'b', 'c'], skill: ['a', 'b', 'c']});
  for (const host of ['b', 'c']) await other.send(host, 0.01);
  await hours(other, patient, 0.1, ['a']);
  t.deepEqual(known(patient), {layer: ['a', 'b', 'c'], skill: ['a', 'b', 'c']});
});
