import test from 'ava';
import {affinity} from '../../core/domain/affinity.ts';
import fc from '../support/fast-check.ts';

test('without events, or with events spread evenly, nothing speaks for an hour', t => {
  t.is(affinity(0, 0, 1 / 24), 1);
  t.true(Math.abs(affinity(5, 120, 1 / 24) - 1) < 1e-12);
});

test('more hits say more, more events beside them less, and never beyond one over the share', t => {
  fc.assert(
    fc.property(
      fc.nat(50),
      fc.nat(50),
      fc.double({min: 0.01, max: 0.5, noNaN: true}),
      (hits, others, even) => {
        const all = hits + others;
        const here = affinity(hits, all, even);
        return (
          here > 0 &&
          here <= 1 / even + 1e-9 &&
          affinity(hits + 1, all + 1, even) >= here &&
          affinity(hits, all + 1, even) < here
        );
      },
    ),
  );
  t.pass();
});
