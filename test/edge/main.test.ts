import {readdirSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {systemClock} from '../../core/adapters/clock-system.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {HOST_METRICS} from '../../core/domain/metric-sets.ts';
import {encodeFrame, START} from '../../edge/frame.ts';
import {createGrpcLinks} from '../../edge/link-grpc.ts';
import {type EdgeOptions, printSamples} from '../../edge/main.ts';
import {codec} from '../../proto/codec.ts';
import {temporaryFolder} from '../support/process.ts';
import {startEdge as startHost} from './edge-support.ts';
import {hostFixture} from './host-fixture.ts';
import {manualClock} from './manual-clock.ts';
import {recordsOf, shownOnce, startCore} from './real-core.ts';

const tree = {
  'proc/stat': 'cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 100 0 100 700 100 0 0 0 0 0\n',
  'proc/meminfo': 'MemTotal: 8 kB\nMemAvailable: 6 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n',
  'sys/class/hwmon/hwmon0/temp1_input': '41500\n',
};

const startEdge = (t: ExecutionContext, options: Partial<EdgeOptions>) =>
  startHost(t, {root: hostFixture(t, tree).root, ...options});

test('an edge streams its host, serves its counters, and drains when it is told to stop', async t => {
  const core = await startCore(t);
  const edge = startEdge(t, {
    core: core.address,
    http: '127.0.0.1:0',
    actuatorListen: '127.0.0.1:0',
  });
  const [, url] = await edge.said(/(http:.*\/)metrics/);
  const live = await fetch(`${url}livez`);
  t.is(await live.text(), 'ok\n');
  let metrics = '';
  while (!/sent_batches_total [1-9]/.test(metrics)) {
    metrics = await (await fetch(`${url}metrics?from=test`)).text();
  }
  t.regex(metrics, /forestay_build_info\{version="0\.0\.1"\} 1/);
  t.regex(metrics, /forestay_edge_sensor_failures_total\{sensor="cpu"\} 0/);
  t.is((await fetch(`${url}what`)).status, 404);
  await edge.stop();

  const records = await recordsOf(core.log, 'default');
  const [first] = records;
  t.true(records.length > 0);
  t.like(first?.kind === 'batch' ? first.batch : {}, {edge: 'h01', timeBase: 'live', seq: 1});
  const host = first?.kind === 'batch' ? first.batch.inventory?.hosts[0] : undefined;
  t.like(host, {host: 'h01', rack: 'r1', cpuCores: 1, memoryBytes: 8192, observeOnly: true});
  t.regex(host?.actuatorAddress ?? '', /^127\.0\.0\.1:\d+$/);
  t.is(new Set(shownOnce(records)).size, records.length);
});

test('an edge whose core is away keeps its batches on disk and stops all the same', async t => {
  const edge = startEdge(t, {});
  await edge.said(/SERVER_UNREACHABLE/);
  void edge.stop();
  await edge.said(/draining/);
  t.deepEqual(readdirSync(edge.spool).sort(), ['ledger', 'reject', 'segments']);
  await edge.running;
});

test('nobody else may reach an edge unless that is typed', async t => {
  for (const option of ['http', 'actuatorListen'] as const) {
    const {running} = startEdge(t, {[option]: '0.0.0.0:0'});
    await t.throwsAsync(running, {code: 'BIND_REFUSED', message: /--insecure/});
  }
  const {running} = startEdge(t, {http: 'nowhere'});
  await t.throwsAsync(running, {code: 'CONFIG_INVALID', message: /HOST:PORT/});
});

test('a port in use is an error that says what to do', async t => {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const {port} = server.address() as {port: number};
  const {running} = startEdge(t, {http: `127.0.0.1:${port}`});
  await t.throwsAsync(running, {code: 'PORT_IN_USE', message: /choose another port/});
});

async function printed(t: ExecutionContext, format: 'table' | 'ndjson', count: number) {
  const clock = manualClock(Date.UTC(2026, 0, 2, 3, 4, 5));
  const lines: string[] = [];
  const {root, change} = hostFixture(t, tree);
  const options = {
    host: 'h01',
    root,
    intervalMs: 1000,
    clock,
    files: nodeFiles,
    random: {next: () => 0.5},
    note: (line: string) => t.fail(line),
  };
  const write = (line: string): void => {
    lines.push(line);
  };
  const done = printSamples(options, format, count, write, new AbortController().signal);
  change({'proc/stat': 'cpu  150 0 100 750 100 0 0 0 0 0\n'});
  for (let second = 0; second < count + 1; second++) await clock.advance(1000);
  await done;
  return lines;
}

test('live samples are a table with titles every twenty rows', async t => {
  const lines = await printed(t, 'table', 22);
  t.is(lines.length, 24);
  t.regex(lines[0] ?? '', /^TIME +ENTITY +CPU +STEAL/);
  t.regex(lines[1] ?? '', /^03:04:06 hosts\/h01 +50\.0% +0\.0% +25\.0% .* 41\.5 +- +- +-$/);
  t.is(lines[21], lines[0]);
});

test('live samples are JSON lines in which what is missing is null', async t => {
  const lines = await printed(t, 'ndjson', 2);
  t.is(lines.length, 2);
  const sample = JSON.parse(lines[0] ?? '');
  t.deepEqual(Object.keys(sample), ['time', 'entity', ...HOST_METRICS.columns]);
  t.like(sample, {
    time: '2026-01-02T03:04:06.000Z',
    entity: 'hosts/h01',
    cpu_utilisation_ratio: 0.5,
    disk_busy_ratio: null,
  });
});

test('an edge whose core is away streams to the next one it was given', async t => {
  const core = await startCore(t);
  const edge = startEdge(t, {core: `127.0.0.1:1,${core.address}`});
  while ((await recordsOf(core.log, 'default')).length === 0) await systemClock.sleep(5);
  await edge.stop();
  t.is(shownOnce(await recordsOf(core.log, 'default'))[0]?.split('/')[1], '1');
});

test('an edge whose name a collector of a newer life has says so, and keeps what it has', async t => {
  const core = await startCore(t);
  const other = createGrpcLinks(core.address);
  t.teardown(() => other.close());
  const incarnation = 0xffff_ffff;
  const acked = new Promise<void>(resolve => {
    const events = {refused() {}, throttled() {}, writable() {}, closed() {}};
    const hello = {edge: 'h01', cell: 'default', incarnation};
    const link = other.dial(hello, {...events, acked: () => resolve()});
    link.send(
      codec.encodeTelemetry({
        kind: 'batch',
        batch: {...hello, seq: 1, timeBase: 'live', blocks: []},
      }),
    );
  });
  await acked;
  const edge = startEdge(t, {core: core.address, http: '127.0.0.1:0'});
  const [, url] = await edge.said(/(http:.*\/)metrics/);
  await edge.said(/uplink: \[EDGE_MISMATCH\] .*the log has batches of its life 4294967295/);
  const metrics = await (await fetch(`${url}metrics`)).text();
  t.regex(metrics, /spool_bytes [1-9]/);
  await edge.stop();
  t.deepEqual(shownOnce(await recordsOf(core.log, 'default')), ['4294967295/1']);
});

test('an edge whose table of effects is damaged lets nobody act, says so, and goes on watching', async t => {
  const core = await startCore(t);
  const spool = temporaryFolder(t);
  // As an agent of before wrote it, that was told an epoch which no number can hold.
  const row = Buffer.from('{"kind":"epoch","partition":3,"epoch":1152921504606846976}');
  writeFileSync(join(spool, 'effects'), Buffer.concat(encodeFrame(START, row)));
  const edge = startEdge(t, {core: core.address, spool, actuatorListen: '127.0.0.1:0'});
  await edge.said(/ACTUATOR OFF, nobody can act on h01.*\[LOG_CORRUPT\].*effects is damaged/);
  while ((await recordsOf(core.log, 'default')).length === 0) await systemClock.sleep(5);
  await edge.stop();
  const [first] = await recordsOf(core.log, 'default');
  t.is(first?.kind === 'batch' && first.batch.inventory?.hosts[0]?.actuatorAddress, '');
});
