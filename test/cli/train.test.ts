import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Command} from 'commander';
import {registerTrain} from '../../cli/train.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import {openSession} from '../../models/session.ts';

const FILES = ['model.onnx', 'manifest.json', 'golden.json', 'README.md'];

async function train(t: ExecutionContext, ...more: string[]) {
  const out = await mkdtemp(join(tmpdir(), 'forestay-train-'));
  t.teardown(() => rm(out, {recursive: true}));
  const printed: string[] = [];
  const program = new Command().exitOverride();
  program.configureOutput({writeErr: () => {}, writeOut: text => printed.push(text)});
  registerTrain(program);
  const tiny = ['--fleets=3', '--unseen-fleets=2', '--minutes=30', '--hosts=12', '--threads=2'];
  await program.parseAsync(['train', ...tiny, '--out', out, ...more], {from: 'user'});
  return {out, printed, read: (file: string) => readFile(join(out, file))};
}

test.serial('the same options give the same bytes, another seed gives others', async t => {
  const [one, same, other] = [await train(t), await train(t), await train(t, '--seed=1001')];
  for (const file of FILES) t.deepEqual(await one.read(file), await same.read(file));
  t.notDeepEqual(await one.read('model.onnx'), await other.read('model.onnx'));
});

test.serial('what was trained is served, and its card says what it was trained on', async t => {
  const {out, read, printed} = await train(t, '--model-version=7', '-o', 'json');
  const session = await openSession(out);
  t.teardown(() => session.release());
  t.is(session.model.signature.name, 'component-failure');
  t.deepEqual(session.model.signature.requiredMetrics, [
    'cpu_utilisation_ratio',
    'memory_used_ratio',
    'disk_busy_ratio',
  ]);
  t.is(session.model.golden?.features.length, 16);
  t.is(JSON.parse(printed.join('')).metrics.length, 5);
  const card = String(await read('README.md'));
  t.regex(card, /# component-failure, version 7/);
  t.regex(card, /3 simulated fleets of 12 hosts over 30 minutes/);
});

test.serial('metrics are printed as a table, a component a line', async t => {
  const {printed} = await train(t);
  for (const component of COMPONENTS)
    t.regex(printed.join(''), new RegExp(`^\\| ${component} \\|`, 'm'));
});

test.serial('a place that is no folder is refused before the training, not after', async t => {
  const out = join(await mkdtemp(join(tmpdir(), 'forestay-train-')), 'file');
  t.teardown(() => rm(dirname(out), {recursive: true}));
  await writeFile(out, 'mine');
  const error = await t.throwsAsync(train(t, '--out', out));
  t.true(isForestayError(error, 'INVALID_ARGUMENT'));
  t.regex((error as Error).message, /choose one that can be written with --out/);
  t.is(String(await readFile(out)), 'mine');
});

test.serial('seeds of the demo and numbers that make no sense are refused', async t => {
  const refused = {code: 'commander.invalidArgument'};
  await t.throwsAsync(train(t, '--seed=999'), {...refused, message: /from 1000/});
  await t.throwsAsync(train(t, '--trials=0'), refused);
  await t.throwsAsync(train(t, '--budget=10'), {...refused, message: /a time like 90s, 45m or 1h/});
});

test.serial('with a budget settings are searched, and the report shows what was found', async t => {
  const report = join(await mkdtemp(join(tmpdir(), 'forestay-report-')), 'report.html');
  t.teardown(() => rm(dirname(report), {recursive: true}));
  const {printed, out} = await train(t, '--budget=60s', '--trials=3', '--report', report);
  t.regex(printed.join(''), /\| disk \|/);
  const page = String(await readFile(report));
  for (const text of [
    'Successive halving over 3 settings',
    'Calibration',
    'Importance',
    'memory',
  ]) {
    t.true(page.includes(text), text);
  }
  t.is((page.match(/<svg/g) ?? []).length, 5 * COMPONENTS.length);
  await t.throwsAsync(readFile(join(out, '.training', 'results.ndjson')), {code: 'ENOENT'});
});
