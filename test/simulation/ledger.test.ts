import test from 'ava';
import {Ledger, RETRY_SECONDS} from '../../core/simulation/ledger.ts';
import fc from '../support/fast-check.ts';

const vms = [
  {criticality: 1, requestsPerSecond: 10},
  {criticality: 0.25, requestsPerSecond: 4},
  {criticality: 0, requestsPerSecond: 100},
];

test('downtime, interruptions and failed requests are what an oracle counts second by second', t => {
  const changes = fc.array(
    fc.record({vm: fc.nat(2), served: fc.boolean(), afterSeconds: fc.nat(20)}),
    {maxLength: 60},
  );
  fc.assert(
    fc.property(changes, fc.nat(30), (sequence, tailSeconds) => {
      const ledger = new Ledger(vms);
      const served = [true, true, true];
      const down = [0, 0, 0];
      let interruptions = 0;
      let second = 0;
      const wait = (seconds: number) => {
        for (let tick = 0; tick < seconds; tick++) {
          for (const vm of [0, 1, 2]) if (!served[vm]) down[vm] = (down[vm] ?? 0) + 1;
        }
        second += seconds;
      };
      for (const change of sequence) {
        wait(change.afterSeconds);
        if (served[change.vm] && !change.served) interruptions++;
        served[change.vm] = change.served;
        ledger.serve(change.vm, change.served, second * 1000);
      }
      wait(tailSeconds);
      const summary = ledger.summary(second * 1000);
      const details = ledger.details(second * 1000);
      const sum = (weight: (vm: (typeof vms)[number]) => number) =>
        vms.reduce((total, vm, index) => total + (down[index] ?? 0) * weight(vm), 0);
      t.is(
        summary.vmDowntimeSeconds,
        sum(() => 1),
      );
      t.is(summary.interruptions, interruptions);
      t.is(
        summary.failedRequests,
        sum(vm => vm.requestsPerSecond),
      );
      t.true(Math.abs(details.weightedDowntimeSeconds - sum(vm => vm.criticality)) < 1e-9);
    }),
    {verbose: 1},
  );
});

test('a planned pause is downtime but no interruption, and only its tail loses requests', t => {
  const ledger = new Ledger(vms);
  ledger.pause(0, 0.2);
  ledger.pause(0, 0.5);
  const summary = ledger.summary(10_000);
  t.is(summary.vmDowntimeSeconds, 0.7);
  t.is(summary.interruptions, 0);
  t.is(summary.failedRequests, Math.round((0.5 - RETRY_SECONDS) * 10));
});

test('the lead time runs from the first act since the host was last thought healthy', t => {
  const ledger = new Ledger(vms);
  ledger.act('h01', 10_000);
  ledger.clear('h01');
  ledger.act('h01', 40_000);
  ledger.act('h01', 90_000);
  ledger.hostFailed('h01', 100_000, 0);
  ledger.act('h02', 100_000);
  ledger.hostFailed('h02', 300_000, 2);
  ledger.hostFailed('h03', 300_000, 1);
  t.deepEqual(ledger.details(0).leadTimesSeconds, [60, 200]);
  const summary = ledger.summary(400_000);
  t.is(summary.leadTimeSecondsP50, 130);
  t.is(summary.missedFailures, 2);
  t.is(ledger.details(0).hostFailures, 3);
});

test('an empty ledger is all zero', t => {
  t.deepEqual(new Ledger(vms).summary(1000), {
    vmDowntimeSeconds: 0,
    interruptions: 0,
    migrations: 0,
    needlessMoves: 0,
    missedFailures: 0,
    failedRequests: 0,
    leadTimeSecondsP50: 0,
  });
});

test('outages by a reboot on purpose are told apart from failures, and are downtime all the same', t => {
  const ledger = new Ledger([
    {criticality: 0.5, requestsPerSecond: 2},
    {criticality: 0.5, requestsPerSecond: 2},
  ]);
  ledger.act('h1', 10_000);
  ledger.hostRebooted('h1', 40_000, 1);
  ledger.serve(0, false, 40_000, true);
  ledger.hostFailed('h2', 50_000, 0);
  ledger.serve(1, false, 50_000);
  ledger.serve(0, true, 100_000);
  ledger.serve(0, false, 110_000);
  const details = ledger.details(120_000);
  t.is(details.plannedReboots, 1);
  t.is(details.missedReboots, 1);
  t.is(details.hostFailures, 1);
  t.is(details.plannedInterruptions, 1);
  t.is(details.plannedDowntimeSeconds, 60);
  t.deepEqual(details.leadTimesSeconds, [30]);
  const summary = ledger.summary(120_000);
  t.is(summary.vmDowntimeSeconds, 60 + 70 + 10);
  t.is(summary.interruptions, 3);
  t.is(summary.missedFailures, 0);
  ledger.serve(1, true, 130_000);
  ledger.serve(1, false, 140_000, true);
  t.is(ledger.details(145_000).plannedDowntimeSeconds, 65);
});
