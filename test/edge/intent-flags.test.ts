import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {createMemoryFiles} from '../../core/adapters/files-memory.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {DEFAULT_FLAG_POLICY} from '../../core/domain/intent-policy.ts';
import {RISK_OUTPUTS} from '../../core/domain/reboot-risks.ts';
import {openIntentFlags} from '../../edge/intent-flags.ts';
import {temporaryFolder} from '../support/process.ts';

const risksOf = (crash: number) => RISK_OUTPUTS.map(name => (name === 'crash-30m' ? crash : 0));

test('the two files appear whole while the host is likely to go down, and nothing else does', t => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'somebody-elses'), 'x');
  const notes: string[] = [];
  const policy = {...DEFAULT_FLAG_POLICY, 'checkpoint-me': {gain: 10, cost: 1}};
  const flags = openIntentFlags({folder, policy, files: nodeFiles, note: line => notes.push(line)});
  flags.look(undefined, 0);
  flags.look(risksOf(0.05), 1000);
  t.deepEqual(readdirSync(folder), ['somebody-elses']);
  flags.look(risksOf(0.2), 2000);
  t.deepEqual(readdirSync(folder), ['checkpoint-me', 'somebody-elses'], 'a checkpoint is cheap');
  flags.look(risksOf(0.8), 3000);
  t.deepEqual(readdirSync(folder).sort(), ['checkpoint-me', 'drain', 'somebody-elses']);
  t.deepEqual(JSON.parse(readFileSync(join(folder, 'drain'), 'utf8')), {
    why: '80 % to go down within 30 min (0 % on purpose, 80 % by a crash): saves 3.20 min of work for 3.00',
    cause: 'crash',
    probability: 0.8,
    horizonMinutes: 30,
    atMs: 3000,
    expiresAtMs: 303_000,
  });
  for (let second = 4; second <= 65; second++) flags.look(risksOf(0.01), second * 1000);
  t.deepEqual(readdirSync(folder), ['somebody-elses']);
  t.is(notes.length, 4);
});

test('what an earlier life left behind is removed at the start, what is up at the stop', t => {
  const folder = temporaryFolder(t);
  for (const name of ['drain', 'checkpoint-me', 'drain.new'])
    writeFileSync(join(folder, name), '{');
  const options = {folder, policy: DEFAULT_FLAG_POLICY, files: nodeFiles, note: () => {}};
  const flags = openIntentFlags(options);
  t.deepEqual(readdirSync(folder), []);
  flags.look(risksOf(1), 0);
  t.is(readdirSync(folder).length, 2);
  flags.close();
  t.deepEqual(readdirSync(folder), []);
});

test('a folder that is not there, or whose flags cannot be removed, is refused', t => {
  const files = createMemoryFiles();
  const options = {folder: '/flags', policy: DEFAULT_FLAG_POLICY, files, note: () => {}};
  t.throws(() => openIntentFlags(options), {code: 'CONFIG_INVALID', message: /no such folder/});
  files.makeDirectory('/flags');
  files.replace('/flags/drain', Uint8Array.of(1));
  files.failAfter(0);
  t.throws(() => openIntentFlags(options), {code: 'CONFIG_INVALID', message: /earlier run/});
});

test('a disk that does not take a flag is told of once, and asked again after a while', t => {
  const files = createMemoryFiles();
  files.makeDirectory('/flags');
  const notes: string[] = [];
  const note = (line: string) => void notes.push(line);
  const flags = openIntentFlags({folder: '/flags', policy: DEFAULT_FLAG_POLICY, files, note});
  files.limitTo(10);
  for (let second = 0; second < 30; second++) flags.look(risksOf(0.9), second * 1000);
  t.is(notes.length, 1);
  t.regex(notes[0] ?? '', /flag checkpoint-me in \/flags: ENOSPC/);
  files.limitTo(10_000);
  for (let second = 30; second < 41; second++) flags.look(risksOf(0.9), second * 1000);
  t.deepEqual(files.list('/flags'), ['checkpoint-me', 'drain']);
});
