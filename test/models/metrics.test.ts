import test from 'ava';
import {
  alertsAtBudget,
  averagePrecision,
  brierScore,
  calibrationError,
  logLoss,
  quantile,
  rocAuc,
} from '../../models/metrics.ts';
import fc from '../support/fast-check.ts';

const outcomes = fc
  .array(fc.record({risk: fc.integer({min: 0, max: 9}), label: fc.integer({min: 0, max: 1})}), {
    minLength: 2,
    maxLength: 40,
  })
  .filter(rows => new Set(rows.map(row => row.label)).size === 2);

test('ROC-AUC is the share of pairs that are ranked right, ties half', t => {
  fc.assert(
    fc.property(outcomes, rows => {
      const risks = rows.map(row => row.risk / 10);
      const positives = rows.filter(row => row.label === 1);
      const negatives = rows.filter(row => row.label === 0);
      let right = 0;
      for (const {risk} of positives) {
        for (const other of negatives)
          right += risk > other.risk ? 1 : risk === other.risk ? 0.5 : 0;
      }
      const wanted = right / (positives.length * negatives.length);
      return (
        Math.abs(
          rocAuc(
            risks,
            Uint8Array.from(rows, row => row.label),
          ) - wanted,
        ) < 1e-12
      );
    }),
  );
  t.pass();
});

test('average precision does not depend on the order of tied rows', t => {
  fc.assert(
    fc.property(outcomes, rows => {
      const of = (list: typeof rows) =>
        averagePrecision(
          list.map(row => row.risk),
          Uint8Array.from(list, row => row.label),
        );
      return Math.abs(of(rows) - of([...rows].reverse())) < 1e-12;
    }),
  );
  t.is(averagePrecision([0.9, 0.8, 0.1], Uint8Array.of(1, 0, 1)), (1 + 2 / 3) / 2);
});

test('losses of known risks are as computed by hand', t => {
  const labels = Uint8Array.of(1, 0, 0, 1);
  t.is(logLoss([0.5, 0.5, 0.5, 0.5], labels), Math.log(2));
  t.is(brierScore([1, 0, 0.5, 0.5], labels), 0.125);
  t.is(calibrationError([0.5, 0.5, 0.5, 0.5], labels, 1), 0);
  t.is(calibrationError([1, 1, 0, 0], labels, 2), 0.5);
});

test('a budget alerts on the rows of highest risk and says where the threshold lies', t => {
  const found = alertsAtBudget([0.1, 0.9, 0.8, 0.2, 0.7], Uint8Array.of(0, 1, 0, 1, 1), 0.4);
  t.deepEqual(found, {threshold: 0.8, precision: 0.5, recall: 1 / 3});
});

test('quantiles are values that occurred; there is none of nothing', t => {
  t.is(quantile([1, 2, 3, 4], 0.5), 2);
  t.is(quantile([1, 2, 3, 4], 1), 4);
  t.is(quantile([1, 2, 3, 4], 0), 1);
  t.is(quantile([], 0.5), null);
});
