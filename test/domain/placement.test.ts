import assert from 'node:assert/strict';
import test from 'ava';
import {Capacity, type PlacementHost, type PlacementVm} from '../../core/domain/placement.ts';
import fc from '../support/fast-check.ts';
import {GIB, policy} from './cells.ts';

const {target} = policy;

function host(name: string, changes: Partial<PlacementHost> = {}): PlacementHost {
  return {
    name,
    rack: 'r1',
    cpuCores: 10,
    memoryBytes: 100 * GIB,
    closedBecause: '',
    avoidedBecause: '',
    risk: 0,
    ...changes,
  };
}

function vm(name: string, changes: Partial<PlacementVm> = {}): PlacementVm {
  return {
    name,
    host: 'source',
    cpuP95Cores: 2,
    memoryBytes: 20 * GIB,
    antiAffinityGroup: '',
    ...changes,
  };
}

function chosen(capacity: Capacity, ...args: Parameters<Capacity['choose']>): string {
  const choice = capacity.choose(...args);
  return 'host' in choice ? choice.host : choice.because;
}

test('the emptiest of equal hosts is chosen, and its risk is told', t => {
  const capacity = new Capacity([host('a'), host('b', {risk: 0.05})], target);
  capacity.occupy('a', vm('v1'));
  t.deepEqual(capacity.choose(vm('v2')), {host: 'b', risk: 0.05});
});

test('a VM takes its room: the next one of the plan goes elsewhere, until nothing is left', t => {
  const capacity = new Capacity([host('a'), host('b')], target);
  const places: string[] = [];
  for (let index = 0; index < 9; index++) {
    const next = vm(`v${index}`);
    const choice = capacity.choose(next);
    places.push('host' in choice ? choice.host : choice.because);
    if ('host' in choice) capacity.occupy(choice.host, next);
  }
  // 8.5 cores and 95 GiB each: four VMs fit.
  t.is(places.join(' '), 'a b a b a b a b no target: 2 without memory');
});

test('equal hosts are taken by name, whatever else was tried before', t => {
  const capacity = new Capacity([host('a'), host('b'), host('c')], target);
  t.is(chosen(capacity, vm('v')), 'a');
  capacity.occupy('a', vm('w'));
  capacity.release('a', vm('w'));
  t.is(chosen(capacity, vm('v')), 'a');
});

const refusals: {why: string; host: Partial<PlacementHost>; vm?: Partial<PlacementVm>}[] = [
  {why: 'is the source', host: {name: 'source'}},
  {why: 'silent', host: {closedBecause: 'silent'}},
  {why: 'cordoned', host: {avoidedBecause: 'cordoned'}},
  {why: 'too risky itself', host: {risk: target.riskLimit}},
  {why: 'without memory', host: {}, vm: {memoryBytes: 96 * GIB}},
  {why: 'without CPU', host: {}, vm: {cpuP95Cores: 8.6}},
];

for (const {why, host: changes, vm: needs} of refusals) {
  test(`a refused target is counted with its reason: ${why}`, t => {
    const hosts = [host('a', changes), host('b', {closedBecause: 'lost'})];
    const capacity = new Capacity(hosts, target);
    const counts = ['1 lost', `1 ${why}`].sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1));
    t.is(chosen(capacity, vm('v', needs)), `no target: ${counts.join(', ')}`);
  });
}

test('what just fits is a target', t => {
  const capacity = new Capacity([host('a')], target);
  t.is(chosen(capacity, vm('v', {memoryBytes: 95 * GIB, cpuP95Cores: 8.5})), 'a');
});

test('two VMs of one anti-affinity group never share a host, two of none may', t => {
  const capacity = new Capacity([host('a'), host('b', {cpuCores: 8})], target);
  const grouped = (name: string) => vm(name, {antiAffinityGroup: 'db'});
  capacity.occupy('a', grouped('v1'));
  t.is(chosen(capacity, grouped('v2')), 'b');
  capacity.occupy('b', grouped('v2'));
  t.is(chosen(capacity, grouped('v3')), 'no target: 2 with a VM of its anti-affinity group');
  t.is(chosen(capacity, vm('v4')), 'a');
  t.is(chosen(capacity, vm('v5', {antiAffinityGroup: 'web'})), 'a');
  capacity.release('a', grouped('v1'));
  t.is(chosen(capacity, grouped('v3')), 'a');
});

test('another rack is preferred to all room and all safety in the same one', t => {
  const full = host('b', {rack: 'r2', risk: 0.19, cpuCores: 10});
  const capacity = new Capacity([host('a'), full], target);
  capacity.occupy('b', vm('v1', {cpuP95Cores: 8.3}));
  const small = vm('v2', {cpuP95Cores: 0.1, memoryBytes: GIB});
  t.is(chosen(capacity, small), 'a');
  t.is(chosen(capacity, small, 'r1'), 'b');
  t.is(chosen(capacity, small, 'r2'), 'a');
});

