import test from 'ava';
import {
  type FeedbackScore,
  type Reading,
  runFeedback,
} from '../../../bench/support/feedback-rounds.ts';

/**
 * The feedback trap, small: `forestay bench feedback` is the same with more fleets and seeds. Each
 * seed is paired: all three models begin as the same one, and their rounds draw the same faults.
 */
const OPTIONS = {
  rounds: 3,
  fleets: 6,
  hosts: 24,
  minutes: 60,
  rateFactor: 2,
  threshold: 0.25,
  trees: 40,
  remembered: 2,
  heldBack: 0.1,
};
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

const tell = ({averagePrecision, logLoss, recall, acts}: FeedbackScore) =>
  `AP ${averagePrecision.toFixed(3)}, log-loss ${logLoss.toFixed(4)}, ` +
  `recall ${recall.toFixed(3)}, ${acts} acts`;

for (const seed of [1002, 1003, 1004]) {
  test(`a model that takes what it prevented for nothing gets worse, ours holds (seed ${seed})`, t => {
    // Seven seconds of an idle machine.
    t.timeout(240_000);
    const {first, rounds} = runFeedback({...OPTIONS, seed});
    t.log(`first: ${tell(first)}`);
    for (const [reading, scores] of Object.entries(rounds)) {
      for (const [at, score] of scores.entries()) t.log(`${reading} ${at + 1}: ${tell(score)}`);
    }
    // The first round still remembers the time before anybody acted.
    const lost = (reading: Reading, figure: 'logLoss' | 'averagePrecision' | 'recall') =>
      mean(rounds[reading].slice(1).map(score => score[figure])) - first[figure];
    for (const {acts} of rounds.naive) t.true(acts > 20, 'it acts, or there is no trap');
    t.true(lost('naive', 'logLoss') > 0.003);
    t.true(lost('ours', 'logLoss') < lost('naive', 'logLoss') / 3);
    t.true(lost('ours', 'logLoss') < lost('dropped', 'logLoss'));
    t.true(lost('ours', 'averagePrecision') > lost('naive', 'averagePrecision'));
    t.true(lost('ours', 'averagePrecision') > -0.03);
    t.true(lost('ours', 'recall') > -0.02);
  });
}
