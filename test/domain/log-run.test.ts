import test from 'ava';
import {runFrom} from '../../core/domain/log-run.ts';
import fc from '../support/fast-check.ts';

const records = fc
  .tuple(fc.nat(1000), fc.array(fc.nat(20), {maxLength: 20}))
  .map(([first, sizes]) =>
    sizes.map((size, index) => ({offset: first + index, value: new Uint8Array(size)})),
  );

test('a run begins where it is asked to, has no hole, and ends at the bound or the last record', t => {
  fc.assert(
    fc.property(records, fc.nat(25), fc.nat(60), (given, skip, bytesMax) => {
      const from = (given[0]?.offset ?? 0) + skip;
      const run = runFrom(given, from, bytesMax);
      const rest = given.filter(({offset}) => offset >= from);
      t.deepEqual(run, rest.slice(0, run.length));
      const bytes = run.reduce((sum, {value}) => sum + value.length, 0);
      t.true(bytes <= bytesMax || run.length === 1);
      const next = rest[run.length];
      if (next !== undefined) t.true(run.length > 0 && bytes + next.value.length > bytesMax);
    }),
  );
});
