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

test('a model that cannot be read is an operating error, not one of ours', async t => {
  const {code, stdout, stderr} = await forestay(['bench', 'predict', '--model', '/nowhere']);
  t.is(code, 3);
  t.is(stdout, '');
  t.regex(stderr, /^forestay: .*MODEL_UNREADABLE/);
});

test('a bench on Kafka without Java says what is missing; its help, that it needs it', async t => {
  const {code, stderr} = await forestay(['bench', 'log', '--log', 'kafka'], {
    env: {PATH: '/nowhere', FORESTAY_TEST_KAFKA: ''},
  });
  t.is(code, 4);
  t.regex(stderr, /starting a Kafka .*\n.*DEPENDENCY_UNREACHABLE.*java is not there: install/);
  for (const verb of ['log', 'pipeline', 'peer', 'saturate']) {
    const {stdout} = await forestay(['bench', verb, '--help']);
    t.regex(stdout.replaceAll(/\s+/g, ' '), /for kafka one is started \(Java 17, Maven\)/);
  }
});

test('the last line of a bench is what came of its assertions', async t => {
  const [a, b] = [file('c.json', 10), file('d.json', 10)];
  const failed = await forestay(['bench', 'compare', a, b, '--assert', 'compare.a.p99Ms>0']);
  t.regex(failed.stdout, /\nFAILED: compare.*\nFAILED \(the figures themselves are VALID\)\n$/);
});

test('help names every verb', async t => {
  const {stdout, code} = await forestay(['bench', '--help']);
  t.is(code, 0);
  for (const {name} of verbs) t.regex(stdout, new RegExp(`^ +${name}\\b`, 'm'));
});
