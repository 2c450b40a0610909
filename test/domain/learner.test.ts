import test from 'ava';
import {fitAnomalyModel} from '../../core/domain/anomaly/host-fit.ts';
import {Learner} from '../../core/domain/anomaly/learner.ts';
import {createUniform} from '../../models/random.ts';
import {drawRows, ROW_COLUMNS} from './anomaly-rows.ts';

const SHARE = 5 / 1440;
const THRESHOLD = 4;

function learned(): Learner {
  const learner = new Learner(ROW_COLUMNS, SHARE);
  const model = fitAnomalyModel(drawRows(1, 1000), ROW_COLUMNS);
  learner.usual = {model, threshold: THRESHOLD, rows: 1000};
  return learner;
}

test('nothing is odd before it is known what is usual', t => {
  t.is(new Learner(ROW_COLUMNS, SHARE).threshold, Number.NaN);
});

test('an incident raises the threshold by a few percent, however long it lasts', t => {
  const learner = learned();
  for (let minute = 1; minute <= 600; minute++) learner.judged(minute);
  t.true(learner.threshold > THRESHOLD && learner.threshold < 1.06 * THRESHOLD);
});

test('a threshold that is too low follows the minutes that pass it, until the share is as wanted', t => {
  const learner = learned();
  const uniform = createUniform(1);
  // Exponential scores of which 5 % pass the threshold that was measured.
  const drawScore = () => (-Math.log(1 - uniform()) * THRESHOLD) / -Math.log(0.05);
  let odd = 0;
  for (let minute = 0; minute < 60_000; minute++) {
    const isOdd = drawScore() >= learner.threshold;
    learner.judged(isOdd ? 1 : 0);
    if (isOdd && minute >= 10_000) odd++;
  }
  // More than half above what was measured is not believed.
  t.true(learner.threshold <= 1.5 * THRESHOLD);
  t.true(odd / 50_000 < 0.012, `${odd / 50_000}`);
});

test('without odd minutes it comes down to what was measured, and no further', t => {
  const learner = learned();
  for (let minute = 1; minute <= 5; minute++) learner.judged(minute);
  for (let minute = 0; minute < 10_000; minute++) learner.judged(0);
  t.is(learner.threshold, THRESHOLD);
});
