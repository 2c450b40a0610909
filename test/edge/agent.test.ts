import {createServer, type Socket} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {HOST_METRICS, metricSet} from '../../core/domain/metric-sets.ts';
import type {AgentOptions} from '../../edge/agent.ts';
import {createGrpcLinks} from '../../edge/link-grpc.ts';
import type {FleetSensor, Sensor} from '../../edge/sensor.ts';
import {codec} from '../../proto/codec.ts';
import {makeAgent} from './edge-support.ts';
import {recordsOf, shownOnce, startCore} from './real-core.ts';
import {batches} from './spool-support.ts';

const cell = 'cell-a';

/** Values that depend on the time alone. */
const host: Sensor = {
  name: 'host',
  columns: ['cpu_utilisation_ratio', 'temperature_celsius'],
  read(nowMs, row) {
    row.set('cpu_utilisation_ratio', (nowMs % 10_000) / 10_000);
    row.set('temperature_celsius', nowMs % 3000 === 0 ? Number.POSITIVE_INFINITY : 50, 'board/CPU');
  },
};

const vms: FleetSensor = {
  name: 'vms',
  columns: ['cpu_used_ratio'],
  read(_nowMs, row) {
    for (const vm of ['v1', 'v2']) row(`vms/${vm}`).set('cpu_used_ratio', 0.5);
  },
};

function startAgent(t: ExecutionContext, core: string, options: Partial<AgentOptions> = {}) {
  const links = createGrpcLinks(core, 'test');
  const {dial} = links;
  const own = {cell, sensors: [host], fleets: [vms], inventory: () => inventory, dial};
  const started = makeAgent(t, {...own, ...options});
  const stop = (): Promise<void> => started.stop().then(() => links.close());
  t.teardown(stop);
  return {...started, stop};
}

const inventory = {
  hosts: [
    {
      host: 'h01',
      rack: 'r1',
      cpuCores: 8,
      memoryBytes: 2 ** 34,
      actuatorAddress: '',
      capabilities: [],
      migrationBytesPerSecond: 0,
      vms: [],
      bootId: 'b',
      observeOnly: true,
      hardware: '',
    },
  ],
};

test('samples at times that the caller gives arrive in the log, and drained says when', async t => {
  const core = await startCore(t);
  const {agent} = startAgent(t, core.address);
  for (let second = 1; second <= 5; second++) await agent.sampleOnce(second * 1000);
  await agent.drained();
  const records = await recordsOf(core.log, cell);
  t.deepEqual(shownOnce(records), batches(1, 1, 5));
  const batch = records[2]?.kind === 'batch' ? records[2].batch : undefined;
  t.like(batch, {edge: 'h01', cell, timeBase: 'simulated', seq: 3});
  const [hosts, machines] = batch?.blocks ?? [];
  t.is(hosts?.values[HOST_METRICS.columns.indexOf('cpu_utilisation_ratio')], Math.fround(0.3));
  t.is(hosts?.values[HOST_METRICS.columns.indexOf('temperature_celsius')], Number.NaN);
  t.deepEqual(machines?.entities, ['vms/v1', 'vms/v2']);
  t.deepEqual([...(machines?.observedAtMs ?? [])], [3000, 3000]);
  t.is(agent.counters.infinities, 1);
  t.deepEqual(
    records.map(record => record.kind === 'batch' && record.batch.inventory !== undefined),
    [true, false, false, false, false],
  );
});

test('the bytes that are sent depend on sample times alone', async t => {
  const sent: string[][] = [];
  for (const flushMs of [0, 2000]) {
    for (const pauseMs of [0, 5]) {
      const core = await startCore(t);
      const {agent} = startAgent(t, core.address, {flushMs});
      for (let second = 1; second <= 6; second++) {
        await agent.sampleOnce(second * 1000);
        await systemClock.sleep(pauseMs);
      }
      await agent.drained();
      const records = await recordsOf(core.log, cell);
      sent.push(records.map(record => Buffer.from(codec.encodeTelemetry(record)).toString('hex')));
    }
  }
  t.is(sent[0]?.length, 6);
  t.deepEqual(sent[0], sent[1]);
  t.is(sent[2]?.length, 2);
  t.deepEqual(sent[2], sent[3]);
});

