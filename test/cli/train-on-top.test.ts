import {cp, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Command} from 'commander';
import {registerTrain} from '../../cli/train.ts';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {COMPONENTS} from '../../core/domain/components.ts';
import {isForestayError} from '../../core/domain/errors.ts';
import {readDriftFile} from '../../models/drift-file.ts';
import {writeExamples} from '../../models/keeper/example-file.ts';
import type {ExampleSet} from '../../models/keeper/example-set.ts';
import {loadModel} from '../../models/load-model.ts';
import type {Manifest} from '../../models/manifest.ts';
import {createUniform} from '../../models/random.ts';
import {openSession} from '../../models/session.ts';
import {scoreTrees, type TreeModel} from '../../models/trees/tree-model.ts';
import {makeExamples} from '../models/on-top-fixtures.ts';

const PARENT = join(import.meta.dirname, '../../models/artefacts/component-failure');

async function folderOf(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forestay-on-top-'));
  t.teardown(() => rm(folder, {recursive: true}));
  return folder;
}

async function train(
  t: ExecutionContext,
  set: ExampleSet,
  {parent = PARENT, more = []}: {parent?: string; more?: string[]} = {},
) {
  const folder = await folderOf(t);
  const examples = join(folder, 'examples.bin');
  const out = join(folder, 'out');
  const sha256 = writeExamples(nodeFiles, examples, set);
  const program = new Command().exitOverride();
  program.configureOutput({writeErr: () => {}, writeOut: () => {}});
  registerTrain(program);
  const args = ['--examples', examples, '--parent', parent, '--out', out, '--threads=1'];
  await program.parseAsync(['train', ...args, ...more], {from: 'user'});
  const manifest = JSON.parse(String(await readFile(join(out, 'manifest.json')))) as Manifest;
  return {out, manifest, sha256};
}

async function refused(t: ExecutionContext, code: string, says: RegExp, ...of: unknown[]) {
  const [set, options] = of as [ExampleSet, Parameters<typeof train>[2]?];
  const error = await t.throwsAsync(train(t, set, options));
  t.true(isForestayError(error, code as 'INVALID_ARGUMENT'), `${error}`);
  t.regex(error?.message ?? '', says);
}

test.serial(
  'what a fleet showed is learned, and what it did not show is said as before',
  async t => {
    const set = makeExamples();
    const {out, manifest, sha256} = await train(t, set);
    const session = await openSession(out);
    t.teardown(() => session.release());
    const [below, above] = [await loadModel(PARENT), await loadModel(out)];
    const [before, after] = [below, above].map(({trees}) =>
      scoreTrees(trees as TreeModel, set.rows, set.features),
    ) as [Float32Array, Float32Array];
    const failing = set.targets.indexOf(1);
    t.true((after[failing] as number) > 5 * (before[failing] as number));
    for (const [at, risk] of before.entries()) {
      if (COMPONENTS[at % COMPONENTS.length] !== 'disk') t.is(after[at], risk);
    }
    t.is(manifest.version, '4');
    t.like(manifest.onTop, {parent: below.signature.hash, parentVersion: '3', examples: sha256});
    const [cpu, , disk] = manifest.onTop?.outputs ?? [];
    t.like(cpu, {output: 'cpu', failures: 0, trees: 0, before: null});
    t.true((disk?.after as number) < 0.8 * (disk?.before as number));
    t.true((disk?.gainAtLeast as number) > 0);
    t.is(manifest.metrics[2]?.positives, 120);
    t.is(manifest.metrics[2]?.episodes.failures, 10, 'of the others it is not seen that they came');
    t.truthy(await readDriftFile(out, manifest.sha256));
    const card = String(await readFile(join(out, 'README.md')));
    t.regex(card, /Trained on top of version 3/);
    t.regex(card, /\| cpu \| 0 \| none: kept as it was \|/);
    t.regex(card, /3 that nobody named taught nothing/);
  },
);

test.serial('the same examples, parent and seed give the same bytes', async t => {
  const set = makeExamples();
  const [one, same, other] = [
    await train(t, set),
    await train(t, set),
    await train(t, set, {more: ['--seed=1001', '--model-version=mine']}),
  ];
  for (const file of ['model.onnx', 'manifest.json', 'golden.json', 'README.md', 'drift.json']) {
    const [first, second] = [one, same].map(({out}) => readFile(join(out, file)));
    t.deepEqual(await first, await second);
  }
  t.not(one.manifest.sha256, other.manifest.sha256);
  t.is(other.manifest.version, 'mine');
});

test.serial('a line of models ends where it has grown too far', async t => {
  const {out, manifest} = await train(t, makeExamples());
  const next = await train(t, makeExamples({failures: 3}), {parent: out});
  t.is(next.manifest.version, '5');
  t.is(next.manifest.onTop?.firstNodes, manifest.onTop?.firstNodes);
  t.is(next.manifest.limits.filter(limit => limit.startsWith('What was added')).length, 1);
  const grown = join(await folderOf(t), 'grown');
  await cp(out, grown, {recursive: true});
  const onTop = {...manifest.onTop, firstNodes: 2000};
  await writeFile(join(grown, 'manifest.json'), JSON.stringify({...manifest, onTop}));
  await refused(t, 'INVALID_ARGUMENT', /no more than 6000 are allowed, 3 times/, makeExamples(), {
    parent: grown,
  });
});

test.serial('examples that cannot teach are refused, and say why', async t => {
  const set = makeExamples();
  const invalid = (says: RegExp, wrong: ExampleSet) =>
    refused(t, 'TRAINING_DATA_INVALID', says, wrong);
  await invalid(/of the feature contract 7, .* reads \d+/, {...set, featureHash: 7});
  await invalid(/rows of 4 hosts, at least 5/, makeExamples({hosts: 4}));
  await invalid(
    /too few failures \(cpu 0, .*disk 6,.*; 3 of which nobody/,
    makeExamples({hosts: 6, failures: 1}),
  );
  // What the model below says is the truth: there is nothing to be added.
  const {trees} = await loadModel(PARENT);
  const random = createUniform(3);
  const risks = scoreTrees(trees as TreeModel, set.rows, set.features);
  const targets = risks.map(risk => Number(random() < risk));
  await invalid(/nothing of it helps on hosts that were not learned/, {...set, targets});
  const reversed = {...set, outputs: COMPONENTS.toReversed()};
  await invalid(/its labels are of power, network/, reversed);
});

test.serial('options that do not go together are refused before any work', async t => {
  const set = makeExamples();
  const needless = (option: string) =>
    refused(t, 'INVALID_ARGUMENT', /of no use with --examples|is for|not for/, set, {
      more: [option],
    });
  for (const option of [
    '--fleets=3',
    '--budget=1m',
    '--repeats=2',
    '--report=x.html',
    '--data=x.csv',
  ]) {
    await needless(option);
  }
  await refused(t, 'INVALID_ARGUMENT', /not for reboot-intent/, set, {
    more: ['--family=reboot-intent'],
  });
  const program = new Command().exitOverride();
  registerTrain(program);
  const error = await t.throwsAsync(
    program.parseAsync(['train', '--examples=x', '--out', await folderOf(t)], {from: 'user'}),
  );
  t.regex(error?.message ?? '', /--parent is missing/);
});
