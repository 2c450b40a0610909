import test from 'ava';
import type {EffectReport} from '../../core/domain/effects.ts';
import type {Datacenter} from '../../core/simulation/datacenter.ts';
import type {SimulatedHost, SimulatedVm} from '../../core/simulation/world.ts';
import type {Driver} from '../../edge/actuator/driver.ts';
import {brokenLaw, carryOut, effect, movable, pass, quiet, roomFor} from './support.ts';

const names = (subjects: {vm: SimulatedVm; source: SimulatedHost; target: SimulatedHost}) => ({
  vm: subjects.vm.name,
  host: subjects.source.name,
  targetHost: subjects.target.name,
});

/** A VM with an armed ghost. */
function withGhost(world: Datacenter) {
  const subjects = movable(world);
  const report = carryOut(world, 'arm-ghost', names(subjects));
  return {...subjects, report};
}

/** … whose ghost has taken over after its primary's host was fenced. */
function takenOver(world: Datacenter) {
  const subjects = withGhost(world);
  carryOut(world, 'fence-host', {host: subjects.source.name});
  const activation = carryOut(world, 'activate-ghost', names(subjects));
  return {...subjects, activation};
}

function refused(report: EffectReport): string {
  return report.status === 'failed' ? report.code : report.status;
}

test('the drivers are what an actuator takes', t => {
  const driver: Driver = quiet().drivers;
  t.true(driver.capabilities().includes('activate-ghost'));
});

test('a migration moves the VM in memory ÷ (bandwidth − dirty rate) and pauses it briefly', t => {
  const world = quiet();
  const subjects = movable(world);
  const {vm, source, target} = subjects;
  const report = carryOut(world, 'start-migration', names(subjects));
  t.is(report.status, 'done');
  t.is(vm.host, target);
  const {downtime_seconds: downtime = 0, duration_seconds: duration = 0} = report.figures;
  t.true(downtime >= 0.04 && downtime <= 0.5);
  const expected = vm.memoryBytes / (source.migrationBytesPerSecond - vm.dirtyBytesPerSecond);
  t.true(Math.abs(duration - expected) < 0.2 * expected + 3, `${duration} s, not ${expected} s`);
  t.true((report.figures.transferred_bytes ?? 0) > vm.memoryBytes);
  const summary = world.ledger.summary(world.nowMs);
  t.like(summary, {migrations: 1, needlessMoves: 1, interruptions: 0});
  t.is(summary.vmDowntimeSeconds, Math.round(downtime * 1000) / 1000);
});

test('migrations from one host share its link', t => {
  const world = quiet();
  const first = movable(world);
  const alone = carryOut(quiet(), 'start-migration', names(first)).figures.duration_seconds ?? 0;
  const second = movable(world, vm => vm.host === first.source && vm !== first.vm);
  const asked = effect('start-migration', names(first));
  world.drivers.start(asked, world.nowMs);
  world.drivers.start(effect('start-migration', names(second)), world.nowMs);
  pass(world, 300);
  const shared = world.drivers.progress(asked.id).figures.duration_seconds ?? 0;
  t.true(shared > alone + 1, `${shared} s shared, ${alone} s alone`);
});

test('a VM that writes faster than the link does not converge, and stays where it is', t => {
  const world = quiet();
  const vm = world.vms.find(
    one => one.dirtyBytesPerSecond > one.host.migrationBytesPerSecond && roomFor(world, one),
  ) as SimulatedVm;
  const source = vm.host;
  const target = roomFor(world, vm) as SimulatedHost;
  const report = carryOut(world, 'start-migration', names({vm, source, target}));
  t.is(refused(report), 'NO_CONVERGENCE');
  t.regex(report.message, /MB\/s/);
  t.is(vm.host, source);
  t.is(brokenLaw(world), undefined);
  t.is(carryOut(world, 'arm-ghost', names({vm, source, target})).status, 'done');
});

