import assert from 'node:assert/strict';
import test from 'ava';
import {effectiveness} from '../../core/domain/cost.ts';
import {expectedInMs, isAnnounced, riskBy, riskCurve} from '../../core/domain/lead-time.ts';
import fc from '../support/fast-check.ts';
import {MINUTE_MS} from './cells.ts';

const HORIZON_MS = 30 * MINUTE_MS;
const unannounced = Number.NaN;
const minutesOf = (curve: ReturnType<typeof riskCurve>) =>
  [0, 1, 5, 15, 30].map(minutes => Math.round(1e6 * riskBy(curve, minutes * MINUTE_MS)) / 1e6);

test('a reboot comes in the shares that the agent says, whatever of it counts', t => {
  const word = {within: [0.1, 0.4, 0.6, 0.8], dueInMs: unannounced};
  t.deepEqual(minutesOf(riskCurve(0, 0.8, word, HORIZON_MS)), [0, 0.1, 0.4, 0.6, 0.8]);
  t.deepEqual(minutesOf(riskCurve(0, 0.4, word, HORIZON_MS)), [0, 0.05, 0.2, 0.3, 0.4]);
});

test('between two horizons it comes evenly; before now there is none, later it does not grow', t => {
  const curve = riskCurve(0, 0.8, {within: [0.1, 0.4, 0.6, 0.8], dueInMs: unannounced}, HORIZON_MS);
  t.true(Math.abs(riskBy(curve, 3 * MINUTE_MS) - 0.25) < 1e-12);
  t.is(riskBy(curve, -1), 0);
  t.is(riskBy(curve, 2 * HORIZON_MS), 0.8);
});

test('a part fails at any time as likely; with a reboot, one or the other', t => {
  const never = {within: [0, 0, 0, 0], dueInMs: unannounced};
  t.deepEqual(minutesOf(riskCurve(0.6, 0, never, HORIZON_MS)), [0, 0.02, 0.1, 0.3, 0.6]);
  const word = {within: [0.1, 0.4, 0.6, 0.8], dueInMs: unannounced};
  const both = riskCurve(0.6, 0.8, word, HORIZON_MS);
  t.true(Math.abs(riskBy(both, 5 * MINUTE_MS) - (1 - 0.9 * 0.6)) < 1e-12);
});

test('an announced reboot comes when it is due: what is done before is in time, what is not is late', t => {
  const word = {within: [0, 0, 0.5, 0.97], dueInMs: 4 * MINUTE_MS};
  const curve = riskCurve(0, 0.97, word, HORIZON_MS);
  t.is(effectiveness(4 * MINUTE_MS - 1, HORIZON_MS, curve), 1);
  t.is(effectiveness(4 * MINUTE_MS, HORIZON_MS, curve), 0);
  t.is(expectedInMs(curve), 4 * MINUTE_MS);
});

test('one that should have begun a moment ago is due now; later nobody knows', t => {
  t.true(isAnnounced(-1000, HORIZON_MS));
  t.false(isAnnounced(-2 * MINUTE_MS, HORIZON_MS));
  t.false(isAnnounced(Number.NaN, HORIZON_MS));
  t.false(isAnnounced(HORIZON_MS, HORIZON_MS), 'beyond the horizon of risks');
  const overdue = riskCurve(0, 0.9, {within: [0.3, 0.9, 0.9, 0.9], dueInMs: -1000}, HORIZON_MS);
  t.is(effectiveness(1, HORIZON_MS, overdue), 0);
});

test('where agents say one horizon alone, any time is as likely', t => {
  const word = {within: [Number.NaN, Number.NaN, Number.NaN, 0.8], dueInMs: unannounced};
  const curve = riskCurve(0, 0.8, word, HORIZON_MS);
  for (const ms of [0, 1000, 10 * MINUTE_MS, HORIZON_MS]) {
    t.true(Math.abs(effectiveness(ms, HORIZON_MS, curve) - effectiveness(ms, HORIZON_MS)) < 1e-12);
  }
});

test('a horizon of the policy that is shorter than those of agents cuts them off', t => {
  const word = {within: [0.1, 0.4, 0.6, 0.8], dueInMs: unannounced};
  const curve = riskCurve(0, 0.8, word, 5 * MINUTE_MS);
  t.deepEqual(
    curve.map(({atMs}) => atMs),
    [0, MINUTE_MS, 5 * MINUTE_MS],
  );
  t.is(riskBy(curve, HORIZON_MS), 0.8);
});

const probability = fc.double({min: 0, max: 1, noNaN: true});
const maybe = fc.oneof(probability, fc.constant(Number.NaN));
const word = fc.record({
  within: fc.tuple(maybe, maybe, maybe, maybe),
  dueInMs: fc.oneof(
    fc.integer({min: -2 * HORIZON_MS, max: 2 * HORIZON_MS}),
    fc.constant(Number.NaN),
  ),
});
const time = fc.integer({min: 0, max: 2 * HORIZON_MS});

test('whatever an agent says, the risk never falls, ends at the whole, and half of it comes when expected', t => {
  fc.assert(
    fc.property(probability, probability, word, time, time, (failure, reboot, said, a, b) => {
      const curve = riskCurve(failure, reboot, said, HORIZON_MS);
      const [early, late] = [riskBy(curve, Math.min(a, b)), riskBy(curve, Math.max(a, b))];
      assert.ok(early >= 0 && early <= late + 1e-12 && late <= 1, `${early} then ${late}`);
      const whole = 1 - (1 - failure) * (1 - reboot);
      assert.ok(Math.abs(riskBy(curve, HORIZON_MS) - whole) < 1e-12);
      const expected = expectedInMs(curve);
      assert.ok(expected >= 0 && expected <= HORIZON_MS, `${expected}`);
      assert.ok(riskBy(curve, expected) >= whole / 2 - 1e-9);
      const share = effectiveness(Math.min(a, b), HORIZON_MS, curve);
      assert.ok(share >= effectiveness(Math.max(a, b), HORIZON_MS, curve) && share <= 1);
    }),
  );
  t.pass();
});
