import {create} from '@bufbuild/protobuf';
import test from 'ava';
import {anomalyFacts} from '../../cli/anomaly.ts';
import {AnomalySchema} from '../../proto/gen/forestay/v1/fleet_pb.ts';

test('a host that is not watched has nothing said of it', t => {
  t.deepEqual(anomalyFacts(undefined), []);
});

test('while it is learned what is usual, it says how far that is', t => {
  t.deepEqual(anomalyFacts(create(AnomalySchema, {learnedRows: 640, neededRows: 1150})), [
    ['anomaly', 'learning what is usual: 640 of 1150 minutes of hosts like it'],
  ]);
});

test('an odd host shows its score, what it does and what is usual, and how many are with it', t => {
  const anomaly = create(AnomalySchema, {
    score: 7.25,
    threshold: 4,
    odd: true,
    metrics: [
      {metric: 'disk_latency_seconds', value: 0.2, usual: 0.004, unit: 'seconds'},
      {metric: 'pressure_io_ratio', value: 0.5, usual: 0.01, unit: 'ratio'},
    ],
    rackOddRatio: 0.25,
    learnedRows: 4000,
    neededRows: 1150,
  });
  t.deepEqual(anomalyFacts(anomaly), [
    ['anomaly', 'odd: score 7.3, odd from 4.0 on'],
    ['', 'disk_latency_seconds 0.2 seconds, usually 0.004'],
    ['', 'pressure_io_ratio 0.5, usually 0.01'],
    ['odd in rack', '25 %'],
    ['odd VMs', ''],
  ]);
});

test('a usual host shows how far from odd it is', t => {
  const anomaly = create(AnomalySchema, {score: 2, threshold: 4, rackOddRatio: 0, oddVmsRatio: 0});
  t.deepEqual(anomalyFacts(anomaly), [
    ['anomaly', 'usual: score 2.0, odd from 4.0 on'],
    ['odd in rack', '0 %'],
    ['odd VMs', '0 %'],
  ]);
});
