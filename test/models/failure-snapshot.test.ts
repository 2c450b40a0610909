import test from 'ava';
import {AVERAGE_KINDS, type FeatureContract, featuresOf} from '../../core/domain/features.ts';
import type {FailureData} from '../../models/failure/data.ts';
import {snapshotOf} from '../../models/failure/snapshot.ts';

const CONTRACT: FeatureContract = {
  family: 'averages',
  metrics: [],
  kinds: [],
  levels: ['disk_wear_ratio'],
};

/** Rows whose only feature is their own time. */
function rowsAt(times: readonly (readonly [host: number, second: number])[]): FailureData {
  return {
    rows: times.length,
    contract: CONTRACT,
    outputs: [],
    features: Float32Array.from(times, ([, second]) => second),
    labels: new Uint8Array(0),
    secondsToFailure: new Float32Array(times.length).fill(Number.POSITIVE_INFINITY),
    group: Int32Array.from(times, ([host]) => host),
    second: Int32Array.from(times, ([, second]) => second),
  };
}

const every = (step: number, from: number, to: number) =>
  Array.from({length: Math.floor((to - from) / step) + 1}, (_, at) => from + at * step);

test('rows of a host’s first 20 minutes are left out, and of those after it was gone', t => {
  const seconds = [...every(60, 60, 3600), ...every(60, 5000, 6500)];
  const {rows, hosts, fleets, features} = snapshotOf(
    rowsAt(seconds.flatMap(second => [0, 1, 24].map(host => [host, second] as const))),
    {hostsPerFleet: 24},
  );
  t.deepEqual({hosts, fleets}, {hosts: 3, fleets: 2});
  const counted = [...every(60, 1260, 3600), ...every(60, 6200, 6500)];
  t.is(rows, 3 * counted.length);
  t.deepEqual(features[0]?.name, 'disk_wear_ratio.level');
  t.is(features[0]?.unit, 'ratio');
  t.true((features[0]?.range?.[0] as number) >= 1260);
});

test('one row that was lost is no gap', t => {
  const seconds = every(90, 90, 3600).filter(second => second !== 1980);
  t.is(snapshotOf(rowsAt(seconds.map(second => [0, second]))).rows, 25);
});

test('rows that are hours apart count, all of them, and those of a short life too', t => {
  const hours = every(13 * 3600, 13 * 3600, 28 * 86_400);
  t.is(snapshotOf(rowsAt(hours.map(second => [0, second]))).rows, hours.length);
  t.is(snapshotOf(rowsAt(every(60, 60, 600).map(second => [0, second]))).rows, 10);
});

test('of one’s own fleet each hour counts as a fleet, hosts are counted once', t => {
  const times = every(60, 60, 7200).flatMap(second => [0, 30, 60].map(h => [h, second] as const));
  const snapshot = snapshotOf(rowsAt(times));
  t.like(snapshot, {isOwnFleet: true, hosts: 3, fleets: 3});
  t.is(snapshot.classes, undefined);
});

test('rows that stand for many count as many, and classes of hardware are told apart', t => {
  const times = every(60, 60, 7200).flatMap(second => [0, 1, 2].map(h => [h, second] as const));
  const data = rowsAt(times);
  const missing = data.features.map((value, row) => (data.group[row] === 2 ? Number.NaN : value));
  const weights = Float32Array.from(data.group, group => (group === 2 ? 6 : 1));
  const hardware = ['one', 'one', 'two'];
  const snapshot = snapshotOf({...data, features: missing}, {weights, hardware});
  t.true(Math.abs((snapshot.features[0]?.shares.at(-1) as number) - 0.75) < 0.01);
  t.deepEqual(
    snapshot.classes?.map(({hardware: name, hosts, features: [age]}) => [
      name,
      hosts,
      age?.shares.at(-1),
    ]),
    [
      ['two', 1, 1],
      ['one', 2, 0],
    ],
  );
});

test('values are told apart where they say how a host is, not how long it has been, nor how it moves', t => {
  const contract: FeatureContract = {
    family: 'averages',
    kinds: AVERAGE_KINDS,
    metrics: ['temperature_celsius'],
    levels: ['disk_wear_ratio', 'disk_age_hours', 'boots_per_day', 'time_of_day_sine'],
  };
  const times = every(60, 60, 7200).flatMap(second => [0, 1, 2].map(h => [h, second] as const));
  const data = rowsAt(times);
  const width = featuresOf(contract).length;
  const features = Float32Array.from(
    {length: data.rows * width},
    (_, at) => data.features[Math.floor(at / width)] as number,
  );
  const snapshot = snapshotOf({...data, contract, features});
  const apart = snapshot.features.filter(({edges}) => edges.length > 0);
  t.deepEqual(
    apart.map(({name}) => name),
    ['temperature_celsius.level', 'disk_wear_ratio.level'],
  );
  t.true(snapshot.features.every(({shares}) => shares.at(-1) === 0));
});
