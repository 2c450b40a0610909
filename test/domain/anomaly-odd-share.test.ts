import test from 'ava';
import {measureOddShares} from '../../core/domain/anomaly/odd-share.ts';
import fc from '../support/fast-check.ts';

test('the share of odd VMs is that of the known ones of each group', t => {
  const odd = [1, 0, Number.NaN, 1, 1, 0, Number.NaN];
  const hostOf = [0, 0, 0, 1, -1, 3, 4];
  t.deepEqual([...measureOddShares(odd, hostOf, 5)], [0.5, 1, Number.NaN, 0, Number.NaN]);
});

test('shares of hosts, weighed by their VMs, make up the share of the rack', t => {
  const vms = fc.array(
    fc.record({odd: fc.constantFrom(0, 1), host: fc.integer({min: 0, max: 4})}),
    {
      minLength: 1,
    },
  );
  fc.assert(
    fc.property(vms, list => {
      const odd = list.map(vm => vm.odd);
      const hosts = measureOddShares(
        odd,
        list.map(vm => vm.host),
        5,
      );
      const rack = measureOddShares(
        odd,
        list.map(() => 0),
        1,
      )[0] as number;
      const sum = list.reduce((total, vm) => total + (hosts[vm.host] as number), 0);
      return Math.abs(sum / list.length - rack) < 1e-12 && rack >= 0 && rack <= 1;
    }),
  );
  t.pass();
});
