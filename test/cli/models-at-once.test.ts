/** Two people, or a person and a keeper, who promote at the same moment. */
import {join} from 'node:path';
import test from 'ava';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {openRegistry} from '../../models/registry/registry.ts';
import {temporaryFolder} from '../support/process.ts';
import {forestay} from './run.ts';

const ARTEFACTS = join(import.meta.dirname, '../../models/artefacts');

test('of two who promote from the same revision one wins, and the other is told by whom', async t => {
  const directory = temporaryFolder(t);
  const registry = openRegistry(directory, nodeFiles);
  const author = {who: 'eve', why: 'a test', atMs: Date.now()};
  for (const folder of ['component-failure-1', 'component-failure']) {
    await registry.importArtefact(join(ARTEFACTS, folder), {author, codeVersion: '0'});
  }
  const {champion, revision} = registry.aliases('component-failure').aliases;
  const hash = registry.list().entries.find(entry => entry.hash !== champion)?.hash ?? '';
  const promote = async (who: string) => {
    const asked = ['--force', '--why', `${who} asks`, '--author', who, '--no-core'];
    const at = ['--registry', directory, '--revision', `${revision}`];
    return {who, ...(await forestay(['models', 'promote', hash, ...asked, ...at]))};
  };
  const both = await Promise.all([promote('ada'), promote('bob')]);
  const [won, lost] = both.toSorted((a, b) => (a.code ?? 99) - (b.code ?? 99)) as typeof both;
  t.deepEqual([won?.code, lost?.code], [0, 7]);
  t.regex(
    won?.stdout ?? '',
    new RegExp(`champion ${hash.slice(0, 12)}.*\\(revision ${revision + 1}\\)`),
  );
  t.regex(lost?.stderr ?? '', new RegExp(`REGISTRY_CONFLICT.*${won?.who}`));
  const {aliases} = registry.aliases('component-failure');
  t.like(aliases, {
    champion: hash,
    previous: champion,
    revision: revision + 1,
    changedBy: won?.who,
  });
  const {records} = registry.history();
  t.deepEqual(
    records
      .filter(({what}) => what === 'promote')
      .map(({why}) => why)
      .slice(-1),
    [`${won?.who} asks`],
  );
});
