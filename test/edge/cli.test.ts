import test from 'ava';
import {eventually, forestay, launch, temporaryFolder} from '../support/process.ts';
import {recordsOf, shownOnce, startCore} from './real-core.ts';

test('forestay edge --print shows this machine and sends nothing', async t => {
  const args = ['edge', '--print', '--count', '1', '--interval', '100ms'];
  const {code, stdout, stderr} = await forestay(t, args);
  t.is(code, 0);
  t.regex(stdout, /^TIME +ENTITY/);
  t.is(stderr, '');
});

test('SIGTERM drains an edge, and it exits with 0', async t => {
  const core = await startCore(t);
  const named = ['edge', '--core', core.address, '--host', 'h01', '--interval', '100ms'];
  const args = [...named, '--spool', temporaryFolder(t)];
  const edge = launch(t, args);
  await eventually('some samples', async () => {
    return (await recordsOf(core.log, 'default')).length >= 3;
  });
  const second = await forestay(t, args);
  t.is(second.code, 7, 'a spool has one edge');
  t.regex(second.stderr, /DATA_DIR_LOCKED.*choose another --spool folder/);

  edge.signal('SIGTERM');
  const {code, stderr} = await edge.exit();
  t.is(code, 0);
  t.regex(stderr, /draining/);
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
    const {code, stderr} = await forestay(t, ['edge', ...args]);
    t.is(code, 2);
    t.regex(stderr, what);
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
    const ran = await forestay(t, ['edge', '--print', '--count', '1', ...args]);
    t.is(ran.code, 3);
    t.regex(ran.stderr, what);
    t.is(ran.stdout, '');
  });
}
