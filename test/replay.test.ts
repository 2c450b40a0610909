import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {loadConfig} from '../core/config.ts';
import {startCore} from '../core/main.ts';
import {needService} from './services/need.ts';

const COLUMNS =
  'cpu_r,load_1,load_5,load_15,mem_shmem,mem_u,mem_u_e,total_mem,disk_q,disk_r,disk_rb,disk_svc,' +
  'disk_u,disk_w,disk_wa,disk_wb,si,so,eth1_fi,eth1_fo,eth1_pi,eth1_po,tcp_tw,tcp_use,' +
  'active_opens,curr_estab,in_errs,in_segs,listen_overflows,out_rsts,out_segs,passive_opens,' +
  'retransegs,tcp_timeouts,udp_in_dg,udp_out_dg,udp_rcv_buf_errs,udp_snd_buf_errs';
const MACHINES = 3;
const ROWS_A_FILE = 400;

/** A cut in the layout of the dataset: three machines, train and test, 38 columns. */
function smdFolder(t: ExecutionContext, group: number): string {
  const folder = temporary(t);
  const width = COLUMNS.split(',').length;
  for (let machine = 1; machine <= MACHINES; machine++) {
    for (const part of ['train', 'test']) {
      const lines = Array.from({length: ROWS_A_FILE}, (_, row) =>
        Array.from(
          {length: width},
          (_value, column) => (((row + 1) * (column + machine)) % 997) / 997,
        )
          .map(value => value.toFixed(6))
          .join(','),
      );
      const name = `machine-${group}-${machine}`;
      writeFileSync(
        join(folder, `${name}_${part}.csv.gz`),
        gzipSync(`${COLUMNS}\n${lines.join('\n')}\n`),
      );
      writeFileSync(join(folder, `${name}_label.csv.gz`), gzipSync('label\n0\n'));
    }
  }
  return folder;
}

function temporary(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-replay-'));
  t.teardown(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

/** A real core of this process; gives its address. */
async function core(t: ExecutionContext, settings: Readonly<Record<string, string>>) {
  const all = {
    'core.listen': '127.0.0.1:0',
    'core.http': '127.0.0.1:0',
    'core.dataDir': temporary(t),
    'log.kind': 'memory',
    'hypervisor.kind': 'none',
    ...settings,
  };
  const flags = Object.fromEntries(
    Object.entries(all).map(([path, value]) => [path, {flag: path, value}]),
  );
  const problems: string[] = [];
  const {config} = loadConfig({flags, cwd: temporary(t)});
  const running = await startCore(config, {onProblem: problem => problems.push(problem)});
  t.teardown(async () => {
    await running.close();
    assert.deepEqual(problems, []);
  });
  return running.grpcAddress;
}

type Ended = {code: number; stdout: string; stderr: string};

const replay = (...args: readonly string[]) => forestay('replay', ...args);

function forestay(...args: readonly string[]): Promise<Ended> {
  const program = new URL('../bin/forestay', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, ...args]);
  const output = {stdout: '', stderr: ''};
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', text => {
      output[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({code: code ?? -1, ...output}));
  });
}

const SAMPLES = MACHINES * 2 * ROWS_A_FILE;

function accountedFor(t: ExecutionContext, {code, stdout, stderr}: Ended): void {
  t.is(code, 0, stderr);
  const totals = JSON.parse(stdout) as Record<string, number>;
  t.deepEqual(Object.keys(totals), [
    'sentSamples',
    'ackedSamples',
    'storedSamples',
    'scoredRows',
    'transitions',
  ]);
  t.like(totals, {sentSamples: SAMPLES, ackedSamples: SAMPLES, storedSamples: SAMPLES});
  t.true((totals.scoredRows ?? 0) >= MACHINES, stdout);
}

test.serial('every row of recorded machines is sent, acked and stored', async t => {
  const server = await core(t, {'store.kind': 'sqlite'});
  const ended = await replay(smdFolder(t, 1), '--format', 'smd', '--server', server, '-o', 'json');
  accountedFor(t, ended);
  t.regex(ended.stderr, /metric set smd\.v1: 38 columns, scored/);

  const again = await replay(smdFolder(t, 1), '--format', 'smd', '--server', server, '-o', 'json');
  t.is(again.code, 0, again.stderr);
  t.like(JSON.parse(again.stdout), {sentSamples: SAMPLES, storedSamples: SAMPLES});
});

