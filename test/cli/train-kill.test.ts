import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';

const BIN = join(import.meta.dirname, '../../cli/main.ts');
const OPTIONS = [
  'train',
  '--fleets=4',
  '--unseen-fleets=2',
  '--minutes=30',
  '--hosts=12',
  '--threads=1',
  '--trials=3',
  '--budget=1h',
];
const WAIT_MS = 90_000;
const FILES = ['model.onnx', 'manifest.json', 'golden.json', 'drift.json', 'README.md'];

function run(t: ExecutionContext, out: string) {
  const child = spawn(process.execPath, [BIN, ...OPTIONS, '--out', out], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', chunk => {
    said += chunk;
  });
  const over = new Promise<number | null>(resolve => child.on('close', resolve));
  return {child, over, said: () => said};
}

test('a training that is killed while it searches goes on, and gives the bytes of one that was not', async t => {
  t.timeout(3 * WAIT_MS);
  const folder = mkdtempSync(join(tmpdir(), 'forestay-kill-'));
  t.teardown(() => rmSync(folder, {recursive: true, force: true}));
  const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
  const undisturbed = run(t, whole);

  const killed = run(t, broken);
  const results = join(broken, '.training', 'results.ndjson');
  // A head, and results of the first two tasks: in the midst of the search.
  const deadline = Date.now() + WAIT_MS;
  while (linesOf(results) < 3 && Date.now() < deadline) await sleep(10);
  killed.child.kill('SIGKILL');
  await killed.over;
  t.true(linesOf(results) >= 3, killed.said());
  t.false(existsSync(join(broken, 'model.onnx')));

  const resumed = run(t, broken);
  t.is(await resumed.over, 0, resumed.said());
  t.is(await undisturbed.over, 0, undisturbed.said());
  t.regex(resumed.said(), /going on behind \d+ results/);
  t.is(winnerOf(resumed.said()), winnerOf(undisturbed.said()));
  for (const file of FILES) {
    t.deepEqual(readFileSync(join(broken, file)), readFileSync(join(whole, file)), file);
  }
  t.false(existsSync(join(broken, '.training')));
});

function linesOf(path: string): number {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}

function winnerOf(said: string): string | undefined {
  return /best of 3: trial (\d+)/.exec(said)?.[1];
}
