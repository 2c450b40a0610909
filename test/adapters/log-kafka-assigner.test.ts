import test from 'ava';
import {shareOut} from '../../core/adapters/log-kafka-assigner.ts';
import fc from '../support/fast-check.ts';

const member = fc.stringMatching(/^[a-z]{1,3}$/);
const claims = fc.dictionary(member, fc.uniqueArray(fc.nat(63)), {minKeys: 1, maxKeys: 9});
const mapOf = (claimed: Record<string, number[]>) => new Map(Object.entries(claimed));

test('every partition has one owner and shares differ by at most one', t => {
  fc.assert(
    fc.property(claims, claimed => {
      const shares = [...shareOut(mapOf(claimed)).values()];
      const all = shares.flat().sort((a, b) => a - b);
      t.deepEqual(
        all,
        Array.from({length: 64}, (_, n) => n),
      );
      const sizes = shares.map(({length}) => length);
      t.true(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }),
  );
});

test('what was shared out stays as it is while the members stay', t => {
  fc.assert(
    fc.property(claims, claimed => {
      const shares = shareOut(mapOf(claimed));
      t.deepEqual(Object.fromEntries(shareOut(shares)), Object.fromEntries(shares));
    }),
  );
});

test('a member that joins takes only its share, one that leaves gives only its own', t => {
  const two = shareOut(
    new Map<string, number[]>([
      ['a', []],
      ['b', []],
    ]),
  );
  const three = shareOut(new Map([...two, ['c', []]]));
  for (const name of ['a', 'b']) {
    const before = new Set(two.get(name));
    t.true(three.get(name)?.every(partition => before.has(partition)));
  }
  const rest = shareOut(new Map([...three].filter(([name]) => name !== 'b')));
  for (const name of ['a', 'c']) {
    const after = new Set(rest.get(name));
    t.true(three.get(name)?.every(partition => after.has(partition)));
  }
});

test('a partition that two claim goes to one of them', t => {
  const shares = shareOut(
    new Map([
      ['a', [1, 2]],
      ['b', [2, 3]],
    ]),
    4,
  );
  t.deepEqual(
    shares,
    new Map([
      ['a', [1, 2]],
      ['b', [0, 3]],
    ]),
  );
});
