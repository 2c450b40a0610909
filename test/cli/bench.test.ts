import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {resultOf} from '../../bench/result.ts';
import {verbs} from '../../bench/verbs.ts';
import {forestay} from './run.ts';

const directory = mkdtempSync(join(tmpdir(), 'forestay-bench-cli-'));
test.after.always(() => rmSync(directory, {recursive: true}));

function file(name: string, ms: number): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(resultOf({runs: {'a.p99Ms': [ms, ms, ms]}})));
  return path;
}

test('bench compare exits with 10 when something is worse, with 0 when not', async t => {
  const [fast, slow] = [file('fast.json', 10), file('slow.json', 20)];
  const worse = await forestay(['bench', 'compare', fast, slow]);
  t.is(worse.code, 10);
  t.regex(worse.stdout, /FAILED: a\.p99Ms: 10 → 20/);
  const better = await forestay(['bench', 'compare', slow, fast, '-o', 'json']);
  t.is(better.code, 0);
  const {verdict, metrics} = JSON.parse(better.stdout) as ReturnType<typeof resultOf>;
  t.is(verdict, 'VALID');
  t.deepEqual(metrics, {'compare.a.p99Ms': -0.5});
});

test('an assertion that fails exits with 10, one that cannot be read with 2', async t => {
  const [a, b] = [file('a.json', 10), file('b.json', 10)];
  const compare = ['bench', 'compare', a, b];
  t.is((await forestay([...compare, '--assert', 'compare.a.p99Ms<=0'])).code, 0);
  t.is((await forestay([...compare, '--assert', 'compare.a.p99Ms>0'])).code, 10);
  t.is((await forestay([...compare, '--assert', 'much better'])).code, 2);
  t.is((await forestay(['bench', 'compare', a])).code, 2);
  t.is((await forestay(['bench', 'log', '--faster'])).code, 2);
});

test('help names every verb', async t => {
  const {stdout, code} = await forestay(['bench', '--help']);
  t.is(code, 0);
  for (const {name} of verbs) t.regex(stdout, new RegExp(`^ +${name}\\b`, 'm'));
});
