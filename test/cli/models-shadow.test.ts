import {join} from 'node:path';
import test from 'ava';
import {nodeFiles} from '../../core/adapters/files-node.ts';
import {openRegistry} from '../../models/registry/registry.ts';
import {writeComponentModel} from '../models/registry/fixtures.ts';
import {temporaryFolder} from '../support/process.ts';
import {forestay} from './run.ts';

const ARTEFACTS = join(import.meta.dirname, '../../models/artefacts');

test('a model is named as challenger and serves nobody, until that is ended; cores are not asked for it', async t => {
  const directory = temporaryFolder(t);
  const registry = openRegistry(directory, nodeFiles);
  const options = {author: {who: 'ada', why: 'a test', atMs: Date.now()}, codeVersion: '0'};
  const {hash: first} = await registry.importArtefact(
    join(ARTEFACTS, 'component-failure-1'),
    options,
  );
  const {hash} = await registry.add(await writeComponentModel(t, 2), options);
  const {hash: foreign} = await registry.add(join(ARTEFACTS, 'component-failure'), options);
  const models = (...args: string[]) =>
    forestay(['models', ...args, '--registry', directory], {env: {NO_COLOR: '1'}});

  const refused = await models('shadow', foreign);
  t.is(refused.code, 3);
  t.regex(refused.stderr, /MODEL_SIGNATURE_MISMATCH.*it reads feature contract/);
  const named = await models('shadow', hash.slice(0, 8), '--why', 'a look at it');
  t.is(named.code, 0, named.stderr);
  t.regex(
    named.stdout,
    new RegExp(
      `${hash.slice(0, 12)} challenges ${first.slice(0, 12)}, and serves nobody {2}\\(revision 2\\)`,
    ),
  );
  t.regex(named.stdout, /cores that share this registry compare it/);
  t.like(registry.aliases('component-failure').aliases, {
    champion: first,
    challenger: hash,
    canaryPercent: 0,
  });
  t.regex((await models('list')).stdout, /^component-failure +challenger/m);

  t.is((await models('shadow', first)).code, 7);
  t.is((await models('shadow', hash, '--revision', '1')).code, 7);
  const other = await models('shadow', first, '--end');
  t.is(other.code, 7);
  t.regex(other.stderr, /cannot end the shadow of/);
  const ended = await models('shadow', 'component-failure@challenger', '--end', '--json');
  t.like(JSON.parse(ended.stdout), {challenger: null, revision: 3});

  const keeper = {atMs: 1, refusals: 1, coolDownUntilMs: 2};
  const found = {what: 'training-began', hash, keeper} as const;
  registry.recordFinding('component-failure', found, {...options.author, who: 'keeper'});
  const {stdout} = await models('history');
  const line = `challenge +component-failure +- +${hash.slice(0, 12)} +a look at it`;
  t.regex(stdout, new RegExp(line));
  t.regex(stdout, /keeper +training began +component-failure/);
});
