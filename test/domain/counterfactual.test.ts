import test from 'ava';
import {counterfactualRows, findCounterfactual} from '../../core/domain/counterfactual.ts';
import type {Feature} from '../../core/domain/features.ts';

const features: Feature[] = [
  {name: 'latency.level', metric: 'latency', kind: 'level'},
  {name: 'latency.trend', metric: 'latency', kind: 'trend'},
  {name: 'errors.level', metric: 'errors', kind: 'level'},
  {name: 'load.level', metric: 'load', kind: 'level'},
];
const own = Float32Array.of(8, 4, 16, 0.5);
const usual = Float32Array.of(0, 0, 0, 0.25);
const contributions = Float32Array.of(1, 1, 1.5, -2);
/** Latency counts with its trend; errors weigh half; load lowers the risk. */
const risk = (row: Float32Array) =>
  ((row[0] as number) + (row[1] as number) + (row[2] as number) / 2) / 20;

function explain(threshold: number) {
  const rows = counterfactualRows(features, own, usual, contributions);
  const risks = rows.changes.map((_, row) => risk(rows.features.subarray(row * 4, row * 4 + 4)));
  return findCounterfactual(rows, risks, threshold);
}

test('the loudest metric moves first, all its features together, no further than it must', t => {
  // 20/20 as it is; latency and trend fall from 12 together, an eighth a step.
  t.deepEqual(explain(0.8), {changes: [{metric: 'latency', value: 5}], risk: 0.775});
});

test('if one metric is not enough the next one joins it', t => {
  const found = explain(0.3);
  t.deepEqual(
    found?.changes.map(({metric}) => metric),
    ['latency', 'errors'],
  );
  t.is(found?.changes[0]?.value, 0);
  t.true((found?.risk ?? 1) < 0.3);
});

test('what lowers the risk is never changed, and if nothing helps nothing is said', t => {
  const rows = counterfactualRows(features, own, usual, contributions);
  t.false(rows.changes.flat().some(({metric}) => metric === 'load'));
  t.is(explain(-1), undefined);
  t.deepEqual(counterfactualRows(features, own, usual, new Float32Array(4)).changes, []);
});

test('a metric that a usual host does not have is there until the last step', t => {
  const rows = counterfactualRows(
    features.slice(2, 3),
    Float32Array.of(3),
    Float32Array.of(Number.NaN),
    Float32Array.of(1),
  );
  t.deepEqual(
    rows.changes.map(([change]) => change?.value),
    [3, 3, 3, 3, 3, 3, 3, Number.NaN],
  );
});
