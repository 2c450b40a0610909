/** The seeds of CI. FORESTAY_SIM_SEEDS makes them fewer on a machine of one's own. */
import test from 'ava';
import {simulate} from './simulate.ts';

const SEEDS = process.env.CI === 'true' ? 500 : Number(process.env.FORESTAY_SIM_SEEDS ?? 40);

test.serial('one seed gives the same run twice, another one does not', async t => {
  const [one, two, other] = [await simulate(7), await simulate(7), await simulate(8)];
  t.regex(one.trace ?? '', /^[0-9a-f]{64}$/);
  t.is(one.trace, two.trace);
  t.not(one.trace, other.trace);
});

test.serial(`${SEEDS} seeds hold every invariant`, async t => {
  t.timeout(15 * 60_000);
  const result = await simulate(1, {seeds: SEEDS});
  t.is(result.seeds, SEEDS);
  t.is(result.invariantsChecked, 16);
  t.true(result.faultsInjected > 50 * SEEDS, `only ${result.faultsInjected} faults`);
  t.deepEqual(result.failures, []);
  t.is(result.code, 0);
});

test.serial('a seed that fails says how to repeat it, and which invariant it breaks', async t => {
  const result = await simulate(1, {plant: 'fence-not-announced'});
  t.is(result.code, 1);
  t.is(result.failed, 1);
  const [failure] = result.failures;
  t.deepEqual(failure?.invariants, ['S9']);
  t.is(failure?.repeat, 'npm run simulate -- --seed 1 --plant fence-not-announced --trace');
});
