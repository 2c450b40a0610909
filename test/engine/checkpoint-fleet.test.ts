import test from 'ava';
import {ActorDirectory} from '../../core/engine/actor-directory.ts';
import {fitActors, fitVms, storeActors, storeVms} from '../../core/engine/checkpoint-fleet.ts';
import type {HostEntry, VmEntry} from '../../core/engine/partition-state.ts';
import {SortedMap} from '../../core/engine/sorted-map.ts';
import {hostFacts, vm} from '../support/partition.ts';

const entry = (name: string, fields: Partial<VmEntry> = {}): VmEntry => ({
  name,
  cell: 'c1',
  facts: vm(name),
  table: '',
  row: -1,
  movedAtMs: 0,
  seenAtMs: 0,
  seenOn: '',
  failedAtMs: 0,
  dirtiedBytesPerSecond: Number.NaN,
  missing: 0,
  missingSinceMs: 0,
  ...fields,
});

test('VMs come back as they were, with the facts of their hosts, or their own where no host has them', t => {
  const host: HostEntry = {
    name: 'a',
    cell: 'c1',
    facts: hostFacts('a', {vms: [vm('v1'), vm('v2')]}),
    table: '',
    row: -1,
    heardAtMs: 0,
    toldAtMs: 0,
    bootAtMs: 0,
    lostBootId: '',
    failedAtMs: 0,
    clearedAtMs: 0,
    frozen: false,
  };
  const bare = {...host, name: 'b', facts: undefined};
  const hosts = SortedMap.of([
    ['b', bare],
    ['a', host],
  ]);
  const facts = host.facts?.vms[1];
  const vms = SortedMap.of([
    [
      'v2',
      entry('v2', {
        ...(facts && {facts}),
        table: 'vm.v1',
        row: 7,
        missing: 1,
        missingSinceMs: 1.6e12,
      }),
    ],
    ['v3', entry('v3', {movedAtMs: 1.7e12, failedAtMs: 1.8e12, dirtiedBytesPerSecond: 3e7})],
  ]);
  const again = fitVms(hosts, storeVms(hosts, vms));
  t.deepEqual([...again], [...vms]);
  t.is(again.get('v2')?.facts, facts, 'not a copy: a fleet has a hundred thousand');
});

test('actors come back as they were: new ones, moved ones, and ones that are set aside', t => {
  const actors = new ActorDirectory();
  actors.start('host', 'a');
  actors.start('vm', 'v1', undefined, 'a');
  actors.start('vm', 'v2', undefined, 'a');
  actors.start('vm', 'v3', {
    id: 'vms/v3',
    kind: 'vm',
    machineVersion: 0,
    seq: 4,
    state: 'normal.long-ago',
    context: '{"of":"an older version"}',
    quarantined: '',
  });
  actors.send('vms/v2', {type: 'risk.raised', atMs: 5, risk: 0.5, host: 'a'});
  const parts = storeActors(actors);
  t.deepEqual([parts.hosts, parts.vms, parts.vmHosts], [['a'], ['v1'], ['a']]);
  const again = fitActors(structuredClone(parts));
  t.deepEqual(again.stored(), actors.stored());
  t.deepEqual(again.vmsAt('a'), ['v1', 'v2']);
  t.is(again.stored().at(-1)?.quarantined, 'restore');
  t.deepEqual(fitActors(storeActors(again)).stored(), actors.stored());
});
