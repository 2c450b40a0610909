import {existsSync} from 'node:fs';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {forestay} from './run.ts';

async function makeFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forestay-backtest-'));
  t.teardown(() => rm(folder, {recursive: true}));
  return folder;
}

test('recordings that are nowhere are wrong use, said before a folder is made for predictions', async t => {
  const folder = await makeFolder(t);
  const out = join(folder, 'out');
  const file = join(folder, 'file');
  await writeFile(file, '');
  for (const task of ['anomaly', 'nab', 'failure', 'disk']) {
    for (const [option, recordings] of [
      ['--data', ['--data', join(folder, 'nowhere')]],
      ['--data', ['--data', file]],
      ['--train', ['--data', folder, '--train', join(folder, 'nowhere')]],
    ] as const) {
      const ran = await forestay(['backtest', task, ...recordings, '--out', out]);
      t.is(ran.code, 2, ran.stderr);
      t.regex(ran.stderr, new RegExp(`cannot list .*; name a folder of recordings with ${option}`));
    }
  }
  t.false(existsSync(out));
});

test('a backtest says what it wrote, for people and for programs', async t => {
  const folder = await makeFolder(t);
  const out = join(folder, 'out');
  const rows = '2026-01-01 00:00:00,1\n2026-01-01 00:05:00,2\n';
  await writeFile(join(folder, 'a.csv.gz'), gzipSync(`timestamp,value\n${rows}`));
  const options = ['backtest', 'nab', '--data', folder, '--out', out];
  const told = await forestay(options);
  t.regex(told.stdout, /^2 rows predicted in .* s, written to .*out: a\.csv\n$/);
  const ran = await forestay([...options, '-o', 'json', '--seed', '7']);
  const {seconds, ...report} = JSON.parse(ran.stdout);
  t.true(seconds >= 0);
  t.deepEqual(report, {task: 'nab', seed: 7, files: ['a.csv'], rows: 2});
  t.is((await readFile(join(out, 'a.csv'), 'utf8')).split('\n').length, 4);
});
