import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import {openAliasStore} from '../../../models/registry/alias-store.ts';
import {openRegistry} from '../../../models/registry/registry.ts';
import {ARTEFACTS, addedBy, makeFolder} from './fixtures.ts';

const FAMILY = 'component-failure';
const ROUNDS = 120;
const RIVAL = join(import.meta.dirname, './rival-process.ts');
const DYING = join(import.meta.dirname, './dying-process.ts');

test('of two processes that promote at once exactly one makes each revision', async t => {
  const directory = await makeFolder(t);
  const rivals = ['ada', 'bob'].map(who => {
    const args = [RIVAL, directory, who, String(ROUNDS), FAMILY];
    const child = spawn(process.execPath, args, {stdio: ['pipe', 'pipe', 'inherit']});
    t.teardown(() => child.kill('SIGKILL'));
    return {who, child};
  });
  await Promise.all(rivals.map(({child}) => once(child.stdout, 'data')));
  const results = await Promise.all(
    rivals.map(async ({who, child}) => {
      let said = '';
      child.stdout.on('data', chunk => {
        said += chunk;
      });
      child.stdin.write('go\n');
      await once(child, 'close');
      return {who, ...(JSON.parse(said) as {won: number[]; lost: number})};
    }),
  );
  const [first, second] = results as [(typeof results)[0], (typeof results)[0]];
  const revisions = [...first.won, ...second.won].sort((a, b) => a - b);
  t.deepEqual(
    revisions,
    Array.from({length: revisions.length}, (_, at) => at + 1),
  );
  t.is(revisions.length + first.lost + second.lost, 2 * ROUNDS);
  t.true(first.won.length > 0 && second.won.length > 0);
  t.true(first.lost + second.lost > 0, 'they never met: the race was not run');
  const {aliases, remarks} = openAliasStore(nodeFiles, directory).read(FAMILY);
  t.is(aliases.revision, revisions.length);
  t.deepEqual(remarks, []);
  const {records, remarks: damage} = openRegistry(directory, nodeFiles).history();
  t.deepEqual(damage, []);
  for (const {who, won} of results) {
    const told = records.filter(record => record.who === who);
    t.deepEqual(told.flatMap(({aliases: after}) => after?.revision ?? []).sort(), [...won].sort());
  }
});

test('whenever a process dies while it adds a model, there is none of that name, and the next adds it', async t => {
  const artefact = join(ARTEFACTS, FAMILY);
  // model, manifest, golden rows, card, entry, signature
  await Promise.all(
    Array.from({length: 6}, async (_, writes) => {
      const directory = await makeFolder(t);
      const args = [DYING, directory, artefact, String(writes)];
      const child = spawn(process.execPath, args, {stdio: 'inherit'});
      const [, signal] = await once(child, 'close');
      t.is(signal, 'SIGKILL', `at write ${writes}`);
      const registry = openRegistry(directory, nodeFiles);
      t.deepEqual(registry.list(), {entries: [], damaged: []});
      t.is((await readdir(join(directory, 'incoming'))).length, 1);
      const {hash} = await registry.add(artefact, addedBy('ada'));
      t.is((await registry.verify(hash)).addedBy, 'ada');
      t.deepEqual(await readdir(join(directory, 'incoming')), []);
    }),
  );
});

test('what is no file of a registry is passed over', async t => {
  const directory = await makeFolder(t);
  const registry = openRegistry(directory, nodeFiles);
  const {hash} = await registry.importArtefact(join(ARTEFACTS, FAMILY), addedBy('ada'));
  await writeFile(join(directory, 'entries', 'notes.txt'), 'mine');
  await writeFile(join(directory, 'aliases', FAMILY, '00000002.json.new'), '{');
  t.deepEqual(
    registry.list().entries.map(entry => entry.hash),
    [hash],
  );
  t.like(registry.aliases(FAMILY), {aliases: {champion: hash, revision: 1}, remarks: []});
});