test('a full target refuses, and what is on its way counts', t => {
  const world = quiet();
  const {vm, source, target} = movable(world);
  const others = world.vms.filter(
    one => one.host !== target && one.host.cell === target.cell && one.pinnedReason === '',
  );
  const codes = others.map(one =>
    refused(
      world.drivers.start(
        effect('arm-ghost', {vm: one.name, host: one.host.name, targetHost: target.name}),
        world.nowMs,
      ),
    ),
  );
  t.true(codes.includes('running') && codes.includes('TARGET_FULL'));
  t.is(brokenLaw(world), undefined);
  const full = world.drivers.start(effect('start-migration', names({vm, source, target})), 0);
  t.true(['TARGET_FULL', 'BUSY', 'GHOST_ON_TARGET'].includes(refused(full)));
});

test('room on a target is held for a VM while it is on its way', t => {
  const world = quiet();
  const {target} = movable(world);
  const codes = world.vms
    .filter(vm => vm.host !== target && vm.host.cell === target.cell && vm.pinnedReason === '')
    .map(vm => effect('start-migration', names({vm, source: vm.host, target})))
    .map(asked => refused(world.drivers.start(asked, world.nowMs)));
  t.true(codes.includes('running') && codes.includes('TARGET_FULL'));
  pass(world, 600);
  t.true(world.ledger.summary(world.nowMs).migrations > 0);
  t.is(brokenLaw(world), undefined);
});

test('a source that dies midway takes its VM along; the target keeps nothing', t => {
  const world = quiet();
  const subjects = movable(world, vm => vm.memoryBytes >= 16 * 2 ** 30);
  const asked = effect('start-migration', names(subjects));
  world.drivers.start(asked, world.nowMs);
  pass(world, 3);
  carryOut(world, 'fence-host', {host: subjects.source.name});
  t.is(refused(world.drivers.progress(asked.id)), 'SOURCE_LOST');
  t.is(subjects.vm.host, subjects.source);
  t.is(subjects.vm.state, 'dead');
});

test('a target that dies midway leaves the VM running at its source', t => {
  const world = quiet();
  const subjects = movable(world, vm => vm.memoryBytes >= 16 * 2 ** 30);
  const asked = effect('start-migration', names(subjects));
  world.drivers.start(asked, world.nowMs);
  pass(world, 3);
  carryOut(world, 'fence-host', {host: subjects.target.name});
  t.is(refused(world.drivers.progress(asked.id)), 'TARGET_LOST');
  t.is(subjects.vm.host, subjects.source);
  t.is(subjects.vm.state, 'running');
});

test('a cancelled migration leaves everything as it was; a done one stays done', t => {
  const world = quiet();
  const subjects = movable(world, vm => vm.memoryBytes >= 16 * 2 ** 30);
  const asked = effect('start-migration', names(subjects));
  world.drivers.start(asked, world.nowMs);
  pass(world, 2);
  const running = world.drivers.progress(asked.id);
  t.true(running.progress > 0 && running.progress < 1);
  t.is(world.drivers.cancel(asked.id).status, 'cancelled');
  pass(world, 60);
  t.is(subjects.vm.host, subjects.source);
  const again = effect('start-migration', names(subjects));
  world.drivers.start(again, world.nowMs);
  pass(world, 120);
  t.is(world.drivers.cancel(again.id).status, 'done');
});

test('an id is carried out once, and an unknown one is unknown', t => {
  const world = quiet();
  const asked = effect('start-migration', names(movable(world)));
  world.drivers.start(asked, world.nowMs);
  world.drivers.start(asked, world.nowMs);
  pass(world, 120);
  t.is(world.drivers.start(asked, world.nowMs).status, 'done');
  t.is(world.ledger.summary(world.nowMs).migrations, 1);
  t.is(world.drivers.progress('5/1/1/none').status, 'unknown');
  t.is(world.drivers.cancel('5/1/1/none').status, 'unknown');
});

