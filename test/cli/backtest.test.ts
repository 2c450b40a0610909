import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {gzipSync} from 'node:zlib';
import test, {type ExecutionContext} from 'ava';
import {smallDisk} from '../support/small-disk.ts';
import {forestay, start} from './run.ts';

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

const HEADER = 'timestamp,value\n';
const manyRows = (rows: number): string =>
  HEADER + Array.from({length: rows}, (_, row) => `2026-01-01,${(row * 7919) % 101}\n`).join('');

test('predictions never take the place of recordings', async t => {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'a.csv.gz'), gzipSync(manyRows(3)));
  await writeFile(join(folder, 'a.csv'), 'mine');
  const ran = await forestay(['backtest', 'nab', '--data', folder, '--out', join(folder, '.')]);
  t.is(ran.code, 2, ran.stderr);
  t.regex(ran.stderr, /INVALID_ARGUMENT.*recordings lie there; choose another folder with --out/);
  t.is(await readFile(join(folder, 'a.csv'), 'utf8'), 'mine');
});

test('a recording that is cut off leaves the predictions of before as they were, all of them', async t => {
  const folder = await makeFolder(t);
  const out = join(folder, 'out');
  const options = ['backtest', 'nab', '--data', folder, '--out', out];
  for (const name of ['a', 'b']) {
    await writeFile(join(folder, `${name}.csv.gz`), gzipSync(manyRows(100)));
  }
  t.is((await forestay(options)).code, 0);
  const before = await readFile(join(out, 'a.csv'), 'utf8');
  await writeFile(join(folder, 'a.csv.gz'), gzipSync(manyRows(50)));
  await writeFile(join(folder, 'b.csv.gz'), gzipSync(manyRows(100)).subarray(0, 50));
  const ran = await forestay(options);
  t.is(ran.code, 2, ran.stderr);
  t.deepEqual((await readdir(out)).sort(), ['a.csv', 'b.csv']);
  t.is(await readFile(join(out, 'a.csv'), 'utf8'), before);
});

test('a place that cannot be written is said to be one, without a trace of the program', async t => {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'a.csv.gz'), gzipSync(manyRows(30_000)));
  const taken = join(folder, 'out');
  await mkdir(join(taken, 'a.csv', 'mine'), {recursive: true});
  const full = smallDisk(t, 64 * 1024);
  for (const out of full === undefined ? [taken] : [taken, full]) {
    const ran = await forestay(['backtest', 'nab', '--data', folder, '--out', out]);
    t.is(ran.code, 2, ran.stderr);
    t.regex(ran.stderr, /INVALID_ARGUMENT.*cannot write to .*choose another place with --out/);
    t.notRegex(ran.stderr, /^\s+at /m);
    t.false((await readdir(out)).some(name => name.startsWith('.')));
  }
});

test('what a kill leaves half-written is in a place of its own, and is removed by the next', async t => {
  const folder = await makeFolder(t);
  const out = join(folder, 'out');
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    await writeFile(join(folder, `${name}.csv.gz`), gzipSync(manyRows(20_000)));
  }
  const options = ['backtest', 'nab', '--data', folder, '--out', out];
  const killed = start(options);
  const unfinished = async () => {
    const [inner] = existsSync(out) ? await readdir(out) : [];
    return inner === undefined ? [] : await readdir(join(out, inner));
  };
  while ((await unfinished()).length === 0) await setTimeout(10);
  killed.signal('SIGKILL');
  await killed.done;
  t.true((await readdir(out)).every(name => name.startsWith('.unfinished-')));
  t.is((await forestay(options)).code, 0);
  t.is((await readdir(out)).length, 6);
  t.true((await readdir(out)).every(name => name.endsWith('.csv')));
});
