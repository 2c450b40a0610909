import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Command} from 'commander';
import {registerTrain} from '../../cli/train.ts';

const FILES = ['model.onnx', 'explain.onnx', 'manifest.json', 'golden.json', 'README.md'];

async function train(t: ExecutionContext, ...more: string[]) {
  const out = await mkdtemp(join(tmpdir(), 'forestay-intent-'));
  t.teardown(() => rm(out, {recursive: true}));
  const printed: string[] = [];
  const program = new Command().exitOverride();
  program.configureOutput({writeErr: () => {}, writeOut: text => printed.push(text)});
  registerTrain(program);
  const tiny = ['--fleets=7', '--unseen-fleets=2', '--minutes=10', '--hosts=6'];
  const family = ['train', '--family', 'reboot-intent', ...tiny, '--out', out];
  await program.parseAsync([...family, ...more], {from: 'user'});
  return {out, printed, read: (file: string) => readFile(join(out, file))};
}

test.serial(
  'the same options give the same bytes: model, explanation, golden rows, card',
  async t => {
    const [one, same] = [await train(t), await train(t)];
    t.deepEqual((await readdir(one.out)).sort(), [...FILES].sort());
    for (const file of FILES) t.deepEqual(await one.read(file), await same.read(file), file);
    t.regex(String(await one.read('README.md')), /7 simulated fleets of 6 hosts over 10 minutes/);
    t.regex(String(await one.read('README.md')), /Compared with a rule that learned nothing/);
  },
);

test.serial('with a budget settings are searched; figures come as JSON, and a page', async t => {
  const report = join(await mkdtemp(join(tmpdir(), 'forestay-report-')), 'report.html');
  t.teardown(() => rm(report));
  const {printed, out} = await train(
    t,
    '--budget=60s',
    '--trials=2',
    '--report',
    report,
    '-o',
    'json',
  );
  const figures = JSON.parse(printed.join(''));
  t.is(figures.out, out);
  t.is(figures.metrics.length, 8);
  t.is(figures.episodes.length, 4);
  t.is(figures.rule.rule, 'intentional within 30 min');
  const page = String(await readFile(report));
  t.regex(page, /Settings of trial \d/);
  t.is((page.match(/<svg/g) ?? []).length, 7);
});
