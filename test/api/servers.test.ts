import {once} from 'node:events';
import {connect} from 'node:net';
import * as grpc from '@grpc/grpc-js';
import test from 'ava';
import {isForestayError} from '../../core/domain/errors.ts';
import {applyTick} from '../../core/engine/read-model-fold.ts';
import {publish} from '../../core/events.ts';
import {FleetService} from '../../proto/gen/forestay/v1/fleet_pb.ts';
import {Health, HealthCheckResponse_ServingStatus as Serving} from '../../proto/gen/health_pb.ts';
import {aHost, aTick} from './records.ts';
import {call, startApi} from './server.ts';

test('health flips with readiness, for the server and for each service', async t => {
  const {client, check} = await startApi(t);
  const health = client(Health);
  const states: Serving[] = [];
  const stream = health.watch({service: 'forestay.v1.FleetService'});
  t.teardown(() => stream.cancel());
  stream.on('error', () => undefined);
  const next = async (status: Serving) => {
    while (states.at(-1) !== status) {
      const [message] = await once(stream, 'data');
      states.push(message.status);
    }
  };
  await next(Serving.SERVING);
  check.ok = false;
  await next(Serving.NOT_SERVING);
  t.is((await call(health, health.check, {service: ''})).status, Serving.NOT_SERVING);
  check.ok = true;
  await next(Serving.SERVING);
  await t.throwsAsync(call(health, health.check, {service: 'nobody'}), {message: /NOT_FOUND/});
});

/** Asks the reflection service without any knowledge of its messages: list_services = 7. */
function listServices(address: string, path: string): Promise<string> {
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  return new Promise((resolve, reject) => {
    const raw = (bytes: Buffer) => bytes;
    const stream = client.makeBidiStreamRequest(path, raw, raw);
    stream.on('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
    stream.on('error', reject);
    stream.write(Buffer.from([0x3a, 0x01, 0x2a]));
    stream.end();
  }).finally(() => client.close()) as Promise<string>;
}

for (const version of ['v1', 'v1alpha']) {
  test(`reflection ${version} lists every service, health included`, async t => {
    const {api} = await startApi(t);
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    const answer = await listServices(api.grpcAddress, path);
    for (const name of ['Fleet', 'Decision', 'Control', 'Inspect']) {
      t.true(answer.includes(`forestay.v1.${name}Service`), name);
    }
    t.true(answer.includes('grpc.health.v1.Health'));
  });
}

test('an address that others reach is refused, for gRPC and for HTTP, unless it is insisted', async t => {
  for (const override of [{listen: '0.0.0.0:0'}, {http: '[::]:0'}]) {
    const error = await t.throwsAsync(startApi(t, override));
    t.true(isForestayError(error, 'BIND_REFUSED'));
    t.regex(error?.message ?? '', /nobody is authenticated; bind 127\.0\.0\.1, or add --insecure/);
  }
  const {api} = await startApi(t, {listen: '0.0.0.0:0', insecure: true});
  t.regex(api.grpcAddress, /^0\.0\.0\.0:\d+$/);
});

test('something that is no address is refused before anything is opened', async t => {
  const error = await t.throwsAsync(startApi(t, {listen: 'nowhere'}));
  t.true(isForestayError(error, 'CONFIG_INVALID'));
});

test('a port in use is said with what to do, and nothing is left open', async t => {
  const {api} = await startApi(t);
  for (const override of [{listen: api.grpcAddress}, {http: api.httpAddress}]) {
    const error = await t.throwsAsync(startApi(t, override));
    t.true(isForestayError(error, 'PORT_IN_USE'), String(error));
    t.regex(error?.message ?? '', /another program has the port; stop it, or choose another port/);
  }
});

test('an address of another machine cannot be bound', async t => {
  const error = await t.throwsAsync(startApi(t, {http: '192.0.2.1:0', insecure: true}));
  t.true(isForestayError(error, 'BIND_REFUSED'));
});

test('bytes of another protocol on the gRPC port end that connection and nothing else', async t => {
  const {api, client} = await startApi(t);
  const port = Number(api.grpcAddress.split(':')[1]);
  for (const bytes of ['GET / HTTP/1.1\r\nhost: x\r\n\r\n', '\x16\x03\x01\x02\x00', 'hello\n']) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(bytes);
    socket.resume();
    await once(socket, 'close');
  }
  const fleet = client(FleetService);
  t.is((await call(fleet, fleet.listHosts, {})).hosts.length, 0);
});

test('what breaks inside is INTERNAL and keeps its text to itself', async t => {
  const {client} = await startApi(t);
  const fleet = client(FleetService);
  const error = await t.throwsAsync(
    call(fleet, fleet.getHost, Buffer.from([0xff, 0xff]) as unknown as {name: string}),
  );
  t.true([grpc.status.INTERNAL, grpc.status.UNKNOWN].includes((error as grpc.ServiceError).code));
});

test('livez, readyz and version answer as probes expect', async t => {
  const {api, check} = await startApi(t, {versions: () => ({models: ['m1']})});
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://${api.httpAddress}${path}`, init);
    return {status: response.status, text: await response.text()};
  };
  t.deepEqual(await get('/livez'), {status: 200, text: 'ok\n'});
  t.deepEqual(await get('/readyz'), {status: 200, text: 'ready\n'});
  t.deepEqual(await get('/readyz?verbose'), {status: 200, text: '[+]models ok\nready\n'});
  Object.assign(check, {ok: false, message: 'golden vectors running'});
  t.deepEqual(await get('/readyz'), {
    status: 503,
    text: '[-]models failed: golden vectors running\nnot ready\n',
  });
  t.is((await get('/livez')).status, 200);
  t.deepEqual(JSON.parse((await get('/version')).text), {
    version: '0.0.0-test',
    commit: 'abc',
    models: ['m1'],
  });
  t.is((await get('/nothing')).status, 404);
  t.is((await get('/livez', {method: 'POST'})).status, 405);
  t.deepEqual(await get('/livez', {method: 'HEAD'}), {status: 200, text: ''});
});