test.serial('into a real QuestDB every row arrives too', async t => {
  const address = await needService(t, 'questdb');
  if (address === undefined) return;
  const server = await core(t, {'store.kind': 'questdb', 'store.questdb.address': address});
  const group = Date.now() % 1e9;
  const folder = smdFolder(t, group);
  accountedFor(t, await replay(folder, '--format', 'smd', '--server', server, '-o', 'json'));
  const rows = async (machine: number): Promise<number> => {
    const host = `hosts/machine-${group}-${machine}`;
    const query = `SELECT count() FROM samples_smd_v1 WHERE entity = '${host}'`;
    const response = await fetch(`http://${address}/exec?${new URLSearchParams({query})}`);
    return ((await response.json()) as {dataset: [[number]]}).dataset[0][0];
  };
  for (let machine = 1; machine <= MACHINES; machine++) {
    let found = 0;
    for (let look = 0; look < 200 && found < 2 * ROWS_A_FILE; look++) {
      found = await rows(machine);
      if (look > 0) await new Promise(resolve => setTimeout(resolve, 50));
    }
    t.is(found, 2 * ROWS_A_FILE);
  }
});

test.serial('what no model takes is stored and said to be unscored', async t => {
  const server = await core(t, {'store.kind': 'memory'});
  const folder = temporary(t);
  writeFileSync(join(folder, 'web-1.csv'), 'timestamp,requests\n1700000000,5\n1700000001,6\n');
  writeFileSync(join(folder, 'web-2.csv'), 'timestamp,requests\n1700000000,7\nsoon,8\n');
  const args = [folder, '--format', 'csv', '--server', server, '-o', 'json'];
  const refused = await replay(...args);
  t.is(refused.code, 2, refused.stderr);
  t.is(refused.stdout, '');
  t.regex(refused.stderr, /web-2\.csv:3: "soon" in column timestamp is no time/);

  const {code, stdout, stderr} = await replay(...args, '--skip-bad-rows', '--cell', 'other');
  t.is(code, 0, stderr);
  t.like(JSON.parse(stdout), {sentSamples: 3, ackedSamples: 3, storedSamples: 3, scoredRows: 0});
  t.regex(stderr, /no model takes it: stored and shown as unscored/);
  t.regex(stderr, /1 bad row was left out/);
  const {stdout: listed} = await forestay('hosts', 'list', '--server', server);
  t.regex(listed, /^web-1 +normal +unscored.*\nweb-2 +normal +unscored/m);
});

test.serial('a paced replay that stops early has accounted for what it sent', async t => {
  const server = await core(t, {'store.kind': 'memory'});
  const folder = smdFolder(t, 2);
  const pace = ['--speed', '600', '--rows', '30'];
  const {code, stdout, stderr} = await replay(
    folder,
    '--format',
    'smd',
    '--server',
    server,
    ...pace,
  );
  t.is(code, 0, stderr);
  t.regex(stdout, /^sentSamples +30\nackedSamples +30\nstoredSamples +30\nscoredRows +\d+\n/);
});

test('without a core it says how to start one', async t => {
  const {code, stderr} = await replay(
    smdFolder(t, 1),
    '--format',
    'smd',
    '--server',
    '127.0.0.1:9',
  );
  t.is(code, 4);
  t.regex(stderr, /cannot reach a core at 127\.0\.0\.1:9/);
});

test('what cannot be asked for is refused before anything is sent', async t => {
  const folder = temporary(t);
  const server = ['--server', '127.0.0.1:9'];
  t.like(await replay(folder, '--format', 'smd', ...server), {code: 2});
  t.like(await replay(folder, '--format', 'xml', ...server), {code: 2});
  t.like(await replay(folder, '--format', 'smd', '--speed', 'fast', ...server), {code: 2});
  t.like(await replay(folder, '--format', 'smd', '--rows', '0', ...server), {code: 2});
  const mapping = join(folder, 'mapping.yaml');
  writeFileSync(mapping, 'colums: {}\n');
  const {code, stderr} = await replay(folder, '--format', 'csv', '--mapping', mapping, ...server);
  t.is(code, 3);
  t.regex(stderr, /mapping\.yaml:1:/);
});
