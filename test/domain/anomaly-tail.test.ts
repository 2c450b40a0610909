import test from 'ava';
import {observeTail, resetTail, TAIL_NUMBERS, TAIL_SHARE} from '../../core/domain/anomaly/tail.ts';
import fc from '../support/fast-check.ts';
import {createNormal} from './streams.ts';

function learn(magnitudes: Iterable<number>): Float64Array {
  const state = new Float64Array(TAIL_NUMBERS);
  resetTail(state, 0);
  for (const magnitude of magnitudes) observeTail(state, 0, magnitude);
  return state;
}

/** Rarity of a magnitude by a tail that does not learn it. */
const rarityOf = (state: Float64Array, magnitude: number) =>
  observeTail(state.slice(), 0, magnitude);

function drawExponential(seed: number, count: number, scale: number): Float64Array {
  const normal = createNormal(seed);
  // Half the sum of two squares of normals is exponential.
  return Float64Array.from({length: count}, () => (scale * (normal() ** 2 + normal() ** 2)) / 2);
}

test('rarities of exponential magnitudes are those of the distribution, within a factor of 5', t => {
  for (const seed of [1, 2, 3]) {
    const state = learn(drawExponential(seed, 100_000, 1.5));
    for (const expected of [1e-2, 1e-3, 1e-4]) {
      const ratio = rarityOf(state, -1.5 * Math.log(expected)) / expected;
      t.true(ratio > 1 / 5 && ratio < 5, `seed ${seed}, ${expected}: ${ratio}`);
    }
  }
});

test('a larger magnitude is never less rare', t => {
  const states = [1, 2, 3].map(seed => learn(drawExponential(seed, 5000, seed)));
  fc.assert(
    fc.property(
      fc.constantFrom(...states),
      fc.double({min: 0, max: 1e6, noNaN: true}),
      fc.double({min: 0, max: 1e6, noNaN: true}),
      (state, one, other) => {
        const [small, large] = [Math.min(one, other), Math.max(one, other)];
        return rarityOf(state, small) >= rarityOf(state, large);
      },
    ),
  );
  t.pass();
});

test('whatever it is given, a rarity lies in [0, 1] and the state stays finite', t => {
  fc.assert(
    fc.property(
      fc.array(fc.double({min: 0, max: 1e300, noNaN: true}), {minLength: 1, maxLength: 300}),
      magnitudes => {
        const state = learn([]);
        for (const magnitude of magnitudes) {
          const rarity = observeTail(state, 0, magnitude);
          if (!(rarity >= 0 && rarity <= 1)) return false;
        }
        return state.every(Number.isFinite);
      },
    ),
  );
  t.pass();
});

test('one broken reading makes no later peak ordinary', t => {
  const state = learn(drawExponential(4, 20_000, 1.5));
  const before = rarityOf(state, 20);
  observeTail(state, 0, 1e12);
  for (const magnitude of drawExponential(5, 1000, 1.5)) observeTail(state, 0, magnitude);
  t.true(before < 1e-4);
  t.true(rarityOf(state, 20) < 1e-3);
});

test('peaks that come seldom but again and again stop being rare', t => {
  const magnitudes = drawExponential(6, 60_000, 1.5);
  for (let index = 0; index < magnitudes.length; index += 200) magnitudes[index] = 100;
  t.true(rarityOf(learn(magnitudes.subarray(0, 200)), 100) < 1e-6);
  t.true(rarityOf(learn(magnitudes), 100) > 3e-4);
});

test('magnitudes that are mostly nothing are judged by how often they are anything', t => {
  const magnitudes = drawExponential(7, 400_000, 1000).map((value, index) =>
    index % 1000 === 0 ? value : 0,
  );
  const rarity = rarityOf(learn(magnitudes), 1000);
  t.true(rarity > 1e-4 && rarity < 2e-3, `${rarity}`);
  t.true(rarity < TAIL_SHARE);
});
