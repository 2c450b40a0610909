import test from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {seededRandom} from '../../core/adapters/random-seeded.ts';
import fc from '../support/fast-check.ts';

test('sleeping ends by itself, and at once when told to', async t => {
  const before = systemClock.monotonicMs();
  await systemClock.sleep(5);
  t.true(systemClock.monotonicMs() >= before + 4);
  await systemClock.sleep(600_000, AbortSignal.abort());
  const controller = new AbortController();
  const sleeping = systemClock.sleep(600_000, controller.signal);
  controller.abort();
  await sleeping;
  t.true(Math.abs(systemClock.nowMs() - Date.now()) < 1000);
});

const draws = (seed: number | string, count = 20): number[] => {
  const random = seededRandom(seed);
  return Array.from({length: count}, () => random.next());
};

test('equal seeds give equal numbers, others do not', t => {
  t.deepEqual(draws('seed'), draws('seed'));
  t.notDeepEqual(draws(1), draws(2));
  // Recorded: a change here changes every simulation ever published.
  t.deepEqual(
    draws(42, 3).map(number => number.toFixed(12)),
    ['0.246657527750', '0.738817705307', '0.123657718999'],
  );
});

test('a fork depends on its name alone, not on what was drawn', t => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.nat(20), (seed, name, count) => {
      const random = seededRandom(seed);
      for (let draw = 0; draw < count; draw++) random.next();
      t.is(random.fork(name).next(), seededRandom(seed).fork(name).next());
      t.not(random.fork(name).next(), random.fork(`${name}!`).next());
      t.not(random.fork('a').fork('b').next(), random.fork('b').fork('a').next());
    }),
  );
});

test('numbers are in [0, 1) and spread evenly', t => {
  const random = seededRandom('even');
  const buckets = new Array<number>(16).fill(0);
  const count = 160_000;
  for (let draw = 0; draw < count; draw++) {
    const number = random.next();
    if (number < 0 || number >= 1) t.fail(`${number}`);
    const bucket = Math.floor(number * 16);
    buckets[bucket] = (buckets[bucket] as number) + 1;
  }
  // Chi-squared with 15 degrees of freedom: 37.7 is exceeded once in a thousand seeds.
  const expected = count / 16;
  const chi = buckets.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
  t.true(chi < 37.7, `${chi}`);
});
