import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Command} from 'commander';
import {registerTrain} from '../../cli/train.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import {openSession} from '../../models/session.ts';

const FILES = ['model.onnx', 'manifest.json', 'golden.json', 'drift.json', 'README.md'];

async function train(t: ExecutionContext, ...more: string[]) {
  const out = await mkdtemp(join(tmpdir(), 'forestay-train-'));
  t.teardown(() => rm(out, {recursive: true}));
  const printed: string[] = [];
  const program = new Command().exitOverride();
  program.configureOutput({writeErr: () => {}, writeOut: text => printed.push(text)});
  registerTrain(program);
  const fleets = ['--fleets=3', '--unseen-fleets=2', '--hosts=12'];
  if (!more.includes('--family=component-outlook')) fleets.push('--minutes=30');
  const tiny = ['--threads=2', ...(more.includes('--data') ? [] : fleets)];
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

test.serial(
  'a model is judged beside the usual rules, another model and trainings on other hosts',
  async t => {
    const first = join(import.meta.dirname, '../../models/artefacts/component-failure-1');
    const {printed} = await train(t, '--repeats=2', '--baseline', first, '-o', 'json');
    const [cpu] = JSON.parse(printed.join('')).metrics;
    t.is(cpu.component, 'cpu');
    t.deepEqual(
      cpu.rivals.map(({name}: {name: string}) => name),
      ['threshold rule', 'component-failure f16445a5'],
    );
    // In time lapse one alert a host-day is what one in 1,000 host-days is in life.
    t.is(cpu.alerts.perHostDay, 1);
    t.is(cpu.spread.trainings, 2);
    const [least, most] = cpu.spread.logLoss;
    t.true(least < most && least <= cpu.logLoss && cpu.logLoss <= most);
  },
);

test.serial('the outlook learns from weeks, and says a day and a week of every part', async t => {
  const {read} = await train(t, '--family=component-outlook', '--days=14', '--fleets=6');
  const manifest = JSON.parse(String(await read('manifest.json')));
  t.is(manifest.name, 'component-outlook');
  t.deepEqual(manifest.components.slice(0, 3), ['cpu-24h', 'cpu-7d', 'memory-24h']);
  t.is(manifest.metrics[0].alerts.perHostDay, 0.001);
});

test.serial(
  'rows of one’s own are learned from, and what is the matter with them is said',
  async t => {
    const folder = await mkdtemp(join(tmpdir(), 'forestay-rows-'));
    t.teardown(() => rm(folder, {recursive: true}));
    const rows = ['group,second,disk_errors_per_second.level,swap_used_ratio.level,label_disk'];
    for (let host = 0; host < 60; host++) {
      for (let second = 0; second < 900; second += 90) {
        const fails = host % 3 === 0 && second >= 450;
        rows.push(`host-${host},${second},${fails ? 5 + host : host % 4},0,${Number(fails)}`);
      }
    }
    const file = join(folder, 'rows.csv');
    await writeFile(file, `${rows.join('\n')}\n`);
    const {read, printed} = await train(t, '--data', file, '-o', 'json');
    const [disk, ...others] = JSON.parse(printed.join('')).metrics;
    t.is(others.length, 0);
    t.is(disk.component, 'disk');
    t.true(disk.rocAuc > 0.8, JSON.stringify(disk));
    t.is(disk.alerts.perHostDay, 0.001);
    t.regex(String(await read('README.md')), /600 rows of 60 hosts of one’s own/);
    t.regex(String(await read('README.md')), /nothing is learned of it: swap_used_ratio\.level/);
    await writeFile(file, rows.slice(0, 1).join('\n'));
    const error = await t.throwsAsync(train(t, '--data', file));
    t.true(isForestayError(error, 'TRAINING_DATA_INVALID'));
  },
);

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
