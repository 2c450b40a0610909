import {cp, mkdir, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {nodeFiles} from '../../../core/adapters/files-node.ts';
import {type ErrorCode, isForestayError} from '../../../core/domain/errors.ts';
import {stateOf} from '../../../models/registry/aliases.ts';
import type {Evaluation} from '../../../models/registry/promotion.ts';
import {openRegistry} from '../../../models/registry/registry.ts';
import {drawSnapshot} from '../drift-fixtures.ts';
import {ARTEFACTS, addedBy, makeFolder, makeRegistry, writeComponentModel} from './fixtures.ts';

const AUTHOR = {who: 'ada', why: 'a test', atMs: 2_000_000};

function evaluationOf(champion: string, challenger: string, passed: boolean): Evaluation {
  const gain = {mean: 0.1, lower: 0.05, upper: 0.2, blocks: 99, resamples: 2000};
  return {champion, challenger, data: 'drawn', seed: 1, passed, gain, checks: []};
}

test('the shipped artefacts become the first champions of their families, and are verified', async t => {
  const {registry} = await makeRegistry(t);
  for (const name of ['component-failure', 'component-outlook', 'reboot-intent']) {
    const entry = await registry.importArtefact(join(ARTEFACTS, name), addedBy('core'));
    t.is(entry.family, name);
    t.true(entry.metrics.length >= 5);
    t.is(registry.aliases(name).aliases.champion, entry.hash);
    t.is((await registry.verify(entry.hash)).hash, entry.hash);
    const again = await registry.importArtefact(join(ARTEFACTS, name), addedBy('core'));
    t.deepEqual(again, entry);
  }
  const later = await registry.importArtefact(
    join(ARTEFACTS, 'component-failure-1'),
    addedBy('core'),
  );
  t.is(stateOf(registry.aliases('component-failure').aliases, later.hash), 'retired');
  t.deepEqual(
    registry.list().entries.map(({family}) => family),
    ['component-failure', 'component-failure', 'component-outlook', 'reboot-intent'],
  );
  t.deepEqual(
    registry.history().records.map(({what}) => what),
    ['added', 'promote', 'added', 'promote', 'added', 'promote', 'added'],
  );
});

test('an entry keeps what was said of it: data, distribution, lineage, program, author', async t => {
  const {registry} = await makeRegistry(t);
  const parent = await registry.add(await writeComponentModel(t, 1), addedBy('ada'));
  const drift = drawSnapshot(3);
  const entry = await registry.add(await writeComponentModel(t, 2), {
    ...addedBy('bob', 7),
    codeVersion: '1.2.3',
    parent: parent.hash,
    dataHash: 'd1',
    drift,
  });
  t.like(
    registry.list().entries.find(({hash}) => hash === entry.hash),
    {
      parent: parent.hash,
      dataHash: 'd1',
      drift,
      codeVersion: '1.2.3',
      addedBy: 'bob',
      addedAtMs: 7,
      seed: 2,
    },
  );
});

const tampered: {
  title: string;
  code: ErrorCode;
  says: RegExp;
  damage(folder: string): Promise<void>;
}[] = [
  {
    title: 'a byte of the model is another',
    code: 'MODEL_HASH_MISMATCH',
    says: /the SHA-256 of model\.onnx is/,
    async damage(folder) {
      const bytes = await readFile(join(folder, 'model.onnx'));
      bytes[100] = (bytes[100] as number) ^ 1;
      await writeFile(join(folder, 'model.onnx'), bytes);
    },
  },
  {
    title: 'a file is gone',
    code: 'MODEL_UNREADABLE',
    says: /cannot read golden\.json/,
    damage: folder => rm(join(folder, 'golden.json')),
  },
  {
    title: 'a file came',
    code: 'MODEL_HASH_MISMATCH',
    says: /extra\.bin is not of it/,
    damage: folder => writeFile(join(folder, 'extra.bin'), 'x'),
  },
  {
    title: 'the entry says something else than what was signed',
    code: 'MODEL_UNTRUSTED',
    says: /its signature is not one of what lies there/,
    async damage(folder) {
      const text = await readFile(join(folder, 'entry.json'), 'utf8');
      await writeFile(join(folder, 'entry.json'), text.replace('"ada"', '"eve"'));
    },
  },
  {
    title: 'the signature is cut off',
    code: 'MODEL_HASH_MISMATCH',
    says: /signature\.json is not JSON/,
    damage: folder => writeFile(join(folder, 'signature.json'), '{"keyId"'),
  },
  {
    title: 'the entry is gone',
    code: 'MODEL_UNREADABLE',
    says: /cannot read entry\.json/,
    damage: folder => rm(join(folder, 'entry.json')),
  },
];

for (const {title, code, says, damage} of tampered) {
  test(`refused, and told apart from the sound ones: ${title}`, async t => {
    const {registry} = await makeRegistry(t);
    const sound = await registry.importArtefact(await writeComponentModel(t, 1), addedBy('ada'));
    const entry = await registry.add(await writeComponentModel(t, 2), addedBy('ada'));
    await damage(registry.folderOf(entry.hash));
    const error = await t.throwsAsync(registry.verify(entry.hash));
    t.true(isForestayError(error, code), String(error));
    t.regex(String(error), says);
    const {entries, damaged} = registry.list();
    t.deepEqual(
      entries.map(({hash}) => hash),
      [sound.hash],
    );
    t.deepEqual(
      damaged.map(each => each.hash),
      [entry.hash],
    );
    const promotion = registry.promote(entry.hash, AUTHOR, {force: true});
    t.true(isForestayError(await t.throwsAsync(promotion), code));
    t.is(registry.aliases('component-failure').aliases.champion, sound.hash);
    // What is said to help does: the same artefact makes it whole.
    await registry.add(await writeComponentModel(t, 2), addedBy('ada'));
    t.deepEqual(registry.list().damaged, []);
    t.is((await registry.verify(entry.hash)).hash, entry.hash);
  });
}

test('an entry that another registry signed is taken once its key is trusted', async t => {
  const [one, other] = [await makeRegistry(t), await makeRegistry(t)];
  const {hash} = await one.registry.add(await writeComponentModel(t, 3), addedBy('ada'));
  const mine = await other.registry.add(await writeComponentModel(t, 4), addedBy('ada'));
  await cp(one.registry.folderOf(hash), other.registry.folderOf(hash), {recursive: true});
  const error = await t.throwsAsync(other.registry.verify(hash));
  t.true(isForestayError(error, 'MODEL_UNTRUSTED'));
  t.regex(String(error), /is signed by key [0-9a-f]{16}, which is not in/);
  const keys = (directory: string) => join(directory, 'keys/trusted');
  await cp(keys(one.directory), keys(other.directory), {recursive: true});
  t.is((await other.registry.verify(hash)).hash, hash);
  t.is((await other.registry.verify(mine.hash)).hash, mine.hash);
});

test('the private key is its owner’s alone', async t => {
  const {registry, directory} = await makeRegistry(t);
  await registry.add(await writeComponentModel(t, 3), addedBy('ada'));
  t.is((await stat(join(directory, 'keys/private.pem'))).mode & 0o777, 0o600);
});

test('what does not fit its family, or does not give its golden risks, is not added', async t => {
  const {registry, directory} = await makeRegistry(t);
  const refuse = async (folder: string, code: ErrorCode, says: RegExp) => {
    const error = await t.throwsAsync(registry.add(folder, addedBy('ada')));
    t.true(isForestayError(error, code), String(error));
    t.regex(String(error), says);
  };
  const outlook = await writeComponentModel(t, 5, {name: 'component-outlook'});
  await refuse(outlook, 'MODEL_SIGNATURE_MISMATCH', /its feature contract is .*, known are/);
  await refuse(
    await writeComponentModel(t, 5, {name: 'mine'}),
    'NOT_FOUND',
    /no family of models is called mine/,
  );
  const wrong = await writeComponentModel(t, 6);
  const path = join(wrong, 'golden.json');
  const golden = JSON.parse(await readFile(path, 'utf8'));
  golden.risks[0][0] += 0.01;
  await writeFile(path, JSON.stringify(golden));
  await refuse(wrong, 'SCORER_FAILED', /golden row 0 gives/);
  const bare = await writeComponentModel(t, 7);
  await rm(join(bare, 'golden.json'));
  await refuse(bare, 'MODEL_UNREADABLE', /golden\.json cannot be read/);
  const broken = await makeFolder(t);
  await cp(join(ARTEFACTS, 'reboot-intent'), broken, {recursive: true});
  await writeFile(join(broken, 'explain.onnx'), 'no graph');
  await refuse(broken, 'MODEL_HASH_MISMATCH', /explain\.onnx: its SHA-256 is/);
  const unfit = await makeFolder(t);
  await cp(join(ARTEFACTS, 'reboot-intent'), unfit, {recursive: true});
  const manifest = JSON.parse(await readFile(join(unfit, 'manifest.json'), 'utf8'));
  for (const [fields, code, says] of [
    [{usual: []}, 'MODEL_UNREADABLE', /manifest\.json lacks what an agent relies on/],
    [{hidden: manifest.hidden + 1}, 'MODEL_SIGNATURE_MISMATCH', /its graph has \d+ cells/],
  ] as const) {
    await writeFile(join(unfit, 'manifest.json'), JSON.stringify({...manifest, ...fields}));
    await refuse(unfit, code, says);
  }
  await refuse(join(broken, 'nowhere'), 'MODEL_UNREADABLE', /manifest\.json cannot be read/);
  t.deepEqual(registry.list(), {entries: [], damaged: []});
  t.deepEqual(await readdir(join(directory, 'incoming')), []);
});

test('promoted is who was evaluated against today’s champion and passed, or who is forced with a reason', async t => {
  const {registry} = await makeRegistry(t);
  const add = async (seed: number) =>
    (await registry.add(await writeComponentModel(t, seed), addedBy('ada', seed))).hash;
  const [first, second, third] = [await add(1), await add(2), await add(3)];
  await registry.promote(first, AUTHOR);
  t.true(
    isForestayError(await t.throwsAsync(registry.promote(second, AUTHOR)), 'REGISTRY_CONFLICT'),
  );
  registry.recordEvaluation('component-failure', evaluationOf(first, second, true), AUTHOR);
  registry.recordEvaluation('component-failure', evaluationOf(first, second, false), AUTHOR);
  const failed = await t.throwsAsync(registry.promote(second, AUTHOR));
  t.regex(String(failed), /did not pass, or there is none/);
  registry.recordEvaluation('component-failure', evaluationOf(first, second, true), AUTHOR);
  // A look that shows nothing yet takes back nothing.
  const open = {...evaluationOf(first, second, false), isOpen: true};
  registry.recordEvaluation('component-failure', open, AUTHOR);
  t.like(await registry.promote(second, AUTHOR), {champion: second, previous: first});
  // Better than a champion that is none any more.
  registry.recordEvaluation('component-failure', evaluationOf(first, third, true), AUTHOR);
  t.true(
    isForestayError(await t.throwsAsync(registry.promote(third, AUTHOR)), 'REGISTRY_CONFLICT'),
  );
  const unsaid = await t.throwsAsync(registry.promote(third, {...AUTHOR, why: ''}, {force: true}));
  t.true(isForestayError(unsaid, 'INVALID_ARGUMENT'));
  t.like(await registry.promote(third, AUTHOR, {force: true}), {champion: third, previous: second});
  t.like(await registry.change('component-failure', {kind: 'rollback'}, AUTHOR), {
    champion: second,
    previous: third,
  });
});

test('pruned are retired entries but the newest; what has a name stays', async t => {
  const {registry} = await makeRegistry(t);
  const hashes: string[] = [];
  for (let seed = 1; seed <= 6; seed++) {
    const options = addedBy('ada', seed);
    hashes.push((await registry.add(await writeComponentModel(t, seed), options)).hash);
  }
  const [first, second, third, fourth, fifth, sixth] = hashes as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  await registry.promote(first, AUTHOR);
  await registry.promote(third, AUTHOR, {force: true});
  await registry.change('component-failure', {kind: 'challenge', hash: fourth}, AUTHOR);
  await rm(join(registry.folderOf(fifth), 'entry.json'));
  t.deepEqual(registry.removable({keep: 1, damaged: false}), [second]);
  const removed = registry.prune({keep: 1, damaged: false, author: AUTHOR});
  t.deepEqual(removed, [second]);
  t.deepEqual(registry.prune({keep: 0, damaged: true, author: AUTHOR}), [sixth, fifth]);
  t.deepEqual(
    registry.list().entries.map(({hash}) => hash),
    [fourth, third, first],
  );
});

test('an entry is named by the first digits of its hash or by an alias of its family', async t => {
  const {registry} = await makeRegistry(t);
  const {hash} = await registry.importArtefact(await writeComponentModel(t, 1), addedBy('ada'));
  t.is(registry.resolve(hash), hash);
  t.is(registry.resolve(hash.slice(0, 6)), hash);
  t.is(registry.resolve('component-failure@champion'), hash);
  const wrong: [string, ErrorCode][] = [
    ['component-failure@previous', 'NOT_FOUND'],
    ['component-failure@best', 'INVALID_ARGUMENT'],
    ['unheard-of@champion', 'NOT_FOUND'],
    [hash.slice(0, 3), 'INVALID_ARGUMENT'],
    ['../../etc', 'INVALID_ARGUMENT'],
    [hash.startsWith('0000') ? '1111' : '0000', 'NOT_FOUND'],
  ];
  for (const [text, code] of wrong) {
    t.true(
      isForestayError(
        t.throws(() => registry.resolve(text)),
        code,
      ),
      text,
    );
  }
});

test('a model of one family gets no name in another', async t => {
  const {registry} = await makeRegistry(t);
  const {hash} = await registry.add(await writeComponentModel(t, 1), addedBy('ada'));
  const error = await t.throwsAsync(
    registry.change('reboot-intent', {kind: 'promote', hash}, AUTHOR),
  );
  t.true(isForestayError(error, 'INVALID_ARGUMENT'));
});

test('what a process that died while adding left behind is swept, and never had a name', async t => {
  const {registry, directory} = await makeRegistry(t);
  const {hostname} = await import('node:os');
  const uuid = '00000000-0000-4000-8000-000000000000';
  // No process has this number: Linux gives none above 4,194,304.
  const gone = join(directory, 'incoming', `${hostname()}.4194999.${uuid}`);
  const elsewhere = join(directory, 'incoming', `another-host.4194999.${uuid}`);
  for (const folder of [gone, elsewhere]) {
    await mkdir(folder, {recursive: true});
    await writeFile(join(folder, 'model.onnx'), 'half');
  }
  t.deepEqual(registry.list(), {entries: [], damaged: []});
  await registry.add(await writeComponentModel(t, 1), addedBy('ada'));
  t.deepEqual(await readdir(join(directory, 'incoming')), [`another-host.4194999.${uuid}`]);
});

test('a registry that is nowhere yet is empty', async t => {
  const registry = openRegistry(join(await makeFolder(t), 'nowhere'), nodeFiles);
  t.deepEqual(registry.list(), {entries: [], damaged: []});
  t.like(registry.aliases('component-failure').aliases, {revision: 0, champion: null});
  t.deepEqual(registry.history(), {records: [], remarks: []});
});
