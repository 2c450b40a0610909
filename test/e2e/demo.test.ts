import {readdirSync} from 'node:fs';
import {hostname} from 'node:os';
import {Worker} from 'node:worker_threads';
import test, {type ExecutionContext} from 'ava';
import {eventually, forestay, launch, temporaryFolder} from '../support/process.ts';

const SMALL = ['--hosts', '8', '--vms', '40', '--duration', '6m', '--headless', '--json'] as const;

const ACTS = [
  'cordons',
  'migrations',
  'ghostsArmed',
  'ghostsActivated',
  'failBacks',
  'restraints',
] as const;
const FIGURES = [
  'vmDowntimeSeconds',
  'interruptions',
  'migrations',
  'needlessMoves',
  'missedFailures',
  'failedRequests',
  'leadTimeSecondsP50',
] as const;

type Outcome = {
  seed: number;
  journalSha256: string;
  acts: Record<string, number>;
  forestay: Record<string, number>;
  reactive: Record<string, number>;
};

/** Runs a small demo to its end; stdout must be its object and nothing else. */
async function demo(t: ExecutionContext, ...args: readonly string[]): Promise<Outcome> {
  const {code, stdout, stderr} = await forestay(t, ['demo', ...SMALL, ...args], {
    withinMs: 100_000,
  });
  t.is(code, 0, stderr);
  t.regex(stdout, /^\{[^\n]*\}\n$/);
  const outcome = JSON.parse(stdout) as Outcome;
  t.true(stderr.includes(`journal sha256 ${outcome.journalSha256}`));
  return outcome;
}

test.serial('--json is one object of the promised keys; all else is on stderr', async t => {
  const outcome = await demo(t, '--seed', '3', '--duration', '1m');
  t.deepEqual(Object.keys(outcome), ['seed', 'journalSha256', 'acts', 'forestay', 'reactive']);
  t.is(outcome.seed, 3);
  t.regex(outcome.journalSha256, /^[0-9a-f]{64}$/);
  t.deepEqual(Object.keys(outcome.acts), [...ACTS]);
  t.deepEqual(Object.keys(outcome.forestay), [...FIGURES]);
  t.deepEqual(Object.keys(outcome.reactive), [...FIGURES]);
  const numbers = [outcome.acts, outcome.forestay, outcome.reactive].flatMap(Object.values);
  t.true(numbers.every(Number.isFinite));
});

test.serial('a seed gives one journal at any speed, under load, with or without us', async t => {
  const failing = ['--fault', 'dimm', '--seed', '14'];
  const free = await demo(t, ...failing);
  t.deepEqual(await demo(t, ...failing, '--speed', '90'), free, 'paced');
  const load = [burn(), burn()];
  t.teardown(() => Promise.all(load.map(worker => worker.terminate())));
  t.deepEqual(await demo(t, ...failing, '--no-this-machine'), free, 'under load, alone');
  await Promise.all(load.map(worker => worker.terminate()));
  const other = await demo(t, '--fault', 'dimm', '--seed', '15');
  t.not(other.journalSha256, free.journalSha256);
});

/** Takes a core to itself, for no longer than a minute. */
function burn(): Worker {
  const code = 'const end = Date.now() + 60000; while (Date.now() < end);';
  return new Worker(code, {eval: true});
}

for (const [flag, value] of [
  ['--seed', '0'],
  ['--seed', 'x'],
  ['--hosts', '1.5'],
  ['--vms', '-1'],
  ['--speed', '0'],
  ['--speed', 'fast'],
  ['--duration', '6'],
  ['--fault', 'gremlin'],
  ['--until', 'tomorrow'],
] as const) {
  test(`demo ${flag} ${value} is a wrong use`, async t => {
    const {code, stdout, stderr} = await forestay(t, ['demo', flag, value]);
    t.is(code, 2);
    t.is(stdout, '');
    t.regex(stderr, new RegExp(`${flag}[^\\n]*'${value}'`));
  });
}

for (const {title, flags, until, hosts} of [
  {
    title: 'this machine takes part; SIGINT in the middle ends a demo',
    flags: ['--speed', '20'],
    until: /gRPC/,
    hosts: 9,
  },
  {
    title: 'this machine can stay out; what is over is served until SIGINT',
    flags: ['--no-this-machine', '--until', 'interrupted'],
    until: /The run is over/,
    hosts: 8,
  },
]) {
  test.serial(`${title} with 130 and leaves no data behind`, async t => {
    const folder = temporaryFolder(t);
    const running = launch(t, ['demo', ...SMALL, ...flags], {env: {TMPDIR: folder}});
    const [, server = ''] = await running.said(/gRPC (\S+) \(try/);
    const names = await eventually('its hosts', async () => {
      const listed = await forestay(t, ['hosts', 'list', '-o', 'name', '--server', server]);
      const found = listed.stdout.split('\n').filter(name => name !== '');
      return found.length === hosts && found;
    });
    t.is(names.includes(`hosts/${hostname()}`), hosts === 9);
    t.is(dataFolders(folder).length, 1);
    await running.said(until);
    const isOver = running.stderr().includes('The run is over');
    t.is(/journal sha256 \w{64}/.test(running.stderr()), isOver, 'the result is told at the end');
    running.signal('SIGINT');
    const {code, stdout, stderr} = await running.exit();
    t.is(code, 130);
    t.is(/interrupted at \d\d:\d\d of 06:00 virtual minutes/.test(stderr), !isOver);
    t.is(stdout.includes('journalSha256'), isOver);
    t.deepEqual(dataFolders(folder), []);
  });
}

test.serial('several seeds that are interrupted say how many there were', async t => {
  const running = launch(t, ['demo', ...SMALL, '--duration', '1m', '--seeds', '50']);
  await running.said(/seed +2 /);
  running.signal('SIGINT');
  const {code, stdout, stderr} = await running.exit();
  t.is(code, 130);
  const [, count] = /interrupted after (\d+) of 50 seeds/.exec(stderr) ?? [];
  t.is(JSON.parse(stdout).length, Number(count));
});

/** Runtimes leave caches in a folder for temporary files; a demo leaves nothing of its own. */
function dataFolders(folder: string): string[] {
  return readdirSync(folder).filter(name => name.startsWith('forestay-'));
}
