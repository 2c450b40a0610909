import {createHash} from 'node:crypto';
import test from 'ava';
import {partitionOfCell} from '../../core/domain/hash.ts';
import {FIRST_HOST_METRICS, HOST_METRICS, VM_METRICS} from '../../core/domain/metric-sets.ts';
import type {Datacenter} from '../../core/simulation/datacenter.ts';
import {cellNames} from '../../core/simulation/topology.ts';
import {
  brokenLaw,
  carryOut,
  datacenter,
  effect,
  HOUR_MS,
  movable,
  pass,
  quiet,
  START_MS,
} from './support.ts';

/** Every host's and VM's telemetry of some seconds, as bytes. */
function record(world: Datacenter, seconds: number, hosts = world.hosts.map(host => host.name)) {
  const bytes: Uint8Array[] = [];
  for (let second = 0; second < seconds; second++) {
    pass(world, 1);
    for (const host of hosts) bytes.push(new Uint8Array(world.readHost(host).slice().buffer));
  }
  return Buffer.concat(bytes).toString('base64');
}

test('equal seeds give equal telemetry, other seeds give other telemetry', t => {
  const first = record(datacenter(11), 300);
  t.is(record(datacenter(11), 300), first);
  t.not(record(datacenter(12), 300), first);
});

test('telemetry does not depend on how time is cut into steps, nor on the week of the run', t => {
  const steady = datacenter(3);
  const jumpy = datacenter(3);
  for (let second = 0; second < 600; second++) pass(steady, 1);
  jumpy.step(START_MS + 1234);
  jumpy.step(START_MS + 599_999);
  jumpy.step(START_MS + 600_000);
  const other = datacenter(3, {startMs: START_MS + 7 * 24 * HOUR_MS});
  pass(other, 600);
  for (const host of steady.hosts) {
    t.deepEqual(jumpy.readHost(host.name), steady.readHost(host.name));
    t.deepEqual(other.readHost(host.name), steady.readHost(host.name));
  }
});

test('acting on some hosts changes no byte of what the others report', t => {
  const left = datacenter(21);
  const acted = datacenter(21);
  const {vm, source, target} = movable(acted);
  const fenced = acted.hosts.find(host => host !== source && host !== target);
  t.truthy(fenced);
  const touched = [source.name, target.name, fenced?.name];
  const others = acted.hosts.map(host => host.name).filter(name => !touched.includes(name));
  acted.drivers.start(
    effect('start-migration', {host: source.name, vm: vm.name, targetHost: target.name}),
    acted.nowMs,
  );
  acted.drivers.start(effect('fence-host', {host: fenced?.name ?? ''}), acted.nowMs);
  t.is(record(acted, 1800, others), record(left, 1800, others));
  t.notDeepEqual(acted.readHost(target.name), left.readHost(target.name));
});

test('a datacenter starts with VMs placed in their cells and a quarter of the room left', t => {
  for (const seed of [1, 2, 3]) {
    const world = datacenter(seed);
    t.is(brokenLaw(world), undefined);
    t.is(world.hosts.length, 24);
    t.is(world.vms.length, 180);
    t.is(new Set(world.hosts.map(host => host.rack)).size, 6);
    for (const cell of new Set(world.hosts.map(host => host.cell))) {
      const members = world.hosts.filter(host => host.cell === cell);
      const room = members.reduce((sum, host) => sum + host.memoryBytes, 0);
      const taken = world.vms
        .filter(vm => vm.host.cell === cell)
        .reduce((sum, vm) => sum + vm.memoryBytes, 0);
      t.true(taken / room < 0.8 && taken / room > 0.5, `${cell}: ${taken / room} committed`);
    }
    const critical = world.vms.filter(vm => vm.criticality >= 0.9);
    t.true(critical.length >= 8);
    t.true(critical.some(vm => vm.dirtyBytesPerSecond > vm.host.migrationBytesPerSecond));
    const pairs = Map.groupBy(
      world.vms.filter(vm => vm.antiAffinityGroup !== ''),
      vm => vm.antiAffinityGroup,
    );
    t.true(pairs.size > 0);
    for (const pair of pairs.values()) t.is(new Set(pair.map(vm => vm.host)).size, pair.length);
  }
});

