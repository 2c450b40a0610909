import test from 'ava';
import {effectKinds} from '../../core/domain/effects.ts';
import fc from '../support/fast-check.ts';
import {brokenLaw, datacenter, effect, pass} from './support.ts';

/** What people and programs may ask, wisely or not. */
const requests = fc.array(
  fc.record({
    kind: fc.constantFrom(...effectKinds, 'arm-ghost', 'activate-ghost', 'restart-vm', 'sync-back'),
    vm: fc.nat(23),
    host: fc.nat(5),
    /** Few, so that they fill up. */
    target: fc.nat(1),
    /** Ask about where the VM really is: more requests get past the first check. */
    informed: fc.boolean(),
    seconds: fc.nat(40),
    cancel: fc.nat(9),
  }),
  {minLength: 20, maxLength: 60},
);

test('no sequence of effects and failures runs a VM twice or over-commits a host', t => {
  fc.assert(
    fc.property(fc.nat(1000), requests, (seed, sequence) => {
      const world = datacenter(seed, {hosts: 6, vms: 24, cells: 1, rateFactor: 8});
      let migrated = 0;
      for (const {kind, vm, host, target, informed, seconds, cancel} of sequence) {
        const subject = world.vms[vm];
        const targetHost = world.hosts[target]?.name ?? '';
        const source = informed ? subject?.host.name : world.hosts[host]?.name;
        const ghost = subject?.ghost?.host.name;
        const asked = effect(kind, {
          vm: subject?.name ?? '',
          host: source ?? '',
          targetHost: informed && ghost !== undefined ? ghost : targetHost,
          weightPercent: 100,
        });
        world.drivers.start(asked, world.nowMs);
        const broken = brokenLaw(world);
        if (broken !== undefined) throw new Error(`after ${kind}: ${broken}`);
        for (let second = 0; second < seconds; second++) {
          pass(world, 1);
          const later = brokenLaw(world);
          if (later !== undefined) throw new Error(`${second} s after ${kind}: ${later}`);
        }
        if (cancel === 0) world.drivers.cancel(asked.id, world.nowMs);
        const {migrations} = world.ledger.summary(world.nowMs);
        if (migrations < migrated) throw new Error('the ledger forgot a migration');
        migrated = migrations;
      }
    }),
    {numRuns: 40, verbose: 1},
  );
  t.pass();
});
