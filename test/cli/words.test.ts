import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {forestay} from './run.ts';

test('help shows defaults as one types them, and none where there is nothing to say', async t => {
  const helpOf = async (name: string) => (await forestay([name, '--help'])).stdout;
  const demo = await helpOf('demo');
  t.regex(demo, /--duration .*\(default: 1h\)/);
  t.regex(demo, /default:\s+all\)/);
  t.regex(await helpOf('edge'), /--interval [^-]*\(default: 1s\)/);
  t.regex(await helpOf('replay'), /--speed [^-]*\(default: max\)/);
  for (const name of ['demo', 'edge', 'replay', 'core', 'datacenter', 'events']) {
    const help = await helpOf(name);
    t.notRegex(help, /default:\s+(null|\[|false|"")/, name);
  }
});

test('what is told is in words for people', async t => {
  const cwd = mkdtempSync(join(tmpdir(), 'forestay-words-'));
  t.teardown(() => rmSync(cwd, {recursive: true}));
  writeFileSync(join(cwd, 'forestay.yaml'), 'ticks: {tickMs: 500}\n');
  t.regex((await forestay(['config', 'check'], {cwd})).stdout, /; 1 value is set,/);
  const replay = await forestay(['replay', cwd, '--format', 'smd']);
  t.is(replay.code, 2);
  t.regex(replay.stderr, /no file is called machine-X-Y_train\.csv or machine-X-Y_test\.csv/);
  const {stderr} = await forestay(['status', '--server', '127.0.0.1:1']);
  t.regex(stderr, /ECONNREFUSED 127\.0\.0\.1:1\n$/);
});
