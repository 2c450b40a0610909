import {copyFile, mkdtemp, readFile, rm, truncate, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {writeArtefact} from '../../models/artefact.ts';
import {loadModel} from '../../models/load-model.ts';
import {flattenRows} from '../../models/manifest.ts';
import {openRegistry} from '../../models/registry/registry.ts';
import type {TreeModel} from '../../models/trees/tree-model.ts';
import {forestay} from './run.ts';

const ARTEFACTS = join(import.meta.dirname, '../../models/artefacts');
const FIRST = 'f16445a59e43';

async function makeFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forestay-models-'));
  t.teardown(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

/** A registry with the first model as champion and today's beside it. */
async function makeRegistry(t: ExecutionContext) {
  const directory = await makeFolder(t);
  const models = (...args: string[]) =>
    forestay(['models', ...args, '--registry', directory], {env: {NO_COLOR: '1'}});
  const registry = openRegistry(directory, nodeFiles);
  const add = async (folder: string) => {
    const author = {who: 'ada', why: 'a test', atMs: Date.now()};
    const entry = await registry.importArtefact(folder, {author, codeVersion: '0.0.0'});
    return entry.hash;
  };
  const first = await add(join(ARTEFACTS, 'component-failure-1'));
  return {directory, models, add, first, second: await add(join(ARTEFACTS, 'component-failure'))};
}

test('a model is taken in with the spread of fleets that it learned from, and its parent', async t => {
  const {models, directory} = await makeRegistry(t);
  const folder = join(ARTEFACTS, 'component-outlook');
  const added = await models('add', folder, '--parent', FIRST, '--fleets', '1', '--json');
  t.is(added.code, 0, added.stderr);
  const {hash} = JSON.parse(added.stdout);
  const {entries} = openRegistry(directory, nodeFiles).list();
  const entry = entries.find(each => each.hash === hash);
  t.regex(entry?.parent ?? '', new RegExp(`^${FIRST}`));
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  t.deepEqual(
    entry?.drift?.features.map(({name}) => name),
    manifest.features,
  );
  t.like(entry?.drift, {hosts: 24, fleets: 1});
  const shown = (await models('show', hash)).stdout;
  t.regex(shown, /^spread +168 features over \d+ rows of 24 hosts in one fleet$/m);
  t.is((await models('add', join(ARTEFACTS, 'reboot-intent'), '--fleets', '1')).code, 2);
});

test('models are listed, shown, promoted, rolled back, and each step is in the history', async t => {
  const {models, second} = await makeRegistry(t);
  const listed = await models('list');
  t.regex(
    listed.stdout,
    /^component-failure +champion +f16445a59e43 +1 +\d+[sm] +AP 0\.364, base 2\.55 % \(mean of 5 outputs\) +310\.4 KiB$/m,
  );
  t.regex(listed.stdout, new RegExp(`^component-failure +- +${second.slice(0, 12)}`, 'm'));
  const shown = JSON.parse((await models('show', second.slice(0, 6), '-o', 'json')).stdout);
  const drift = {hosts: 14_361, fleets: 600};
  t.like(shown, {hash: second, alias: 'retired', family: 'component-failure', drift});
  t.regex((await models('show', 'component-failure@champion')).stdout, /^alias +champion$/m);
  t.regex((await models('card', FIRST)).stdout, /^# component-failure, version 1\n/);

  const refused = await models('promote', second);
  t.is(refused.code, 7);
  t.regex(refused.stderr, /REGISTRY_CONFLICT.* did not pass, or there is none/);
  t.is((await models('promote', second, '--force')).code, 2);
  const forced = await models('promote', second, '--force', '--why', 'a drill');
  t.regex(forced.stdout, /champion .*, before f16445a59e43 {2}\(revision 2\)/);
  t.regex((await models('rollback', 'component-failure')).stdout, /champion f16445a59e43/);
  const {records} = JSON.parse((await models('history', '--json')).stdout);
  t.deepEqual(
    records.map(({what, why}: {what: string; why: string}) => [what, why]),
    [
      ['added', 'a test'],
      ['promote', 'a test'],
      ['added', 'a test'],
      ['promote', 'a drill'],
      ['rollback', ''],
    ],
  );
  t.regex((await models('history', 'reboot-intent')).stdout, /nothing was done yet/);
});

test('of two who promote on what they saw at once one does, the other is told who was first', async t => {
  const {models, second} = await makeRegistry(t);
  const both = await Promise.all(
    ['ada', 'bob'].map(author =>
      models('promote', second, '--force', '--why', 'mine', '--revision', '1', '--author', author),
    ),
  );
  t.deepEqual(both.map(({code}) => code).sort(), [0, 7]);
  const winner = both[0]?.code === 0 ? 'ada' : 'bob';
  const loser = both.find(({code}) => code === 7);
  t.regex(loser?.stderr ?? '', new RegExp(`${winner} was first and made revision 2`));
});

/** Today's model, but sure of a failure wherever it had its doubts. */
async function writeAlarmist(t: ExecutionContext): Promise<string> {
  const folder = await makeFolder(t);
  const {trees, signature, usual, golden} = await loadModel(join(ARTEFACTS, 'component-failure'));
  const model = trees as TreeModel;
  const {name, featureHash, components, requiredMetrics, contract} = signature;
  const rows = flattenRows(golden?.features ?? []);
  await writeArtefact(
    folder,
    {...model, offsets: model.offsets.map(offset => offset + 3)},
    {name, featureHash, components, requiredMetrics, seed: 1, data: 'spoilt'},
    {version: 'bad', contract, metrics: [], limits: [], usual},
    rows,
  );
  await writeFile(join(folder, 'README.md'), '# an alarmist\n');
  return folder;
}

test('a bad model is not promoted; one that is shown to be better on fleets that were not seen is', async t => {
  const {models, add, second} = await makeRegistry(t);
  await models('promote', second, '--force', '--why', 'today’s');
  const bad = await add(await writeAlarmist(t));
  const fleets = ['--fleets=5', '--hosts=12', '--minutes=30', '--seed=7001'];
  const judged = await models('evaluate', bad, ...fleets, '--json');
  t.is(judged.code, 10, judged.stderr);
  const {evaluation, metrics, data} = JSON.parse(judged.stdout);
  t.false(evaluation.passed);
  t.true(evaluation.gain.upper < 0);
  t.is(metrics.length, 5);
  t.regex(data, /rows of simulated fleets, seed 1007001/);
  t.is((await models('promote', bad)).code, 7);

  t.is((await models('promote', bad, '--force', '--why', 'a drill')).code, 0);
  const better = await models('evaluate', second, ...fleets);
  t.is(better.code, 0, better.stderr + better.stdout);
  t.regex(better.stdout, /^gain +yes +\d\.\d+ less log-loss a row, with 95\.0 % at least \d/m);
  t.regex(better.stdout, /is better than .*: it may be promoted$/m);
  t.is((await models('promote', second)).code, 0);
});

test('models are evaluated on rows of one’s own, alike every time, and only against their family', async t => {
  const {models, add, second, directory} = await makeRegistry(t);
  const rows = ['group,second,disk_errors_per_second.level,label_disk'];
  for (let host = 0; host < 60; host++) {
    for (let time = 0; time < 900; time += 90) {
      const fails = host % 3 === 0 && time >= 450;
      rows.push(`host-${host},${time},${fails ? 40 + host : 0},${Number(fails)}`);
    }
  }
  const file = join(directory, 'rows.csv');
  await writeFile(file, `${rows.join('\n')}\n`);
  const [one, same] = await Promise.all(
    [1, 2].map(() => models('evaluate', second, '--data', file, '--json')),
  );
  const [first, again] = [one, same].map(ran => JSON.parse(ran?.stdout ?? ''));
  t.regex(first.data, /600 rows of 60 hosts of/);
  t.is(first.evaluation.gain.blocks, 60);
  t.deepEqual(again.metrics, first.metrics);
  t.deepEqual(again.evaluation.gain, first.evaluation.gain);
  const outlook = await add(join(ARTEFACTS, 'component-outlook'));
  const wrong = await models('evaluate', second, '--against', outlook, '--data', file);
  t.is(wrong.code, 2);
  t.regex(wrong.stderr, /name two of one family/);
});

test('reboot intent is evaluated on fleets of its own', async t => {
  const {models, add} = await makeRegistry(t);
  const hash = await add(join(ARTEFACTS, 'reboot-intent'));
  const judged = await models(
    'evaluate',
    hash,
    '--fleets=2',
    '--hosts=4',
    '--minutes=20',
    '--json',
  );
  t.is(judged.code, 0, judged.stderr);
  t.is(JSON.parse(judged.stdout).evaluation, null);
  t.is((await models('evaluate', hash, '--data', 'x.csv')).code, 2);
});

test('a damaged model is told, and hides no other; verify says no', async t => {
  const {models, first, second, directory} = await makeRegistry(t);
  const path = join(directory, 'entries', second, 'model.onnx');
  const bytes = await readFile(path);
  bytes[1000] = (bytes[1000] as number) ^ 0xff;
  await writeFile(path, bytes);
  const listed = await models('list', '--json');
  t.is(listed.code, 0);
  const {models: sound, damaged} = JSON.parse(listed.stdout);
  t.deepEqual([sound.length, damaged.length], [1, 1]);
  t.is(damaged[0].code, 'MODEL_HASH_MISMATCH');
  t.regex(listed.stderr, /is refused: \[MODEL_HASH_MISMATCH\]/);
  const verified = await models('verify');
  t.is(verified.code, 10);
  t.regex(verified.stdout, /f16445a59e43 {2}sound {2}component-failure/);
  t.regex(verified.stdout, /refused {2}\[MODEL_HASH_MISMATCH\]/);
  t.is((await models('verify', FIRST)).code, 0);
  t.is((await models('promote', second, '--force', '--why', 'x')).code, 3);
  t.is((await models('show', second)).code, 3);
  t.regex((await models('prune')).stderr, /is damaged and stays: --damaged is for such ones/);
  t.regex((await models('prune', '--damaged', '--keep', '0')).stdout, /^would remove .*give --yes/);
  t.regex((await models('prune', '--damaged', '--yes')).stdout, /^removed /);
  t.is((await models('verify')).code, 0);
  await truncate(join(directory, 'entries', first, 'model.onnx'), 1000);
  const kept = await models('prune', '--damaged', '--yes');
  t.regex(kept.stderr, /f16445a59e43 is damaged and stays, as an alias names it/);
  t.regex(kept.stdout, /^nothing to remove/);
});

test('without a folder the registry is in the data folder of the configuration', async t => {
  const cwd = await makeFolder(t);
  const config = join(cwd, 'forestay.yaml');
  await writeFile(config, 'core: {dataDir: data}\n');
  await copyFile(config, join(cwd, 'other.yaml'));
  const added = await forestay(['models', 'add', join(ARTEFACTS, 'component-outlook')], {cwd});
  t.is(added.code, 0, added.stderr);
  const listed = await forestay(['models', 'list', '--json', '--config', 'other.yaml'], {cwd});
  const {registry, models} = JSON.parse(listed.stdout);
  t.is(registry, join(cwd, 'data', 'models'));
  t.is(models.length, 1);
});

test('what is not there is told as such', async t => {
  const registry = ['--registry', await makeFolder(t)];
  const run = (...args: string[]) => forestay(['models', ...args, ...registry]);
  t.regex((await run('list')).stdout, /no models in .*; forestay models add takes one in/);
  const cases: [string[], number][] = [
    [['show', 'abcdef'], 5],
    [['show', 'abc'], 2],
    [['show', 'reboot-intent@champion'], 5],
    [['rollback', 'reboot-intent'], 7],
    [['rollback', 'nothing'], 5],
    [['add', '/nowhere'], 3],
    [['promote'], 2],
    [['evaluate', 'abcdef', '--seed', '5'], 2],
  ];
  for (const [args, code] of cases) {
    const ran = await run(...args);
    t.is(ran.code, code, `${args.join(' ')}: ${ran.stderr}`);
  }
});
