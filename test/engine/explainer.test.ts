import test from 'ava';
import {COMPONENTS} from '../../core/domain/components.ts';
import {FEATURE_COUNT, FEATURES} from '../../core/domain/features.ts';
import type {Scorer} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {createRig, metricScorer, PARTITION, RISK_METRIC, second} from '../support/partition.ts';

const LEVEL = FEATURES.findIndex(({name}) => name === `${RISK_METRIC}.level`);

/** The risk is one metric's, and its level says so. */
function tellingScorer(): {scorer: Scorer; explained: number[]} {
  const explained: number[] = [];
  const scorer: Scorer = {
    ...metricScorer(),
    explain: async (_hash, rows) => {
      explained.push(rows);
      const contributions = new Float32Array(rows * COMPONENTS.length * FEATURE_COUNT);
      for (let row = 0; row < rows; row++) {
        contributions[row * COMPONENTS.length * FEATURE_COUNT + LEVEL] = 2;
      }
      return {contributions, usual: new Float32Array(FEATURE_COUNT)};
    },
  };
  return {scorer, explained};
}

test('reasons and what would have to be otherwise follow a decision, once, under its id', async t => {
  const {scorer, explained} = tellingScorer();
  const rig = createRig({scorer});
  const runtime = await rig.start();
  for (let count = 0; count < 6; count++) await second(rig, runtime, {a: {risk: 0.9}, b: {}});
  await runtime.settled();
  const decided = rig.ticks.flatMap(tick => tick.decisions).filter(({host}) => host === 'a');
  t.true(decided.length > 0, 'something was decided about the host at risk');
  const records = (await rig.log.read('scores', PARTITION, 0)).map(({value}) =>
    codec.decodeScores(value),
  );
  const reasons = records.flatMap(record => record.reasons);
  t.deepEqual(reasons.flatMap(({decisions}) => decisions).sort(), decided.map(({id}) => id).sort());
  t.true(explained.length < 6, 'without a new decision it is not explained every second');
  const [first] = reasons;
  t.like(first?.reasons[0], {feature: `${RISK_METRIC}.level`, contribution: 2});
  t.is(first?.counterfactual?.changes[0]?.metric, RISK_METRIC);
  const {enter} = rig.policy.band;
  t.true((first?.counterfactual?.risk ?? 1) < enter);
  t.true((first?.counterfactual?.changes[0]?.value ?? 1) < enter);
});

test('of a reboot the reasons are what the agent says, in its words', async t => {
  const {scorer} = tellingScorer();
  const rig = createRig({scorer});
  const runtime = await rig.start();
  const sign = 'shutdown_scheduled_ratio +0.61, sessions_open -0.05';
  for (let count = 0; count < 3; count++) await second(rig, runtime, {a: {reboot: 0.9, sign}});
  await runtime.settled();
  const reasons = (await rig.log.read('scores', PARTITION, 0)).flatMap(
    ({value}) => codec.decodeScores(value).reasons,
  );
  t.is(reasons[0]?.component, 'reboot');
  t.deepEqual(
    reasons[0]?.reasons.map(({feature, contribution}) => [feature, contribution]),
    [
      ['shutdown_scheduled_ratio.level', 0.61],
      ['sessions_open.level', -0.05],
    ],
  );
  t.true(Math.abs((reasons[0]?.reasons[0]?.value ?? 0) - 0.1) < 1e-6, 'as it was measured');
});
