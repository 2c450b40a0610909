import test from 'ava';
import {AVERAGE_KINDS, contractHash, type FeatureContract} from '../../core/domain/features.ts';
import type {Scorer} from '../../core/ports.ts';
import {codec} from '../../proto/codec.ts';
import {createRig, metricScorer, PARTITION, RISK_METRIC, second} from '../support/partition.ts';

const contract: FeatureContract = {
  family: 'averages',
  metrics: [],
  kinds: AVERAGE_KINDS,
  levels: [RISK_METRIC],
};

/** A model of its own contract: half of a metric within a day, all of it within a week. */
function outlookScorer(): {scorer: Scorer; asked: number[]} {
  const asked: number[] = [];
  const scorer: Scorer = {
    ...metricScorer(),
    signature: () => ({
      ...metricScorer().signature(),
      hash: 'outlook',
      contract,
      featureHash: contractHash(contract),
      featureCount: 1,
      components: ['disk-24h', 'disk-7d'],
    }),
    score: async (_hash, rows, features) => {
      asked.push(rows);
      return Float32Array.from([...features].flatMap(level => [level / 2, level]));
    },
  };
  return {scorer, asked};
}

test('hosts have an outlook once a minute, from features of its own, and nothing is decided by it', async t => {
  const {scorer, asked} = outlookScorer();
  const [rig, without] = [createRig({runtime: {outlook: scorer}}), createRig()];
  const [runtime, plain] = [await rig.start(), await without.start()];
  for (let count = 0; count < 70; count++) {
    await second(rig, runtime, {a: {risk: 0.5}, b: {}});
    await second(without, plain, {a: {risk: 0.5}, b: {}});
  }
  t.deepEqual(asked, [2, 2], 'in seventy seconds each of two hosts twice');
  const records = (await rig.log.read('scores', PARTITION, 0))
    .map(({value}) => codec.decodeScores(value))
    .filter(({kind}) => kind === 'outlook');
  t.deepEqual(records[0]?.components, ['disk-24h', 'disk-7d']);
  t.deepEqual([...(records[0]?.risks ?? [])], [0.25, 0.5, 0, 0]);
  t.is(records[0]?.featureHash, contractHash(contract));
  t.deepEqual(
    rig.ticks.map(({decisions, transitions, risks}) => ({decisions, transitions, risks})),
    without.ticks.map(({decisions, transitions, risks}) => ({decisions, transitions, risks})),
  );
});

test('while a request is under way no other is made, and a failed one is left out', async t => {
  const {ForestayError} = await import('../../core/domain/errors.ts');
  const {scorer} = outlookScorer();
  let calls = 0;
  const rig = createRig({
    runtime: {
      outlook: {
        ...scorer,
        score: async () => {
          calls++;
          throw new ForestayError('SCORER_SATURATED', 'full', {retryable: true});
        },
      },
    },
  });
  const runtime = await rig.start();
  for (let count = 0; count < 3; count++) await second(rig, runtime, {a: {risk: 0.05}});
  t.is(calls, 1, 'it waits for its next turn');
  const kinds = (await rig.log.read('scores', PARTITION, 0)).map(
    ({value}) => codec.decodeScores(value).kind,
  );
  t.false(kinds.includes('outlook'));
});