test('an effect on the wrong source, in another cell or on a pinned VM is refused', t => {
  const world = quiet();
  const {vm, source, target} = movable(world);
  const elsewhere = world.hosts.find(host => host.cell !== vm.host.cell) as SimulatedHost;
  const ask = (on: Record<string, string>) => refused(carryOut(world, 'start-migration', on));
  t.is(ask({vm: vm.name, host: target.name, targetHost: elsewhere.name}), 'WRONG_SOURCE');
  t.is(ask({vm: vm.name, host: source.name, targetHost: elsewhere.name}), 'OTHER_CELL');
  t.is(ask({vm: 'v999', host: source.name, targetHost: target.name}), 'UNKNOWN_VM');
  t.is(ask({vm: vm.name, host: 'h99', targetHost: target.name}), 'UNKNOWN_HOST');
  t.is(ask({vm: vm.name, host: source.name, targetHost: 'h99'}), 'UNKNOWN_HOST');
  t.is(ask({vm: vm.name, host: target.name, targetHost: source.name}), 'done');
  const pinned = [1, 2, 3, 4]
    .map(seed => quiet(seed))
    .flatMap(one => one.vms.map(candidate => ({world: one, vm: candidate})))
    .find(({vm: candidate}) => candidate.pinnedReason !== '');
  if (pinned === undefined) return t.fail('no seed has a pinned VM');
  const host = pinned.vm.host.name;
  const other = pinned.world.hosts.find(
    one => one.name !== host && one.cell === pinned.vm.host.cell,
  );
  const report = carryOut(pinned.world, 'start-migration', {
    vm: pinned.vm.name,
    host,
    targetHost: other?.name ?? '',
  });
  t.is(refused(report), 'PINNED');
});

test('one VM has one copy under way at a time', t => {
  const world = quiet();
  const subjects = movable(world);
  world.drivers.start(effect('start-migration', names(subjects)), world.nowMs);
  const second = world.drivers.start(effect('arm-ghost', names(subjects)), world.nowMs);
  t.is(refused(second), 'BUSY');
});

test('an armed ghost holds memory, says how old its state is, and gives it back', t => {
  const world = quiet();
  const {vm, source, target, report} = withGhost(world);
  t.is(report.status, 'done');
  t.true((report.figures.recovery_point_age_seconds ?? 0) >= 1);
  t.is(report.figures.memory_bytes, vm.memoryBytes);
  t.true(vm.ghost?.armed);
  t.is(brokenLaw(world), undefined);
  const on = names({vm, source, target});
  t.is(refused(carryOut(world, 'start-migration', on)), 'GHOST_ON_TARGET');
  t.is(carryOut(world, 'retire-ghost', on).figures.memory_bytes, vm.memoryBytes);
  t.is(vm.ghost, undefined);
  t.is(carryOut(world, 'retire-ghost', on).status, 'done');
});

test('retiring a ghost that is still being built stops the building', t => {
  const world = quiet();
  const subjects = movable(world, vm => vm.memoryBytes >= 16 * 2 ** 30);
  const asked = effect('arm-ghost', names(subjects));
  world.drivers.start(asked, world.nowMs);
  pass(world, 2);
  t.is(carryOut(world, 'retire-ghost', names(subjects)).status, 'done');
  t.is(world.drivers.progress(asked.id).status, 'cancelled');
  t.is(subjects.vm.ghost, undefined);
});

test('a ghost never serves before its primary is fenced; asking is a violation', t => {
  const world = quiet();
  const subjects = withGhost(world);
  const report = carryOut(world, 'activate-ghost', names(subjects));
  t.is(refused(report), 'PRIMARY_NOT_FENCED');
  t.is(subjects.vm.host, subjects.source);
  t.is(world.ledger.details(world.nowMs).violations.length, 1);
});

test('after the fence the ghost takes over in less than a second', t => {
  const world = quiet();
  const {vm, target, activation} = takenOver(world);
  t.is(activation.status, 'done');
  t.is(vm.host, target);
  t.is(vm.ghost, undefined);
  t.true((activation.figures.duration_seconds ?? 9) < 1);
  const summary = world.ledger.summary(world.nowMs);
  t.is(world.ledger.details(world.nowMs).ghostActivations, 1);
  t.true((activation.figures.downtime_seconds ?? 0) > 0);
  t.true(summary.interruptions > 1, 'the other VMs of the host went down as well');
  t.deepEqual(world.ledger.details(world.nowMs).violations, []);
});

