import test from 'ava';
import {runReactive} from '../../core/simulation/reactive.ts';
import {isServing} from '../../core/simulation/world.ts';
import {brokenLaw, carryOut, datacenter, HOUR_MS, START_MS} from './support.ts';

const untilMs = START_MS + HOUR_MS;

test('the reactive run is the same whenever it is run', t => {
  const run = () => runReactive(datacenter(5), {untilMs});
  t.deepEqual(run(), run());
});

test('ordinary HA restarts what failed, never twice, and moves nothing', t => {
  const world = datacenter(4);
  const summary = runReactive(world, {untilMs});
  const details = world.ledger.details(world.nowMs);
  t.true(details.hostFailures > 0 && details.restarts > 0);
  t.deepEqual(details.violations, []);
  t.is(brokenLaw(world), undefined);
  t.like(summary, {migrations: 0, needlessMoves: 0, leadTimeSecondsP50: 0});
  t.is(summary.missedFailures, details.hostFailures);
});

test('its downtime is what an observer of the VMs counts, to a second an outage', t => {
  const world = datacenter(9);
  const down = new Map<string, number>();
  const step = world.step.bind(world);
  let interruptions = 0;
  let seconds = 0;
  world.step = toMs => {
    step(toMs);
    for (const vm of world.vms) {
      if (isServing(vm)) down.delete(vm.name);
      else {
        if (!down.has(vm.name)) interruptions++;
        down.set(vm.name, 1);
        seconds++;
      }
    }
  };
  const summary = runReactive(world, {untilMs});
  t.is(summary.interruptions, interruptions);
  t.true(Math.abs(summary.vmDowntimeSeconds - seconds) <= interruptions);
});

test('doing nothing at all costs more than ordinary HA', t => {
  const idle = datacenter(4);
  idle.step(untilMs);
  const reactive = runReactive(datacenter(4), {untilMs});
  t.true(idle.ledger.summary(untilMs).vmDowntimeSeconds > reactive.vmDowntimeSeconds);
});

test('a longer confirmation costs as much more downtime', t => {
  const quick = runReactive(datacenter(4), {untilMs, confirmAfterMs: 10_000});
  const slow = runReactive(datacenter(4), {untilMs, confirmAfterMs: 60_000});
  const more = slow.vmDowntimeSeconds - quick.vmDowntimeSeconds;
  t.true(more > 40 * (quick.interruptions - 5) && more < 60 * quick.interruptions);
});

test('whoever acts, the same parts fail at the same moments', t => {
  const failures = (act: boolean) => {
    const world = datacenter(4);
    const times: string[] = [];
    const names = new Set<string>();
    for (let minute = 0; minute < 60; minute++) {
      world.step(START_MS + minute * 60_000);
      if (act && minute % 5 === 0) {
        const vm = world.vms[minute];
        const target = world.hosts.find(host => host.state === 'up' && host !== vm?.host);
        carryOut(world, 'start-migration', {
          vm: vm?.name ?? '',
          host: vm?.host.name ?? '',
          targetHost: target?.name ?? '',
        });
      }
      for (const host of world.hosts) {
        if (host.state === 'up' || names.has(host.name)) continue;
        names.add(host.name);
        times.push(`${host.name} ${host.state} until ${host.returnsAtMs}`);
      }
    }
    return times.sort();
  };
  t.deepEqual(failures(true), failures(false));
});