test('cells fall into different partitions', t => {
  const names = cellNames(40);
  t.is(new Set(names.map(partitionOfCell)).size, 40);
  t.is(names[0], 'cell-a');
});

test('datacenters of other sizes have room for their VMs', t => {
  for (const [hosts, vms, cells] of [
    [1, 3, 1],
    [2, 40, 2],
    [4, 180, 2],
    [60, 60, 3],
    [6, 1, 2],
  ] as const) {
    const world = datacenter('sizes', {hosts, vms, cells});
    t.is(world.vms.length, vms);
    t.is(brokenLaw(world), undefined);
  }
});

test('a host reports its load, a VM its own share of it', t => {
  const world = quiet();
  pass(world, 30);
  const host = world.hosts[0]?.name ?? '';
  const row = Object.fromEntries(
    HOST_METRICS.columns.map((column, index) => [column, world.readHost(host)[index]]),
  ) as Record<string, number>;
  t.true((row.cpu_utilisation_ratio ?? 0) > 0.05 && (row.cpu_utilisation_ratio ?? 1) < 0.9);
  t.true((row.temperature_celsius ?? 0) > 25 && (row.temperature_celsius ?? 99) < 80);
  const vm = world.vms.find(one => one.host.name === host)?.name ?? '';
  const sample = world.readVm(vm);
  t.is(sample.length, VM_METRICS.columns.length);
  for (const value of sample) t.true(value >= 0);
});

test('a host that is down reports nothing, and neither do its VMs', t => {
  const world = quiet();
  const host = world.hosts[2];
  const vm = world.vms.find(one => one.host === host);
  t.is(carryOut(world, 'fence-host', {host: host?.name ?? ''}).status, 'done');
  pass(world, 1);
  t.false(world.isReporting(host?.name ?? ''));
  t.true(world.readHost(host?.name ?? '').every(Number.isNaN));
  t.true(world.readVm(vm?.name ?? '').every(Number.isNaN));
  t.deepEqual(world.inventory(host?.name ?? '').vms, []);
});

test('an inventory names the VMs of its host and changes with its boots', t => {
  const world = quiet();
  const name = world.hosts[1]?.name ?? '';
  const before = world.inventory(name, '127.0.0.1:9');
  t.is(before.actuatorAddress, '127.0.0.1:9');
  t.true(before.capabilities.includes('start-migration'));
  t.deepEqual(
    before.vms.map(vm => vm.vm),
    world.vms.filter(vm => vm.host.name === name).map(vm => vm.name),
  );
  carryOut(world, 'fence-host', {host: name});
  pass(world, 1800);
  t.true(world.isReporting(name));
  t.not(world.inventory(name).bootId, before.bootId);
});

test('asking for a host or VM that is not there is a programmer error', t => {
  const world = quiet();
  t.throws(() => world.readHost('h99'), {message: /no host h99/});
  t.throws(() => world.readVm('v999'), {message: /no VM v999/});
});

test('more VMs than the hosts can take is refused with what to do', t => {
  t.throws(() => datacenter(5, {hosts: 3, vms: 500}), {
    message: /cannot place \d+ VMs on the \d hosts of a cell; ask for more hosts or fewer VMs/,
  });
});

test('without people at work, what host.v1 and vm.v1 say of seed 5 is as it always was', t => {
  const world = datacenter(5);
  const hash = createHash('sha256');
  for (let step = 0; step < 60; step++) {
    pass(world, 30);
    for (const {name} of world.hosts) {
      const first = world.readHost(name).slice(0, FIRST_HOST_METRICS.columns.length);
      hash.update(Buffer.from(first.buffer));
    }
    for (const {name} of world.vms) hash.update(Buffer.from(world.readVm(name).slice().buffer));
  }
  // Of the commit before hosts had all of host.v2: the demo's journal rests on it.
  t.is(hash.digest('hex'), '10aca9556f7681026c54827257306470b269fbbc8ca2d77c6b287d1b6d20742b');
});