test('metrics count what the engine publishes and look at the fleet', async t => {
  const {api, model} = await startApi(t);
  applyTick(
    model,
    1,
    aTick(1, {
      inventory: [aHost('h1'), aHost('h2')],
      control: {mode: 'observe', paused: false, policyVersion: 1},
    }),
  );
  const figures = {downtime_seconds: 0.08, duration_seconds: 41};
  publish('batch.accepted', {cell: 'default', samples: 25, bytes: 900});
  publish('batch.refused', {code: 'BATCH_MALFORMED'});
  publish('batch.repeated', {cell: 'default'});
  publish('batch.gapped', {cell: 'default'});
  publish('samples.late', {count: 3});
  publish('samples.future', {count: 1});
  publish('samples.infinite', {count: 2});
  publish('samples.unknown-set', {count: 4});
  publish('tick.completed', {partition: 1, timeMs: 1, durationMs: 4, lagMs: 20});
  publish('scores.applied', {model: 'm1', rows: 64, durationMs: 7});
  publish('scores.failed', {model: 'm1', code: 'SCORER_FAILED'});
  publish('transition.made', {
    cell: 'default',
    kind: 'vm',
    from: 'at-risk.deciding',
    to: 'migrating.queued',
  });
  publish('decision.made', {action: 'migrate', outcome: 'blocked', blockedBy: 'budget'});
  publish('decision.made', {action: 'none', outcome: 'no-action', blockedBy: ''});
  publish('effect.issued', {kind: 'start-migration'});
  publish('effect.finished', {kind: 'start-migration', vm: 'v1', status: 'done', figures});
  publish('effect.finished', {kind: 'fence-host', vm: '', status: 'failed', figures: {}});
  publish('actor.quarantined', {kind: 'host', code: 'ACTOR_QUARANTINED'});
  publish('record.quarantined', {
    topic: 'inbox',
    partition: 1,
    offset: 5,
    code: 'RECORD_MALFORMED',
  });
  publish('checkpoint.written', {partition: 1, bytes: 10, durationMs: 1});
  publish('store.written', {rows: 12, durationMs: 1});
  publish('store.write-failed', {code: 'STORE_WRITE_FAILED'});
  publish('epoch.superseded', {partition: 1, epoch: 2});
  const response = await fetch(`http://${api.httpAddress}/metrics`);
  t.regex(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const lines = new Set((await response.text()).split('\n'));
  for (const line of [
    'forestay_build_info{version="0.0.0-test",commit="abc"} 1',
    'forestay_ready 1',
    'forestay_actors{kind="host",state="normal"} 2',
    'forestay_partitions{mode="observe",paused="false"} 1',
    'forestay_samples_ingested_total{cell="default"} 25',
    'forestay_batches_refused_total{code="BATCH_MALFORMED"} 1',
    'forestay_batches_repeated_total{cell="default"} 1',
    'forestay_batches_gapped_total{cell="default"} 1',
    'forestay_samples_dropped_total{reason="late"} 3',
    'forestay_samples_dropped_total{reason="unknown-set"} 4',
    'forestay_samples_mended_total{reason="infinite"} 2',
    'forestay_ingest_lag_seconds_sum 0.02',
    'forestay_prediction_duration_seconds_sum{stage="score"} 0.007',
    'forestay_prediction_batch_size_sum 64',
    'forestay_predictions_total{model="m1",outcome="ok"} 64',
    'forestay_predictions_total{model="m1",outcome="SCORER_FAILED"} 1',
    'forestay_transitions_total{kind="vm",from="at-risk",to="migrating"} 1',
    'forestay_decisions_total{action="none",outcome="no-action"} 1',
    'forestay_actions_suppressed_total{reason="budget"} 1',
    'forestay_actions_total{action="start-migration",result="issued"} 1',
    'forestay_actions_total{action="fence-host",result="failed"} 1',
    'forestay_migration_duration_seconds_sum 41',
    'forestay_migration_downtime_seconds_sum 0.08',
    'forestay_actors_quarantined_total{kind="host",code="ACTOR_QUARANTINED"} 1',
    'forestay_records_quarantined_total{topic="inbox",code="RECORD_MALFORMED"} 1',
    'forestay_checkpoints_total 1',
    'forestay_store_rows_written_total 12',
    'forestay_store_write_errors_total{code="STORE_WRITE_FAILED"} 1',
    'forestay_epochs_superseded_total 1',
  ]) {
    t.true(lines.has(line), line);
  }
});

test('metrics come as OpenMetrics when that is asked for', async t => {
  const {api} = await startApi(t);
  const url = `http://${api.httpAddress}/metrics`;
  const accept = 'application/openmetrics-text';
  const [open, plain] = await Promise.all([fetch(url, {headers: {accept}}), fetch(url)]);
  t.regex(open.headers.get('content-type') ?? '', /^application\/openmetrics-text/);
  t.true((await open.text()).endsWith('# EOF\n'));
  t.regex(plain.headers.get('content-type') ?? '', /^text\/plain/);
  t.false((await plain.text()).includes('# EOF'));
});
