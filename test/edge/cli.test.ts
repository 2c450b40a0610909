import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {recordsOf, shownOnce, startCore} from './real-core.ts';

const program = fileURLToPath(new URL('../../bin/forestay', import.meta.url));

function forestay(t: ExecutionContext, ...args: string[]) {
  const child = spawn(process.execPath, [program, ...args]);
  t.teardown(() => child.kill('SIGKILL'));
  const output = {stdout: '', stderr: ''};
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', chunk => {
      output[stream] += chunk;
    });
  }
  const exit = new Promise<number | null>(resolve => child.on('close', resolve));
  return {child, output, exit};
}

test('forestay edge --print shows this machine and sends nothing', async t => {
  const {output, exit} = forestay(t, 'edge', '--print', '--count', '1', '--interval', '100ms');
  t.is(await exit, 0);
  t.regex(output.stdout, /^TIME +ENTITY/);
  t.is(output.stderr, '');
});

test('SIGTERM drains an edge, and it exits with 0', async t => {
  const core = await startCore(t);
  const spool = mkdtempSync(join(tmpdir(), 'forestay-edge-'));
  t.teardown(() => rmSync(spool, {recursive: true, force: true}));
  const args = ['--core', core.address, '--host', 'h01', '--interval', '100ms', '--spool', spool];
  const edge = forestay(t, 'edge', ...args);
  while ((await recordsOf(core.log, 'default')).length < 3) {
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  const second = forestay(t, 'edge', ...args);
  t.is(await second.exit, 7, 'a spool has one edge');
  t.regex(second.output.stderr, /DATA_DIR_LOCKED.*choose another --spool folder/);

  edge.child.kill('SIGTERM');
  t.is(await edge.exit, 0);
  t.regex(edge.output.stderr, /draining/);
  const shown = shownOnce(await recordsOf(core.log, 'default'));
  t.is(shown.at(-1)?.split('/')[1], String(shown.length));
});

for (const [args, what] of [
  [['--interval', '1h'], /from 100ms to 60s/],
  [['--core', 'nowhere'], /Expected HOST:PORT/],
  [['--host', 'a/b'], /letters, digits/],
  [['--count', '0'], /at least 1/],
  [['--local-cost', 'reboot=1'], /checkpoint-me=MINUTES/],
  [['--local-gain', 'drain=0'], /above 0/],
  [['--false-alarms', '0'], /from 0.1 to 80/],
  [['--false-alarms', 'few'], /from 0.1 to 80/],
] as const) {
  test(`forestay edge ${args.join(' ')} is a wrong use`, async t => {
    const {output, exit} = forestay(t, 'edge', ...args);
    t.is(await exit, 2);
    t.regex(output.stderr, what);
  });
}

for (const [args, what] of [
  [['--intent-model', '/nowhere'], /MODEL_UNREADABLE.*manifest\.json/],
  [
    ['--intent-model', 'off', '--local-flags', '/tmp'],
    /CONFIG_INVALID.*needs a reboot-intent model/,
  ],
] as const) {
  test(`forestay edge ${args.join(' ')} is refused before anything is sampled`, async t => {
    const {output, exit} = forestay(t, 'edge', '--print', '--count', '1', ...args);
    t.is(await exit, 3);
    t.regex(output.stderr, what);
    t.is(output.stdout, '');
  });
}