test('a ghost takes memory and its share of it, but no CPU', t => {
  const capacity = new Capacity([host('a')], target, 0.25);
  const ghost = vm('v1', {cpuP95Cores: 8});
  t.is(chosen(capacity, ghost, '', 'ghost'), 'a');
  capacity.occupy('a', ghost, 'ghost');
  t.is(chosen(capacity, vm('v2', {cpuP95Cores: 8.5})), 'a');
  t.is(chosen(capacity, vm('v3'), '', 'ghost'), 'no target: 1 full of ghosts');
  t.is(chosen(capacity, vm('v4', {memoryBytes: 76 * GIB})), 'no target: 1 without memory');
  capacity.release('a', ghost, 'ghost');
  t.is(chosen(capacity, vm('v3'), '', 'ghost'), 'a');
});

test('a rescue may go to a cordoned or risky host, but to no closed or full one', t => {
  const avoided = host('a', {avoidedBecause: 'at risk', risk: 0.6});
  t.is(chosen(new Capacity([avoided], target), vm('v'), '', 'rescue'), 'a');
  const closed = host('a', {closedBecause: 'lost'});
  t.is(chosen(new Capacity([closed], target), vm('v'), '', 'rescue'), 'no target: 1 lost');
  const capacity = new Capacity([avoided], target);
  capacity.occupy('a', vm('w', {memoryBytes: 90 * GIB}));
  t.is(chosen(capacity, vm('v'), '', 'rescue'), 'no target: 1 without memory');
});

test('an unknown risk counts as none', t => {
  const capacity = new Capacity([host('a', {risk: Number.NaN})], target);
  t.deepEqual(capacity.choose(vm('v')), {host: 'a', risk: 0});
});

test('room on a host that is not in the cell is nobody else’s', t => {
  const capacity = new Capacity([host('a')], target);
  capacity.occupy('elsewhere', vm('v'));
  capacity.release('elsewhere', vm('v'));
  t.is(capacity.refusal('elsewhere', vm('v')), 'not in the cell');
  t.is(capacity.refusal('a', vm('v')), '');
  t.is(chosen(capacity, vm('v')), 'a');
});

const manyVms = fc.array(
  fc.record({
    cpuP95Cores: fc.double({min: 0, max: 12, noNaN: true}),
    gib: fc.integer({min: 1, max: 120}),
    group: fc.constantFrom('', '', 'g1', 'g2'),
    as: fc.constantFrom('vm' as const, 'ghost' as const, 'rescue' as const),
    rack: fc.constantFrom('', 'r1', 'r2'),
  }),
  {maxLength: 40},
);
const manyHosts = fc.array(
  fc.record({
    cpuCores: fc.integer({min: 1, max: 64}),
    gib: fc.integer({min: 4, max: 512}),
    rack: fc.constantFrom('r1', 'r2'),
    risk: fc.constantFrom(0, 0.1, 0.3, Number.NaN),
    closed: fc.constantFrom('', '', '', 'lost'),
    avoided: fc.constantFrom('', '', 'cordoned'),
  }),
  {maxLength: 6},
);

type Taken = {cpu: number; bytes: number; ghostBytes: number; groups: string[]};

test('however many choose, no host is over-committed and none takes what it must not', t => {
  fc.assert(
    fc.property(manyHosts, manyVms, (specs, wishes) => {
      const hosts = specs.map((spec, index) =>
        host(`h${index}`, {
          ...spec,
          memoryBytes: spec.gib * GIB,
          closedBecause: spec.closed,
          avoidedBecause: spec.avoided,
        }),
      );
      const capacity = new Capacity(hosts, target, 0.25);
      const taken = new Map<string, Taken>();
      wishes.forEach(({cpuP95Cores, gib, group, as, rack}, index) => {
        const wish = vm(`v${index}`, {
          cpuP95Cores,
          memoryBytes: gib * GIB,
          antiAffinityGroup: group,
        });
        const choice = capacity.choose(wish, rack, as);
        assert.deepEqual(capacity.choose(wish, rack, as), choice, 'a choice changes something');
        if ('because' in choice) return;
        capacity.occupy(choice.host, wish, as === 'ghost' ? 'ghost' : 'vm');
        const before = taken.get(choice.host) ?? {cpu: 0, bytes: 0, ghostBytes: 0, groups: []};
        taken.set(choice.host, {
          cpu: before.cpu + (as === 'ghost' ? 0 : cpuP95Cores),
          bytes: before.bytes + wish.memoryBytes,
          ghostBytes: before.ghostBytes + (as === 'ghost' ? wish.memoryBytes : 0),
          groups: group === '' ? before.groups : [...before.groups, group],
        });
        const room = hosts.find(({name}) => name === choice.host);
        assert.equal(room?.closedBecause, '');
        if (as !== 'rescue') assert.ok(room?.avoidedBecause === '' && !(room.risk >= 0.2));
      });
      for (const {name, cpuCores, memoryBytes} of hosts) {
        const {cpu, bytes, ghostBytes, groups} = taken.get(name) ?? {
          cpu: 0,
          bytes: 0,
          ghostBytes: 0,
          groups: [],
        };
        assert.ok(cpu <= cpuCores * target.cpuLimitRatio + 1e-9, 'CPU');
        assert.ok(bytes <= memoryBytes * target.memoryLimitRatio, 'memory');
        assert.ok(ghostBytes <= memoryBytes * 0.25, 'ghosts');
        assert.equal(new Set(groups).size, groups.length, 'anti-affinity');
      }
    }),
    {numRuns: 300},
  );
  t.pass();
});
