import test from 'ava';
import {featuresOf} from '../../core/domain/features.ts';
import {alertsWithin} from '../../models/failure/alerts.ts';
import {type FailureData, hostDaysOf, UNKNOWN} from '../../models/failure/data.ts';
import {COMPONENT_FAILURE, COMPONENT_OUTLOOK} from '../../models/failure/family.ts';
import {scoreOutputs} from '../../models/failure/scoring.ts';
import {directionsOf, scoreByRule} from '../../models/failure/symptoms.ts';

const NEVER = Number.POSITIVE_INFINITY;
const RULES = {hostDays: 4, alertsPerHostDay: 1, quietSeconds: 1800, actionSeconds: 60};

/** Rows of one output, written by hand: host, second, seconds to the failure, label, risk. */
function table(rows: readonly (readonly [number, number, number, number, number])[]) {
  const data: FailureData = {
    rows: rows.length,
    contract: COMPONENT_FAILURE.contract,
    outputs: COMPONENT_FAILURE.outputs.slice(0, 1),
    features: new Float32Array(),
    labels: Uint8Array.from(rows, row => row[3]),
    secondsToFailure: Float32Array.from(rows, row => row[2]),
    group: Int32Array.from(rows, row => row[0]),
    second: Int32Array.from(rows, row => row[1]),
  };
  return {data, risks: Float32Array.from(rows, row => row[4])};
}

test('an alert is a host and a time, not a row: one failure that is told ten times is told once', t => {
  const rows = Array.from({length: 10}, (_, at) => [1, at * 90, 1000 - at * 90, 1, 0.9] as const);
  const {data, risks} = table([...rows, [2, 0, NEVER, 0, 0.1]]);
  const found = alertsWithin(data, risks, data.labels, {...RULES, hostDays: 1});
  t.deepEqual(found, {
    threshold: Math.fround(0.9),
    alerts: 1,
    precision: 1,
    failures: 1,
    foreseen: 1,
  });
});

test('an alert that leaves no time to act is right, but foresees nothing', t => {
  const {data, risks} = table([
    [1, 0, 59, 1, 0.9],
    [2, 0, 60, 1, 0.8],
    [3, 0, NEVER, 0, 0.7],
  ]);
  t.like(alertsWithin(data, risks, data.labels, {...RULES, hostDays: 3}), {
    alerts: 3,
    precision: 2 / 3,
    failures: 2,
    foreseen: 1,
  });
});

test('never more alerts than the budget, the riskiest first; after the quiet time a host may alert again', t => {
  const {data, risks} = table([
    [1, 0, NEVER, 0, 0.9],
    [1, 1799, NEVER, 0, 0.9],
    [1, 1800, NEVER, 0, 0.9],
    [2, 0, 600, 1, 0.8],
    [3, 0, 600, 1, 0.7],
  ]);
  const alert = (hostDays: number) => alertsWithin(data, risks, data.labels, {...RULES, hostDays});
  t.like(alert(2), {alerts: 2, precision: 0, foreseen: 0});
  t.like(alert(3), {alerts: 3, foreseen: 1});
  t.like(alert(4), {alerts: 4, precision: 0.5, foreseen: 2});
});

test('a row of which nobody knows what became raises no alert', t => {
  const {data, risks} = table([
    [1, 0, NEVER, UNKNOWN, 0.9],
    [2, 0, 600, 1, 0.2],
  ]);
  t.like(alertsWithin(data, risks, data.labels, {...RULES, hostDays: 1}), {alerts: 1, foreseen: 1});
});

test('hosts were watched from their first row to a step after their last', t => {
  const second = Int32Array.from([0, 43_200, 100, 200, 300, 7]);
  const group = Int32Array.from([1, 1, 2, 2, 2, 3]);
  t.is(hostDaysOf({group, second}), (86_400 + 300 + 0) / 86_400);
});

test('the rule for a part is how far its worst measurement is beyond the usual limit', t => {
  const {contract} = COMPONENT_FAILURE;
  const names = featuresOf(contract).map(({name}) => name);
  const features = new Float32Array(3 * names.length).fill(Number.NaN);
  const set = (row: number, feature: string, value: number) => {
    features[row * names.length + names.indexOf(feature)] = value;
  };
  set(0, 'disk_errors_per_second.level', 0.3);
  set(0, 'disk_pending_sectors.level', 2);
  set(1, 'temperature_margin_celsius.level', 5);
  const score = (part: string) => scoreByRule({contract, rows: 3, features}, part);
  t.deepEqual(
    [...score('disk')].map(each => Number(each.toFixed(6))),
    [3, 0, 0],
  );
  t.deepEqual([...score('cpu')], [0, 2, 0]);
  t.deepEqual([...scoreByRule({contract, rows: 3, features}, 'no such part')], [0, 0, 0]);
});

test('errors of a part may only raise its risk, room before overheating only lower it', t => {
  const {contract} = COMPONENT_FAILURE;
  const names = featuresOf(contract).map(({name}) => name);
  const direction = (part: string, feature: string) =>
    directionsOf(part, contract)[names.indexOf(feature)];
  t.is(direction('disk', 'disk_errors_per_second.level'), 1);
  t.is(direction('disk', 'disk_errors_per_second.trend'), 0);
  t.is(direction('cpu', 'temperature_margin_celsius.level'), -1);
  t.is(direction('memory', 'disk_errors_per_second.level'), 0);
});

test('a week’s served risk is not below a day’s, whatever the forests say', t => {
  const leaf = (value: number) => ({
    base: value,
    roots: Int32Array.of(),
    feature: Int32Array.of(),
    threshold: Float32Array.of(),
    left: Int32Array.of(),
    right: Int32Array.of(),
    missingLeft: Uint8Array.of(),
    value: Float32Array.of(),
    cover: Float32Array.of(),
  });
  const {contract, outputs} = COMPONENT_OUTLOOK;
  const width = featuresOf(contract).length;
  const model = {
    featureCount: width,
    forests: outputs.map((_, output) => leaf(output === 1 ? -3 : output / 10)),
    slopes: new Float32Array(10).fill(1),
    offsets: new Float32Array(10),
  };
  const {data} = table([[1, 0, NEVER, 0, 0]]);
  const risks = scoreOutputs(model, {...data, outputs, features: new Float32Array(width)});
  t.is(risks[1], risks[0]);
  t.true((risks[3] as number) > (risks[2] as number));
  // The next part begins anew.
  const rest = {
    ...model,
    forests: model.forests.slice(1),
    slopes: model.slopes.slice(1),
    offsets: model.offsets.slice(1),
  };
  const features = new Float32Array(width);
  const alone = scoreOutputs(rest, {...data, outputs: outputs.slice(1), features});
  t.true((alone[0] as number) < 0.1 && (alone[1] as number) > 0.5);
});
