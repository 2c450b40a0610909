import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import type {AddressInfo} from 'node:net';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as grpc from '@grpc/grpc-js';
import test, {type ExecutionContext} from 'ava';
import {applyScores, applyTick} from '../../core/engine/read-model-fold.ts';
import {aDecision, aHost, aMove, anEffect, aScore, aTick, aVm, aWorkload} from '../api/records.ts';
import {startApi} from '../api/server.ts';
import {forestay, start} from './run.ts';

/** Speaks gRPC, and none of our services. */
async function foreignServer(t: ExecutionContext): Promise<string> {
  const server = new grpc.Server();
  t.teardown(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return `127.0.0.1:${port}`;
}

/** A core over a small fleet; `run` asks it. */
async function startFleet(t: ExecutionContext) {
  const started = await startApi(t, {
    cells: () => [
      {cell: 'default', ingestedSamples: 9, storedSamples: 8, scoredRows: 7, transitions: 1},
    ],
  });
  const {model, api} = started;
  const vms = [aVm('v1'), aVm('v2', {pinnedReason: 'gpu passthrough'})];
  const transitions = [
    aMove('hosts/h2', 1, 'normal', 'at-risk.watching', {cordoned: true, deadlineMs: Date.now()}),
  ];
  const reason = {feature: 'corrected_errors', value: 412, usual: 0, contribution: 2.1};
  const missing = {feature: 'latency.trend', value: Number.NaN, usual: 0, contribution: -0.1};
  applyTick(
    model,
    0,
    aTick(1, {
      timeMs: Date.now(),
      inventory: [aHost('h1', vms), {...aHost('h2'), hardware: 'Acme R1'}],
      workloads: [aWorkload('v1')],
      transitions,
      timers: [{actor: 'hosts/h2', dueMs: Date.now() + 1000}],
      effects: [anEffect(1, {host: 'h2'})],
      decisions: [
        aDecision(1, {entity: 'hosts/h2'}),
        aDecision(2, {
          entity: 'hosts/h2',
          action: 'migrate',
          targetHost: 'h1',
          blockedBy: 'budget',
        }),
      ],
      control: {mode: 'advise', paused: true, policyVersion: 1},
    }),
  );
  applyScores(
    model,
    0,
    aScore(Date.now(), ['h2'], [0.1, 0.4], {
      reasons: [
        {
          row: 0,
          component: 'memory',
          reasons: [reason, missing],
          counterfactual: {changes: [{metric: 'disk_latency_seconds', value: 0.002}], risk: 0.08},
          decisions: [],
        },
      ],
    }),
  );
  const run = (...args: string[]) => forestay([...args, '--server', api.grpcAddress]);
  return {...started, run};
}

test('lists print a table, wide adds columns, name only names', async t => {
  const {run} = await startFleet(t);
  const table = await run('hosts', 'list');
  t.is(table.code, 0);
  t.is(table.stderr, '');
  const [titles, h1, h2] = table.stdout.split('\n').map(line => line.split(/ {2,}/));
  t.is(titles?.join(), 'HOST,STATE,RISK,WORST,OUTLOOK,VMS,MOVABLE,FLAGS,SCORED');
  t.deepEqual(h1, ['h1', 'normal', 'unscored', '-', '-', '2', '1/2', '-', '-']);
  t.deepEqual(h2?.slice(0, 3), ['h2', 'at-risk', '0.46']);
  t.regex((await run('vms', 'list', '-o', 'wide')).stdout, /^VM +STATE .*CRITICALITY +TENANT/);
  t.is((await run('vms', 'list', '-o', 'name')).stdout, 'vms/v1\nvms/v2\n');
});

test('JSON of a list is one object, of ndjson one a line, of a filter only what matches', async t => {
  const {run} = await startFleet(t);
  const {hosts} = JSON.parse((await run('hosts', 'list', '-o', 'json')).stdout);
  t.like(hosts[1], {name: 'hosts/h2', state: 'at-risk', substate: 'watching', cordoned: true});
  t.regex(hosts[1].updateTime, /^\d{4}-\d\d-\d\dT.*Z$/);
  t.deepEqual(hosts[0].vms, ['vms/v1', 'vms/v2']);
  t.false('risk' in hosts[0]);
  const lines = (await run('vms', 'list', '-o', 'ndjson', '--limit', '1')).stdout.split('\n');
  t.deepEqual(lines.slice(1), ['']);
  t.is(JSON.parse(lines[0] ?? '').name, 'vms/v1');
  const filtered = await run('hosts', 'list', '--filter', 'risk > 0.2', '-o', 'name');
  t.is(filtered.stdout, 'hosts/h2\n');
  t.regex((await run('hosts', 'get', 'h1', '-o', 'yaml')).stdout, /^name: hosts\/h1$/m);
});

test('who plans repairs finds the host to repair first, and which part of it', async t => {
  const {run, model} = await startFleet(t);
  applyTick(model, 0, aTick(2, {inventory: ['h3', 'h4'].map(name => aHost(name))}));
  const outlook = aScore(Date.now(), ['h2', 'h3'], [0.05, 0.06, 0.4, 0.4, 0.09, 0.7, 0.02, 0.02], {
    kind: 'outlook',
    components: ['cpu-24h', 'cpu-7d', 'memory-24h', 'memory-7d'],
  });
  applyScores(model, 0, outlook);
  const list = (...options: string[]) => run('hosts', 'list', '--sort', 'outlook', ...options);
  const names = (await list('-o', 'name')).stdout;
  t.is(names, ['h3', 'h2', 'h1', 'h4', ''].map(name => name && `hosts/${name}`).join('\n'));
  t.regex((await list('--limit', '1')).stdout, /\nh3 +normal .* cpu-7d 0\.70 /);
  const {hosts} = JSON.parse((await list('-o', 'json')).stdout);
  t.like(hosts[0].outlook[1], {component: 'cpu-7d'});
  t.is(
    (await run('hosts', 'list', '--sort', 'risk', '-o', 'name')).stdout.split('\n')[0],
    'hosts/h2',
  );
  const likely = await run('hosts', 'list', '--filter', 'outlook >= 0.5', '-o', 'name');
  t.is(likely.stdout, 'hosts/h3\n');
  const described = await run('hosts', 'describe', 'h3');
  t.regex(described.stdout, /outlook +cpu 9\.0 % in 24h, 70 % in 7d\n +memory 2\.0 % in 24h/);
  t.notRegex((await run('hosts', 'describe', 'h1')).stdout, /outlook/);
  const wrong = await run('hosts', 'list', '--sort', 'rack');
  t.is(wrong.code, 2);
  t.regex(wrong.stderr, /Allowed choices are name, risk, outlook/);
});

test('one thing is shown by short or whole name', async t => {
  const {run} = await startFleet(t);
  const short = await run('vms', 'get', 'v2', '-o', 'json');
  const whole = await run('vms', 'get', 'vms/v2', '-o', 'json');
  const now = /"asOfTime": .*/;
  t.is(short.stdout.replace(now, ''), whole.stdout.replace(now, ''));
  t.like(JSON.parse(short.stdout), {host: 'hosts/h1', pinnedReason: 'gpu passthrough'});
});

test('describe and explain give facts, reasons and decisions to people and as JSON', async t => {
  const {run} = await startFleet(t);
  const {stdout} = await run('hosts', 'describe', 'h2');
  for (const pattern of [
    /^hosts\/h2$/m,
    /state +at-risk \(watching\) for /,
    /flags +cordoned/,
    /hardware +Acme R1/,
    /risk 0\.46, scored \d+s ago/,
    /\+2\.10 {2}memory corrected_errors 412 {2}usual 0/,
    /-0\.10 {2}memory latency\.trend not measured {2}usual 0/,
    /^it would be 0\.08, below the threshold, if disk_latency_seconds were 0\.002 seconds$/m,
    /migrate to hosts\/h1 \(would-act but for budget\): risk 0\.40 is above 0\.10/,
  ]) {
    t.regex(stdout, pattern);
  }
  const pinned = await run('vms', 'describe', 'v2');
  t.regex(pinned.stdout, /^vms\/v2\n +state +normal\n +host +hosts\/h1\n/);
  t.regex(pinned.stdout, /movable +gpu passthrough/);
  const json = JSON.parse((await run('vms', 'describe', 'v1', '-o', 'json')).stdout);
  t.is(json.vm.name, 'vms/v1');
  t.is(json.explanation.host, 'hosts/h1');
  t.regex((await run('explain', 'hosts/h2')).stdout, /^hosts\/h2 is at-risk\nrisk 0\.46/);
  t.regex((await run('explain', 'vms/v1')).stdout, /risk of its host hosts\/h1 unscored/);
});

test('describe says how a VM works, what it needs and what that makes of its criticality', async t => {
  const {run} = await startFleet(t);
  const {stdout} = await run('vms', 'describe', 'v1');
  for (const pattern of [
    /criticality +0\.40 = 0\.50 declared × 0\.80 learned \(batch: nobody waits for an answer\)/,
    /workload +batch: CPU varies by 90 % of its mean, full 40 % of the time, watched for 12\.0 h/,
    /needs +1\.0 cores, 1\.0 GiB, reads 3\.0 MiB\/s, writes 1\.0 MiB\/s$/m,
    /dirty rate +low: at least 1\.0 MiB\/s/,
  ]) {
    t.regex(stdout, pattern);
  }
  t.regex((await run('vms', 'describe', 'v2')).stdout, /criticality +0\.50\n +tenant/);
  const {vm} = JSON.parse((await run('vms', 'describe', 'v1', '-o', 'json')).stdout);
  t.like(vm.workload, {kind: 'batch', observed: '43200s', dirtyClass: 'low', cpuCores: 1});
  t.like(vm.workload, {criticalityFactor: 0.8, weighedCriticality: 0.4});
  t.false('receiveBytesPerSecond' in vm.workload, 'not measured');
});

test('decisions are listed newest first and shown by name', async t => {
  const {run} = await startFleet(t);
  const {decisions} = JSON.parse((await run('decisions', 'list', '-o', 'json')).stdout);
  t.deepEqual(
    decisions.map((decision: {name: string}) => decision.name),
    ['decisions/0/1/2/d0', 'decisions/0/1/1/d0'],
  );
  const one = await run('decisions', 'get', '0/1/1/d0');
  t.regex(one.stdout, /cordon +would-act +0\.40 +risk 0\.40 is above 0\.10/);
});

test('a watch streams JSON lines until it is interrupted, then ends with 130', async t => {
  const {api, model} = await startFleet(t);
  const watch = start(['hosts', 'watch', '-o', 'json', '--server', api.grpcAddress]);
  await watch.until('"initial","name":"hosts/h2"');
  applyTick(model, 0, aTick(2, {inventory: [aHost('h2', [aVm('v1')])]}));
  await watch.until('"changed","name":"hosts/h2"');
  watch.signal('SIGINT');
  const {code, stdout, stderr} = await watch.done;
  t.is(code, 130);
  t.is(stderr, '');
  for (const line of stdout.trimEnd().split('\n')) t.notThrows(() => JSON.parse(line));
});

test('a watch for people prints a line a change', async t => {
  const {api, model} = await startFleet(t);
  const watch = start(['vms', 'watch', '--filter', 'host = hosts/h1', '--server', api.grpcAddress]);
  await watch.until('v2');
  applyTick(model, 0, aTick(2, {inventory: [aHost('h2', [aVm('v1')])]}));
  await watch.until('removed');
  await api.close(1000);
  const {code, stdout} = await watch.done;
  t.is(code, 4);
  t.regex(stdout, /^TIME +CHANGE +VM +STATE +HOST .*\n.*initial {2}v1 +normal/);
  t.regex(stdout, /removed {2}vms\/v1/);
});

test('a reader that goes away ends a watch quietly', async t => {
  const {api, model} = await startFleet(t);
  const watch = start(['hosts', 'watch', '--server', api.grpcAddress]);
  await watch.until('h2');
  watch.closeStdout();
  applyTick(model, 0, aTick(2, {inventory: [aHost('h2', [aVm('v1')])]}));
  t.like(await watch.done, {code: 0, stderr: ''});
});

test('pause, resume, mode and declare reach the core with who asked', async t => {
  const {run, submitted} = await startFleet(t);
  const paused = await run('pause', '--comment', 'storm', '--author', 'ada', '--request-id', 'r1');
  t.is(paused.stdout, 'paused  (request r1)\n');
  await run('resume', '--author', 'ada');
  const mode = await run('mode', 'auto', '-o', 'json', '--request-id', 'r2');
  t.deepEqual(JSON.parse(mode.stdout), {requestId: 'r2'});
  await run('declare', 'h1', 'lost');
  t.like(submitted[0], {kind: 'pause', author: 'ada', comment: 'storm', requestId: 'r1'});
  t.is(submitted[1]?.kind, 'resume');
  t.like(submitted[2], {kind: 'set-mode', mode: 'auto'});
  t.like(submitted[3], {kind: 'declare-host', host: 'h1', state: 'lost'});
  const named = await run('declare', 'h1', 'returned', '--part', 'disk', '--request-id', 'r3');
  t.is(named.stdout, 'hosts/h1 is returned, its disk has failed  (request r3)\n');
  t.like(submitted[4], {host: 'h1', state: 'returned', part: 'disk'});
  const wrong = await run('declare', 'h1', 'lost', '--part', 'soul');
  t.regex(wrong.stderr, /soul.*cpu, memory, disk, network, power/s);
  const reused = await run('pause', '--request-id', 'r1');
  t.is(reused.code, 7);
  t.regex(reused.stderr, /^forestay: \[REQUEST_ID_REUSED\] request_id r1/);
});

test('mode without a mode shows how much it may do', async t => {
  const {run, submitted} = await startFleet(t);
  t.is((await run('mode')).stdout, '1 partition: advise, paused\n');
  const {modes} = JSON.parse((await run('mode', '-o', 'json')).stdout);
  t.deepEqual(modes, [{mode: 'advise', paused: true, partitions: 1}]);
  t.is(submitted.length, 0);
});

test('status tells checks, modes, actors and cells', async t => {
  const {run, check} = await startFleet(t);
  Object.assign(check, {ok: false, message: 'loading'});
  const {stdout} = await run('status');
  t.regex(
    stdout,
    /^forestay 0\.0\.0-test {2}not ready\n {2}- models loading\n1 partition: advise, paused/,
  );
  t.regex(stdout, /cell default {2}ingested 9 {2}stored 8 {2}scored 7 {2}transitions 1/);
  t.is(JSON.parse((await run('status', '-o', 'json')).stdout).cells[0].storedSamples, '8');
});

test('an actor is opened with context, timers, history and effects', async t => {
  const {run} = await startFleet(t);
  const {stdout} = await run('inspect', 'actor', 'hosts/h2');
  t.regex(stdout, /^hosts\/h2 {2}host v1 {2}at-risk\.watching\ncontext\n {2}id +h2/);
  t.regex(stdout, /1 {2}\d+s ago {2}risk\.raised {2}normal → at-risk\.watching/);
  t.regex(stdout, /cordon-host/);
  t.regex((await run('inspect', 'actor', 'vms/v1')).stdout, /it never moved/);
});

test('statecharts are exported without a core', async t => {
  t.regex((await forestay(['inspect', 'export', 'vm'])).stdout, /stateDiagram/);
  const {stdout} = await forestay(['inspect', 'export', 'host', '--format', 'json']);
  t.notThrows(() => JSON.parse(stdout));
});

test('version and help go to stdout', async t => {
  t.regex((await forestay(['version'])).stdout, /^forestay \d+\.\d+\.\d+ \(node 2\d/);
  t.regex((await forestay(['--version'])).stdout, /^\d+\.\d+\.\d+$/m);
  const help = await forestay(['--help']);
  t.is(help.code, 0);
  for (const name of ['demo', 'edge', 'core', 'hosts', 'train', 'replay']) {
    t.regex(help.stdout, new RegExp(`^ {2}${name}\\b`, 'm'));
  }
});

function folder(t: ExecutionContext, yaml: string): string {
  const path = mkdtempSync(join(tmpdir(), 'forestay-cli-'));
  t.teardown(() => rmSync(path, {recursive: true}));
  writeFileSync(join(path, 'forestay.yaml'), yaml);
  return path;
}

test('config check, show and schema', async t => {
  const cwd = folder(t, 'ticks: {tickMs: 500}\n');
  const check = await forestay(['config', 'check'], {cwd});
  t.like(check, {code: 0, stderr: ''});
  const env = {FORESTAY_POLICY__MODE: 'advise'};
  const show = await forestay(['config', 'show', '--origin'], {cwd, env});
  t.regex(show.stdout, /ticks\.tickMs +500 +forestay\.yaml:1:17/);
  t.regex(show.stdout, /policy\.mode +"advise" +environment FORESTAY_POLICY__MODE/);
  t.regex(show.stdout, /core\.listen +"127\.0\.0\.1:7443" +default/);
  const json = JSON.parse((await forestay(['config', 'show', '-o', 'json'], {cwd})).stdout);
  t.is(json.ticks.tickMs, 500);
  const schema = JSON.parse((await forestay(['config', 'schema'], {cwd})).stdout);
  t.is(schema.type, 'object');
});

test('no colour is written where nobody looks', async t => {
  const {run} = await startFleet(t);
  const {stdout} = await run('hosts', 'list');
  t.false(stdout.includes('\u001b'));
});

/** A server that takes connections and never says a word. */
async function silentServer(t: ExecutionContext): Promise<string> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('exit codes follow the table', async t => {
  const {api} = await startFleet(t);
  const at = ['--server', api.grpcAddress];
  const invalid = folder(t, 'tikcs: {}\n');
  const occupied = [
    'core',
    '--listen',
    api.grpcAddress,
    '--http',
    '127.0.0.1:0',
    '--log',
    'memory',
  ];
  const cases: [args: string[], code: number, says: RegExp, cwd?: string][] = [
    [['version'], 0, /^$/],
    [[], 2, /Usage: forestay/],
    [['hots'], 2, /unknown command 'hots'\n\(Did you mean hosts\?\)/],
    [['hosts', 'lst'], 2, /Did you mean list\?/],
    [['hosts', 'list', '--serve', 'x'], 2, /unknown option '--serve'\n\(Did you mean --server\?\)/],
    [['hosts', 'list', '--server', 'x'], 2, /Expected HOST:PORT/],
    [['hosts', 'list', '--limit', '0'], 2, /Expected a whole number of at least 1/],
    [['hosts', 'list', '--timeout', '0'], 2, /Expected seconds above 0/],
    [['hosts', 'list', '-o', 'xml'], 2, /Allowed choices are table/],
    [['hosts', 'list', '--filter', 'colour = red', ...at], 2, /unknown field colour/],
    [
      ['mode', 'wild', ...at],
      2,
      /'wild' is no mode\. Allowed choices are observe, advise, approve, auto/,
    ],
    [
      ['config', 'check'],
      3,
      /forestay\.yaml:1:1 {2}tikcs: unknown key; did you mean "ticks"\?/,
      invalid,
    ],
    [
      ['demo', '--hosts', '2', '--vms', '100000'],
      2,
      /100000 VMs do not fit on 2 hosts.*400 in all/,
    ],
    [['demo', '--hosts', '1'], 2, /expected at least 2: there are two cells/],
    [['core'], 3, /tikcs: unknown key/, invalid],
    [['core', '--log', 'papyrus'], 3, /flag --log {2}log\.kind: Invalid option/],
    [['hosts', 'list', '--server', '127.0.0.1:1'], 4, /start one with "forestay core"/],
    [['hosts', 'list', '--server', await foreignServer(t)], 4, /is no core, or a core of another/],
    [['hosts', 'get', 'h9', ...at], 5, /\[NOT_FOUND\] "hosts\/h9" is not known; did you mean/],
    [['core', '--listen', '0.0.0.0:0', '--log', 'memory', '--store', 'memory'], 6, /BIND_REFUSED/],
    [[...occupied, '--store', 'memory'], 7, /PORT_IN_USE.*another program has the port/],
    [
      ['hosts', 'list', '--timeout', '0.3', '--server', await silentServer(t)],
      8,
      /\[TIMED_OUT\] no answer from 127\.0\.0\.1:\d+ within 0\.3 s/,
    ],
  ];
  for (const [args, code, says, cwd] of cases) {
    const ran = await forestay(args, cwd ? {cwd} : {});
    t.is(ran.code, code, `${args.join(' ')}: ${ran.stderr}`);
    t.regex(ran.stderr, says, args.join(' '));
    if (code !== 0) t.is(ran.stdout, '');
  }
});
