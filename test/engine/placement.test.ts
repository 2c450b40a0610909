import test from 'ava';
import {createConstantScorer} from '../../models/scorer-trees.ts';
import {codec} from '../../proto/codec.ts';
import {createHarness} from '../support/fleet-harness.ts';

test('what a lost host said before says nothing of where its VMs are', async t => {
  const harness = await createHarness({
    seed: 3,
    scorer: createConstantScorer(0.001),
    world: {faults: 'none'},
  });
  await harness.seconds(5);
  const host = harness.world.hosts[0];
  if (host === undefined) return t.fail('no host');
  const runtime = [...harness.runtimes.values()].find(({state}) => state.hosts.has(host.name));
  if (runtime === undefined) return t.fail('no runtime');
  const {actors, vms} = runtime.state;
  const vm = [...vms.keys()].find(name => actors.vmContext(name)?.host === host.name) as string;
  const elsewhere = harness.world.hosts.find(
    ({cell, name}) => cell === host.cell && name !== host.name,
  );
  // Its ghost serves elsewhere, as after a failover that an operator declared.
  const context = {...actors.vmContext(vm), host: elsewhere?.name, homeHost: host.name};
  actors.start('vm', vm, {
    id: `vms/${vm}`,
    kind: 'vm',
    machineVersion: 1,
    seq: 1,
    state: 'ghost-active.serving',
    context: JSON.stringify(context),
    quarantined: '',
  });
  await harness.log.append('inbox', runtime.state.partition, [
    codec.encodeInbox({
      requestId: 'gone',
      atMs: harness.clock.nowMs(),
      author: 'operator',
      kind: 'declare-host',
      host: host.name,
      state: 'lost',
    }),
  ]);
  await harness.seconds(2);
  // The host is up and its inventory still names the VM, with the same boot id.
  t.true(harness.world.isReporting(host.name));
  t.is(actors.path(`vms/${vm}`), 'ghost-active.serving');
});
