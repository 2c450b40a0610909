import test from 'ava';
import {formatSigns, parseSigns} from '../../core/domain/reboot-signs.ts';
import fc from '../support/fast-check.ts';

const signs = fc.array(
  fc.record({
    metric: fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/),
    part: fc.integer({min: -99, max: 99}).map(hundredths => hundredths / 100),
  }),
  {maxLength: 8},
);

test('what was said is understood: the five largest, by size', t => {
  fc.assert(
    fc.property(signs, all => {
      const expected = all
        .filter(({part}) => part !== 0)
        .toSorted((a, b) => Math.abs(b.part) - Math.abs(a.part))
        .slice(0, 5);
      t.deepEqual(parseSigns(formatSigns(all)), expected);
    }),
  );
});

test('the name of a device, or nonsense, is no sign', t => {
  for (const text of ['', 'sda', 'sda +1', 'a b +0.10', 'x +0.1', 'eth0, eth1', '+0.30']) {
    t.deepEqual(parseSigns(text), [], text);
  }
});
