import test from 'ava';
import {formatFigure, formatPercent} from '../../cli/figures.ts';
import {outlookFacts} from '../../cli/outlook.ts';
import fc from '../support/fast-check.ts';

test('a measured value is short, and shows its unit unless its name does', t => {
  t.is(formatFigure(0.05768, 'per second'), '0.0577 per second');
  t.is(formatFigure(0.25, 'ratio'), '0.25');
  t.is(formatFigure(12_345.6), '12,346');
  t.is(formatFigure(999.6), '1000');
  t.is(formatFigure(Number.NaN, 'watts'), 'not measured');
});

test('what has decayed away is nothing', t => {
  for (const value of [2.1e-44, -3e-7, 1e-9, -0]) t.is(formatFigure(value), '0');
  t.is(formatFigure(2e-6), '0.000002');
});

test('no figure has an exponent, and none is off by more than half a percent', t => {
  fc.assert(
    fc.property(fc.double({min: -1e9, max: 1e9, noNaN: true}), value => {
      const shown = formatFigure(value);
      t.regex(shown, /^-?[\d,]+(\.\d+)?$/);
      const read = Number(shown.replaceAll(',', ''));
      t.true(Math.abs(read - value) <= Math.max(1e-6, 0.005 * Math.abs(value)), `${value}`);
    }),
  );
});

test('a share is whole per cent, and below a tenth has one digit more', t => {
  t.deepEqual([0, 0.034, 0.125, 0.996, 1].map(formatPercent), [
    '0.0 %',
    '3.4 %',
    '13 %',
    '100 %',
    '100 %',
  ]);
});

test('parts that hardly fail are left out of an outlook; that none does is said', t => {
  const outlook = (...risks: [string, number][]) =>
    outlookFacts(risks.map(([component, risk]) => ({component, risk})) as never);
  t.deepEqual(
    outlook(['cpu-24h', 0.001], ['cpu-7d', 0.004], ['disk-24h', 0.02], ['disk-7d', 0.3]),
    [['outlook', 'disk 2.0 % in 24h, 30 % in 7d']],
  );
  t.deepEqual(outlook(['cpu-7d', 0.004]), [['outlook', 'no part above 1.0 %']]);
  t.deepEqual(outlook(), []);
});
