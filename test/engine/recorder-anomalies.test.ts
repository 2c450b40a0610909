import test from 'ava';
import type {HostAnomaly} from '../../core/domain/anomaly/fleet-watch.ts';
import {codec} from '../../proto/codec.ts';
import {all, recording, START_MS, scores} from './recorder-fixture.ts';

const usual: HostAnomaly = {
  host: 'h01',
  atMs: START_MS,
  score: 2.5,
  threshold: 4,
  isOdd: false,
  metrics: [],
  learnedRows: 4000,
  neededRows: 1150,
  rackOddRatio: 0.5,
  oddVmsRatio: 0.25,
};

const found = (...anomalies: HostAnomaly[]) =>
  codec.encodeScores({
    kind: 'risk',
    timeMs: START_MS,
    epoch: 1,
    tickNumber: 1,
    modelHash: '',
    featureHash: 0,
    hosts: [],
    components: [],
    risks: new Float32Array(0),
    reasons: [],
    anomalies,
  });

test('each minute of a host that was judged is a row, also where risks are thinned out', async t => {
  const {append, recorder, store, end} = recording(t, {scoreEvery: 2});
  const metrics = [{metric: 'disk_latency_seconds', value: 0.2, usual: 0.004}];
  await append(
    'scores',
    found(usual, {...usual, host: 'h02', score: Number.NaN}),
    scores({epoch: 1, tickNumber: 1}),
    found({...usual, atMs: START_MS + 60_000, score: 7, isOdd: true, metrics}),
    scores({epoch: 1, tickNumber: 2}),
  );
  await recorder.drained();
  const rows = await all(store, 'anomalies');
  t.is(rows.length, 2, 'nothing is known of the host that is being learned');
  t.like(rows[0], {ts: START_MS, host: 'h01', score: 2.5, threshold: 4, odd: 0, metrics: ''});
  t.like(rows[1], {
    odd: 1,
    metrics: JSON.stringify(metrics),
    rack_odd_ratio: 0.5,
    odd_vms_ratio: 0.25,
  });
  // The first and not the second record of risks, as if there were no others.
  const risks = await all(store, 'risks');
  t.deepEqual([...new Set(risks.map(({ts}) => ts))], [START_MS + 1]);
  await end();
});
