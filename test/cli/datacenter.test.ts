import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {partitionOfCell} from '../../core/domain/hash.ts';
import {recordsOf, startCore} from '../edge/real-core.ts';
import {launchDatacenter} from '../support/datacenter-process.ts';
import {eventually, forestay, launch, temporaryFolder} from '../support/process.ts';
import {readTold} from '../support/told.ts';

test('a datacenter streams to the cores it is given, says what happens, and stops in order', async t => {
  const core = await startCore(t);
  const folder = temporaryFolder(t);
  const oracle = join(folder, 'oracle');
  const flags = {seed: 3, hosts: 4, cells: 2, speed: 20, state: join(folder, 'state'), oracle};
  const start = () => launchDatacenter(t, {...flags, cores: ['127.0.0.1:1', core.address]});

  const first = start();
  await eventually('acks of every edge', () => ackedEdges(oracle) === 4);
  first.signal('SIGKILL');
  await first.exit();
  const before = newestMs(oracle);

  const second = start();
  await eventually('a second life', () => newestMs(oracle) > before + 10_000);
  const rival = await start().exit();
  t.is(rival.code, 7, 'a state has one datacenter');
  second.signal('SIGTERM');
  const {code, stderr} = await second.exit();
  t.is(code, 0, stderr);
  t.regex(stderr, /4 hosts and 30 VMs stream to/);
  t.regex(stderr, /draining/);

  const told = readTold(oracle);
  t.is(told.placements.size, 30);
  t.deepEqual(told.violations, []);
  const times = [...told.batches.values()].filter(({edge}) => edge === 'h01').map(({atMs}) => atMs);
  t.deepEqual(
    times,
    [...new Set(times)].sort((a, b) => a - b),
    'no second was lived twice',
  );
  const records = (await recordsOf(core.log, 'dc-a')).filter(({kind}) => kind === 'batch');
  const ofCell = told.acked.filter(({cell}) => cell === 'dc-a');
  t.true(
    ofCell.length > 0 && records.length >= ofCell.length,
    `${records.length} of ${ofCell.length}`,
  );
  t.not(partitionOfCell('dc-a'), partitionOfCell('dc-b'));
});

function ackedEdges(oracle: string): number {
  return new Set(readTold(oracle).acked.map(({edge}) => edge)).size;
}

function newestMs(oracle: string): number {
  return Math.max(0, ...[...readTold(oracle).batches.values()].map(({atMs}) => atMs));
}

test('without a state folder all is gone with the process, and it stops all the same', async t => {
  const program = launch(t, ['datacenter', '--core', '127.0.0.1:1', '--hosts', '2', '--vms', '3']);
  await program.said(/2 hosts and 3 VMs/);
  program.signal('SIGINT');
  const {code, stderr} = await program.exit();
  t.is(code, 0, stderr);
});

test('a state of another datacenter is refused with what to do', async t => {
  const state = temporaryFolder(t);
  const args = ['datacenter', '--core', '127.0.0.1:1', '--hosts', '2', '--state', state];
  const first = launch(t, [...args, '--seed', '1']);
  await first.said(/2 hosts/);
  const second = await forestay(t, args);
  t.is(second.code, 7);
  t.regex(second.stderr, /DATA_DIR_LOCKED.*choose another --state folder/);
  first.signal('SIGTERM');
  await first.exit();
  const {code, stderr} = await forestay(t, [...args, '--seed', '2']);
  t.not(code, 0);
  t.regex(stderr, /CONFIG_INVALID.*start it as it was/);
});

test('a state that is no folder is a wrong use', async t => {
  const state = join(temporaryFolder(t), 'file');
  writeFileSync(state, '');
  const {code, stderr} = await forestay(t, ['datacenter', '--state', state]);
  t.is(code, 2, stderr);
  t.regex(stderr, /as a folder; choose one that can be written with --state/);
});

for (const [args, what] of [
  [['--core', '127.0.0.1:1,nowhere'], /Expected HOST:PORT/],
  [['--speed', '0'], /above 0/],
  [['--cells', '65'], /1 to 64/],
  [['--hosts', 'many'], /whole number/],
  [['--hosts', '2', '--cells', '3'], /cannot fill 3 cells/],
  [['--hosts', '2', '--vms', '401'], /401 VMs do not fit on 2 hosts/],
] as const) {
  test(`forestay datacenter ${args.join(' ')} is a wrong use`, async t => {
    const {code, stderr} = await forestay(t, ['datacenter', ...args]);
    t.is(code, 2);
    t.regex(stderr, what);
  });
}
