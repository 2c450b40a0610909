/** The proof that the checkers can see: each bug is put in on purpose, and told by an invariant. */
import test from 'ava';
import {PLANTS} from './plants.ts';
import {simulate} from './simulate.ts';

/** Seeds in which the accident that a bug needs may happen. */
const SEEDS = 60;

for (const [name, {breaks = []}] of PLANTS) {
  test.serial(`planted: ${name} breaks ${breaks.join(' or ')}`, async t => {
    t.timeout(10 * 60_000);
    const {failures, code} = await simulate(1, {seeds: SEEDS, plant: name, first: true});
    t.is(code, 1, `nobody noticed in ${SEEDS} seeds`);
    const broken = new Set(failures.flatMap(({invariants}) => invariants));
    t.true(
      breaks.some(invariant => broken.has(invariant)),
      `it broke ${[...broken].join(', ')}`,
    );
  });
}

test('there are at least a dozen', t => {
  t.true(PLANTS.size >= 12);
});
