import test from 'ava';
import {Deadlines} from '../../core/engine/deadlines.ts';
import fc from '../support/fast-check.ts';

const act = fc.oneof(
  {weight: 4, arbitrary: fc.record({id: fc.constantFrom(...'abcdefgh'), dueMs: fc.nat(20)})},
  {weight: 1, arbitrary: fc.record({nowMs: fc.nat(25)})},
);

test('what is due is what a look at all of them finds, in the order of ids', t => {
  fc.assert(
    fc.property(fc.array(act, {maxLength: 400}), acts => {
      const deadlines = new Deadlines();
      const naive = new Map<string, number>();
      for (const one of acts) {
        if ('id' in one) {
          deadlines.set(one.id, one.dueMs);
          naive.set(one.id, one.dueMs);
          continue;
        }
        const expected = [...naive]
          .filter(([, dueMs]) => dueMs > 0 && dueMs <= one.nowMs)
          .map(([id]) => id)
          .sort();
        t.deepEqual(deadlines.due(one.nowMs), expected);
      }
    }),
    {numRuns: 500},
  );
});

test('what is set anew a thousand times is due once', t => {
  const deadlines = new Deadlines();
  for (let round = 0; round < 1000; round++) {
    deadlines.set('a', 1 + (round % 7));
    deadlines.set('b', 5);
  }
  t.deepEqual(deadlines.due(100), ['a', 'b']);
  deadlines.set('a', 0);
  t.deepEqual(deadlines.due(100), ['b']);
  t.deepEqual(deadlines.due(100), ['b'], 'until it is set anew');
});
