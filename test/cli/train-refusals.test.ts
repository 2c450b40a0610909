/** What is the matter is said before hours are spent on it, and with what to do. */
import {existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {smallDisk} from '../support/small-disk.ts';
import {forestay, start} from './run.ts';

const TINY = ['--fleets=3', '--unseen-fleets=2', '--minutes=30', '--hosts=12', '--threads=1'];

function makeFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'forestay-refused-'));
  t.teardown(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

test('options that make no sense are refused before anything is simulated or made', async t => {
  const out = join(makeFolder(t), 'out');
  for (const option of [
    ['--family', 'no'],
    ['--seed=-1'],
    ['--seed=1e99'],
    ['--budget=0'],
    ['--fleets=1000000000000'],
    ['--hosts=100000000'],
    ['--minutes=1e9'],
    ['--days=1e9'],
    ['--row-every=1e12'],
    ['--trials=1e12'],
    ['--threads=100000'],
    ['--repeats=1e6'],
  ]) {
    const ran = await forestay(['train', ...TINY, '--out', out, ...option]);
    t.is(ran.code, 2, ran.stderr);
    t.regex(ran.stderr, /^error: option .* is invalid\. (It must be|Expected|Allowed)/);
  }
  t.false(existsSync(out));
});

test('options that the family has no use for are refused, not passed over', async t => {
  const out = join(makeFolder(t), 'out');
  for (const [options, message] of [
    [
      ['--family=reboot-intent', '--data=rows.csv'],
      /--data is for component-failure and component-outlook, not/,
    ],
    [
      ['--family=reboot-intent', '--days=3'],
      /--days is for component-outlook, not for reboot-intent/,
    ],
    [['--family=reboot-intent', '--baseline=x'], /--baseline is for component-failure and/],
    [
      ['--family=component-outlook', '--minutes=30'],
      /--minutes is for component-failure and reboot-intent/,
    ],
    [['--days=3'], /--days is for component-outlook, not for component-failure/],
    [
      ['--data=rows.csv', '--fleets=3'],
      /--fleets is for simulated fleets, and --data names rows of your own/,
    ],
  ] as const) {
    const ran = await forestay(['train', ...options, '--out', out]);
    t.is(ran.code, 2, ran.stderr);
    t.regex(ran.stderr, message);
  }
  t.false(existsSync(out));
});

test('a report or a baseline that cannot be is refused before the training', async t => {
  const folder = makeFolder(t);
  const out = join(folder, 'out');
  const file = join(folder, 'file');
  writeFileSync(file, '');
  for (const [option, code, message] of [
    [`--report=${file}/report.html`, 2, /INVALID_ARGUMENT.*can be written with --report/],
    [`--report=${folder}`, 2, /INVALID_ARGUMENT.*name a file with --report/],
    [`--baseline=${folder}/nowhere`, 3, /MODEL_UNREADABLE.*nowhere/],
    [`--baseline=${file}`, 3, /MODEL_UNREADABLE.*holds no graph/],
  ] as const) {
    const ran = await forestay(['train', ...TINY, '--out', out, option]);
    t.is(ran.code, code, ran.stderr);
    t.regex(ran.stderr, message);
    t.notRegex(ran.stderr, /^train:|^\s+at /m);
  }
});

test('rows of too few hosts are refused with a code, and nothing is left', async t => {
  const folder = makeFolder(t);
  const out = join(folder, 'out');
  const rows = join(folder, 'rows.csv');
  writeFileSync(
    rows,
    'group,second,disk_errors_per_second.level,label_disk\na,0,1,0\na,90,2,1\nb,0,1,0\n',
  );
  const ran = await forestay(['train', '--data', rows, '--out', out, '--threads=1']);
  t.is(ran.code, 2, ran.stderr);
  t.regex(ran.stderr, /TRAINING_DATA_INVALID.*too few/);
  t.notRegex(ran.stderr, /^\s+at /m);
  t.deepEqual(readdirSync(out), []);
});

test('of two trainings in one folder the second is refused, and the first is not disturbed', async t => {
  t.timeout(90_000);
  const out = join(makeFolder(t), 'out');
  const first = start(['train', ...TINY, '--out', out]);
  while (!existsSync(join(out, '.training', 'lock'))) await sleep(10);
  const second = await forestay(['train', ...TINY, '--out', out]);
  t.is(second.code, 7, second.stderr);
  t.regex(second.stderr, /DATA_DIR_LOCKED.*process \d+ .*choose another --out/);
  const {code, stderr} = await first.done;
  t.is(code, 0, stderr);
  const files = ['README.md', 'drift.json', 'golden.json', 'manifest.json', 'model.onnx'];
  t.deepEqual(readdirSync(out).sort(), files);
});

test('a model that cannot be written leaves the one before, and the search is not lost', async t => {
  t.timeout(90_000);
  const folder = makeFolder(t);
  const out = smallDisk(t, 64 * 1024) ?? join(folder, 'out');
  if (existsSync(out)) writeFileSync(join(out, 'golden.json'), 'before');
  else mkdirSync(join(out, 'README.md', 'mine'), {recursive: true});
  const ran = await forestay(['train', ...TINY, '--out', out, '--budget=1h', '--trials=1']);
  t.is(ran.code, 2, ran.stderr);
  t.regex(ran.stderr, /INVALID_ARGUMENT.*cannot (write to|keep the training in) /);
  t.notRegex(ran.stderr, /^\s+at /m);
  t.true(existsSync(join(out, '.training', 'results.ndjson')));
  t.false(existsSync(join(out, 'model.onnx')));
});
