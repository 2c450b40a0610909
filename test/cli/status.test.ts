/** What status and show say of models that only advise, and of partitions that disagree with a registry. */
import {truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {applyScores, applyTick} from '../../core/engine/read-model-fold.ts';
import {openRegistry} from '../../models/registry/registry.ts';
import {aScore, aTick, START_MS} from '../api/records.ts';
import {startApi} from '../api/server.ts';
import {aCellSkill} from '../support/cell-skills.ts';
import {temporaryFolder} from '../support/process.ts';
import {forestay} from './run.ts';

const FIRST = join(import.meta.dirname, '../../models/artefacts/component-failure-1');

/** A core whose partitions 0 and 1 score by `feed`, and in whose cell c1 a model only advises. */
async function startCore(t: ExecutionContext) {
  const started = await startApi(t);
  const {model, api} = started;
  for (const partition of [0, 1]) applyTick(model, partition, aTick(1));
  applyScores(model, 0, {...aScore(START_MS, [], []), skills: [aCellSkill()]});
  const run = (...args: string[]) => forestay([...args, '--server', api.grpcAddress]);
  return {...started, run};
}

test('status names models that only advise, and lifting says whose restraint it was, or that there was none', async t => {
  const {run, submitted} = await startCore(t);
  const {stdout} = await run('status');
  t.regex(
    stdout,
    /^c1: b{12} only advises since \d{4}-\d\d-\d\dT\S+Z: no skill in 12 failures; forestay skill/m,
  );
  t.like(JSON.parse((await run('status', '-o', 'json')).stdout), {
    restraints: [{cell: 'c1', because: 'no skill in 12 failures'}],
    disagreements: [],
  });
  t.regex((await run('lift-restraint', 'c1')).stdout, /^b{12} may act in c1 {2}\(request /);
  const none = await run('lift-restraint', 'c9');
  t.is(none.code, 0);
  t.regex(none.stdout, /^no model is restrained in c9: there was nothing to lift/);
  t.is(submitted.length, 2);
});

test('status and show say where partitions do not serve the registry’s champion; promoting it again tells them', async t => {
  const {run, submitted} = await startCore(t);
  const directory = temporaryFolder(t);
  const registry = openRegistry(directory, nodeFiles);
  const author = {who: 'ada', why: 'a test', atMs: START_MS};
  const {hash} = await registry.importArtefact(FIRST, {author, codeVersion: '0'});
  const says = new RegExp(
    `^partitions 0-1: scored by feed, while the registry in ${directory} says ${hash.slice(0, 12)}; `,
    'm',
  );
  const of = ['--registry', directory];
  t.regex((await run('status', ...of)).stdout, says);
  t.is(JSON.parse((await run('status', ...of, '-o', 'json')).stdout).disagreements.length, 1);
  const champion = 'component-failure@champion';
  t.regex((await run('models', 'show', champion, ...of)).stdout, says);
  const again = await run('models', 'promote', champion, ...of);
  t.is(again.code, 0, again.stderr);
  t.like(submitted[0], {kind: 'switch-model', modelHash: hash, percent: 100});
  t.regex(again.stdout, /^component-failure: champion \w{12}, as it was {2}\(revision 1\)/);
  t.is(registry.aliases('component-failure').aliases.revision, 1, 'nothing was changed');
});

test('status says of a champion that nobody could open again, while the core goes on', async t => {
  const {run} = await startCore(t);
  const directory = temporaryFolder(t);
  const registry = openRegistry(directory, nodeFiles);
  const author = {who: 'ada', why: 'a test', atMs: START_MS};
  const {hash} = await registry.importArtefact(FIRST, {author, codeVersion: '0'});
  truncateSync(join(registry.folderOf(hash), 'model.onnx'), 1000);
  const {stdout} = await run('status', '--registry', directory);
  t.regex(
    stdout,
    /^no core can open the champion .*\[MODEL_HASH_MISMATCH\] .*forestay models add/m,
  );
});

test('show needs no core, and status no configuration that can be read', async t => {
  const {run, api} = await startCore(t);
  const directory = temporaryFolder(t);
  const registry = openRegistry(directory, nodeFiles);
  const author = {who: 'ada', why: 'a test', atMs: START_MS};
  await registry.importArtefact(FIRST, {author, codeVersion: '0'});
  const nobody = ['--server', '127.0.0.1:1', '--registry', directory];
  const shown = await forestay(['models', 'show', 'component-failure@champion', ...nobody]);
  t.is(shown.code, 0, shown.stderr);
  t.notRegex(shown.stdout, /partition/);
  t.is((await run('status')).code, 0);
  const cwd = temporaryFolder(t);
  writeFileSync(join(cwd, 'forestay.yaml'), 'polcy: 1\n');
  const status = await forestay(['status', '--server', api.grpcAddress], {cwd});
  t.is(status.code, 0, status.stderr);
});
