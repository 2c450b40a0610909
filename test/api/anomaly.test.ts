import test from 'ava';
import type {HostAnomaly} from '../../core/domain/anomaly/fleet-watch.ts';
import {applyScores, applyTick} from '../../core/engine/read-model-fold.ts';
import {FleetService} from '../../proto/gen/forestay/v1/fleet_pb.ts';
import {aHost, aScore, aTick, START_MS} from './records.ts';
import {call, startApi} from './server.ts';

const learning: HostAnomaly = {
  host: 'h1',
  atMs: START_MS,
  score: Number.NaN,
  threshold: Number.NaN,
  isOdd: false,
  metrics: [],
  learnedRows: 12,
  neededRows: 1150,
  rackOddRatio: Number.NaN,
  oddVmsRatio: Number.NaN,
};
const odd: HostAnomaly = {
  ...learning,
  host: 'h2',
  atMs: START_MS + 60_000,
  score: 7.5,
  threshold: 4,
  isOdd: true,
  metrics: [{metric: 'disk_latency_seconds', value: 0.2, usual: 0.004}],
  learnedRows: 4000,
  rackOddRatio: 0.25,
  oddVmsRatio: 0,
};

/** A record that has anomalies only, as the owner of a partition writes it. */
const found = (...anomalies: HostAnomaly[]) => ({...aScore(START_MS, [], []), anomalies});

test('a host is shown with how odd it is, what shows it, and what is not known left out', async t => {
  const {model, client} = await startApi(t);
  const fleet = client(FleetService);
  applyTick(model, 7, aTick(1, {inventory: [aHost('h1'), aHost('h2'), aHost('h3')]}));
  applyScores(model, 7, found(learning, odd));
  const anomalyOf = async (name: string) =>
    (await call(fleet, fleet.getHost, {name})).host?.anomaly;
  t.like(await anomalyOf('hosts/h2'), {
    score: 7.5,
    threshold: 4,
    odd: true,
    rackOddRatio: 0.25,
    oddVmsRatio: 0,
    learnedRows: 4000,
  });
  t.like((await anomalyOf('hosts/h2'))?.metrics[0], {
    metric: 'disk_latency_seconds',
    value: 0.2,
    usual: 0.004,
    unit: 'seconds',
  });
  t.like(await anomalyOf('hosts/h1'), {
    score: undefined,
    threshold: undefined,
    odd: false,
    rackOddRatio: undefined,
    learnedRows: 12,
    neededRows: 1150,
  });
  t.is(await anomalyOf('hosts/h3'), undefined, 'nobody watches it');
  const {hosts} = await call(fleet, fleet.listHosts, {filter: 'odd = true'});
  t.deepEqual(
    hosts.map(({name}) => name),
    ['hosts/h2'],
  );
});

test('an older minute does not replace a newer one, and risk stays as it was', async t => {
  const {model} = await startApi(t);
  applyScores(model, 7, aScore(START_MS, ['h2'], [0.5, 0]));
  applyScores(model, 7, found(odd));
  applyScores(model, 7, found({...odd, atMs: START_MS, isOdd: false}));
  const row = model.hosts.get('hosts/h2');
  t.true(row?.anomaly?.isOdd);
  t.is(row?.risk, 0.5);
  t.is(row?.scoredAtMs, START_MS);
});

test('who watches is woken when a host becomes odd or usual, not each minute', async t => {
  const {model} = await startApi(t);
  applyScores(model, 7, found(learning));
  const woken: string[] = [];
  model.watchers.add(name => woken.push(name));
  const minutes = [false, true, true, true, false, false];
  for (const [minute, isOdd] of minutes.entries()) {
    applyScores(model, 7, found({...odd, atMs: START_MS + minute * 60_000, isOdd}));
  }
  t.deepEqual(woken, ['hosts/h2', 'hosts/h2']);
});

test('metrics count hosts by what is said of them, under three labels', async t => {
  const {model, api} = await startApi(t);
  applyScores(model, 7, found(learning, odd, {...odd, host: 'h4', isOdd: false}));
  const text = await (await fetch(`http://${api.httpAddress}/metrics`)).text();
  for (const state of ['odd', 'usual', 'learning']) {
    t.true(text.includes(`forestay_anomaly_hosts{state="${state}"} 1`), state);
  }
});