test('requests fail after a takeover until the balancer is told', t => {
  const world = quiet();
  const {vm, target} = takenOver(world);
  const others = () => {
    const now = world.ledger.summary(world.nowMs).failedRequests;
    const down = world.vms.filter(one => one.state === 'dead');
    return now - down.reduce((sum, one) => sum + one.requestsPerSecond, 0) * passed;
  };
  let passed = 0;
  const before = others();
  pass(world, 5);
  passed += 5;
  const misdirected = others() - before;
  t.true(Math.abs(misdirected - 5 * vm.requestsPerSecond) < 3, `${misdirected} requests`);
  carryOut(world, 'shift-traffic', {
    vm: vm.name,
    host: target.name,
    targetHost: target.name,
    weightPercent: 100,
  });
  const after = others();
  pass(world, 5);
  passed += 5;
  t.true(Math.abs(others() - after) < 3);
});

test('a repaired home gets the changes back, then the VM, with a short pause', t => {
  const world = quiet();
  const {vm, source: home, target: away} = takenOver(world);
  const on = {vm: vm.name, host: home.name, targetHost: away.name};
  t.is(refused(carryOut(world, 'sync-back', on)), 'TARGET_LOST');
  t.is(refused(carryOut(world, 'fail-back', on)), 'TARGET_LOST');
  pass(world, 1800);
  t.is(home.state, 'up');
  t.is(refused(carryOut(world, 'fail-back', on)), 'NOT_SYNCED');
  t.is(carryOut(world, 'sync-back', on).status, 'done');
  t.is(brokenLaw(world), undefined);
  const report = carryOut(world, 'fail-back', on);
  t.is(report.status, 'done');
  t.true((report.figures.downtime_seconds ?? 9) <= 0.5);
  t.is(vm.host, home);
  t.is(world.ledger.details(world.nowMs).failBacks, 1);
  t.is(carryOut(world, 'sync-back', on).status, 'done');
  t.is(carryOut(world, 'fail-back', on).status, 'done');
});

test('a VM is restarted elsewhere only when it cannot run any more', t => {
  const world = quiet();
  const subjects = movable(world);
  t.is(refused(carryOut(world, 'restart-vm', names(subjects))), 'STILL_RUNNING');
  t.is(world.ledger.details(world.nowMs).violations.length, 1);
  carryOut(world, 'fence-host', {host: subjects.source.name});
  const report = carryOut(world, 'restart-vm', names(subjects));
  t.is(report.status, 'done');
  t.true((report.figures.boot_seconds ?? 0) >= 25 && (report.figures.boot_seconds ?? 99) <= 61);
  t.is(subjects.vm.host, subjects.target);
  t.is(subjects.vm.state, 'running');
  t.is(carryOut(world, 'restart-vm', names(subjects)).status, 'done');
  t.is(world.ledger.details(world.nowMs).restarts, 1);
});

test('fencing takes seconds, works on any host, and is repeated without harm', t => {
  const world = quiet();
  const host = world.hosts[0] as SimulatedHost;
  const twice = [0, 1].map(() => effect('fence-host', {host: host.name}));
  for (const asked of twice) t.is(world.drivers.start(asked, world.nowMs).status, 'running');
  pass(world, 6);
  for (const asked of twice) t.is(world.drivers.progress(asked.id).status, 'done');
  t.is(host.state, 'off');
  t.is(brokenLaw(world), undefined);
  pass(world, 1800);
  t.is(host.state, 'up');
  t.true(
    world.vms.filter(vm => vm.host === host && !vm.pinnedReason).every(vm => vm.state === 'dead'),
  );
});

test('an agent whose lease ran out stops its VMs, so that they may run elsewhere', t => {
  const world = quiet();
  const subjects = withGhost(world);
  world.drivers.stopVms(subjects.source.name, world.nowMs);
  t.is(subjects.vm.state, 'dead');
  t.is(carryOut(world, 'activate-ghost', names(subjects)).status, 'done');
  t.is(subjects.vm.host, subjects.target);
  t.notThrows(() => world.drivers.stopVms('h99', world.nowMs));
});

test('a cordon is a mark that is taken back', t => {
  const world = quiet();
  const host = world.hosts[0] as SimulatedHost;
  t.is(carryOut(world, 'cordon-host', {host: host.name}).status, 'done');
  t.true(host.cordoned);
  t.is(carryOut(world, 'uncordon-host', {host: host.name}).status, 'done');
  t.false(host.cordoned);
});