test('what was sampled while the core was away arrives when it is back', async t => {
  const first = await startCore(t);
  const {agent, notes} = startAgent(t, first.address);
  await agent.sampleOnce(1000);
  await agent.drained();
  await first.close();
  for (let second = 2; second <= 20; second++) await agent.sampleOnce(second * 1000);
  const second = await startCore(t, {log: first.log, listen: first.address});
  await agent.drained();
  t.deepEqual(shownOnce(await recordsOf(second.log, cell)), batches(1, 1, 20));
  t.true(agent.counters.uplink.dials > 1);
  t.regex(notes.join('\n'), /\[SERVER_UNREACHABLE\] no stream to the core at 127\.0\.0\.1/);
});

test('an edge that is restarted while the core is away sends its older life first', async t => {
  const core = await startCore(t);
  await core.close();
  const first = startAgent(t, core.address, {drainMs: 1});
  for (let second = 1; second <= 3; second++) await first.agent.sampleOnce(second * 1000);
  await first.stop();

  const back = await startCore(t, {log: core.log, listen: core.address});
  const {agent} = startAgent(t, core.address, {files: first.files});
  for (let second = 4; second <= 5; second++) await agent.sampleOnce(second * 1000);
  await agent.drained();
  t.deepEqual(shownOnce(await recordsOf(back.log, cell)), [...batches(1, 1, 3), '2/1', '2/2']);
});

test('batches of an unknown metric set are refused, set aside and replaced by gaps', async t => {
  const core = await startCore(t);
  const unknown = metricSet('mine.v1', 'host', ['a']);
  const {agent, files, notes} = startAgent(t, core.address, {
    hostMetrics: unknown,
    sensors: [{name: 'a', columns: ['a'], read: (nowMs, row) => row.set('a', nowMs)}],
    fleets: [],
  });
  for (let second = 1; second <= 4; second++) await agent.sampleOnce(second * 1000);
  await agent.drained();
  t.deepEqual(
    shownOnce(await recordsOf(core.log, cell)),
    [1, 2, 3, 4].map(seq => `gap 1/${seq}-${seq} METRIC_SET_UNKNOWN`),
  );
  t.is(files.list('/spool/reject').length, 4);
  t.is(agent.counters.spool.rejectedBatches, 4);
  t.is(notes.length, 1, 'one line, not one a batch');
});

test('an agent on a real clock samples until it is stopped, and stops drained', async t => {
  const core = await startCore(t);
  const {agent, stop} = startAgent(t, core.address, {timeBase: 'live', intervalMs: 10});
  agent.start();
  while (agent.counters.samples < 5) await systemClock.sleep(5);
  await stop();
  const {samples, uplink, spool} = agent.counters;
  const records = await recordsOf(core.log, cell);
  t.deepEqual(shownOnce(records), batches(1, 1, samples));
  t.is(uplink.connected, false);
  t.is(spool.appendedBatches, samples);
});

test('another protocol at the address of the core is an error that says where', async t => {
  const server = createServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const {port} = server.address() as {port: number};
  const {agent, notes} = startAgent(t, `127.0.0.1:${port}`, {drainMs: 1});
  await agent.sampleOnce(1000);
  while (notes.length === 0) await systemClock.sleep(5);
  t.regex(notes[0] ?? '', new RegExp(`SERVER_UNREACHABLE.*127\\.0\\.0\\.1:${port}`));
});

test('a core that takes the connection and says nothing is given up', async t => {
  const sockets: Socket[] = [];
  const server = createServer(socket => sockets.push(socket));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as {port: number};
  const links = createGrpcLinks(`127.0.0.1:${port}`, 'test', 50);
  t.teardown(() => {
    links.close();
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const {agent, notes} = startAgent(t, `127.0.0.1:${port}`, {dial: links.dial, drainMs: 1});
  await agent.sampleOnce(1000);
  while (notes.length === 0) await systemClock.sleep(5);
  t.regex(notes[0] ?? '', /no stream to the core at .*: no answer within 0\.05 s/);
});

test('a core that falls behind is given time, and then gets everything', async t => {
  let lagMs = 60_000;
  const core = await startCore(t, {lagMs: () => lagMs});
  const {agent} = startAgent(t, core.address, {uplinkLimits: {throttleMsMax: 50}});
  await agent.sampleOnce(1000);
  while (agent.counters.uplink.throttles === 0) await systemClock.sleep(5);
  lagMs = 0;
  for (let second = 2; second <= 5; second++) await agent.sampleOnce(second * 1000);
  await agent.drained();
  t.deepEqual(shownOnce(await recordsOf(core.log, cell)), batches(1, 1, 5));
});
