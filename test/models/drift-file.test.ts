import {execFileSync} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {readDriftFile, writeDriftFile} from '../../models/drift-file.ts';
import {drawSnapshot} from './drift-fixtures.ts';

const MODEL = 'a'.repeat(64);

async function makeFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forestay-drift-'));
  t.teardown(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

test('a snapshot comes back as it was written; without one there is none', async t => {
  const folder = await makeFolder(t);
  t.is(await readDriftFile(folder, MODEL), null);
  const snapshot = drawSnapshot(1);
  await writeDriftFile(folder, MODEL, snapshot);
  t.deepEqual(await readDriftFile(folder, MODEL), snapshot);
  const text = await readFile(join(folder, 'drift.json'), 'utf8');
  t.is(text.split('\n').length, 4, 'a line each feature');
});

test('a snapshot of another model is refused', async t => {
  const folder = await makeFolder(t);
  await writeDriftFile(folder, 'b'.repeat(64), drawSnapshot(1));
  await t.throwsAsync(readDriftFile(folder, MODEL), {code: 'MODEL_HASH_MISMATCH'});
});

test('what is no snapshot is refused, with the reason', async t => {
  const folder = await makeFolder(t);
  const path = join(folder, 'drift.json');
  const {features, ...counts} = drawSnapshot(1);
  const [first, ...others] = features;
  const withFirst = (change: object) => ({
    model: MODEL,
    snapshot: {...counts, features: [{...first, ...change}, ...others]},
  });
  const contents: Record<string, [unknown, RegExp]> = {
    null: [null, /no object/],
    'no snapshot': [{model: MODEL}, /no object/],
    'no rows': [{model: MODEL, snapshot: {...counts, rows: 0, features}}, /counts/],
    'no features': [{model: MODEL, snapshot: {...counts, features: []}}, /no features/],
    'edges that fall': [withFirst({edges: [2, 1], shares: [0.2, 0.3, 0.4, 0.1]}), /feature 1 /],
    'too few shares': [withFirst({shares: [1]}), /feature 1 /],
    'a share of 2': [withFirst({edges: [], shares: [2, 0]}), /feature 1 /],
    'too many bins': [
      withFirst({edges: [1, 2, 3, 4, 5, 6, 7, 8, 9], shares: new Array(11).fill(0.09)}),
      /feature 1 /,
    ],
    'a likeness that is a text': [withFirst({hostLikeness: '0'}), /feature 1 /],
    'a range of one': [withFirst({range: [1]}), /feature 1 /],
  };
  for (const [name, [content, message]] of Object.entries(contents)) {
    await writeFile(path, JSON.stringify(content));
    await t.throwsAsync(readDriftFile(folder, MODEL), {code: 'MODEL_UNREADABLE', message}, name);
  }
  await writeFile(path, '{"model": ');
  await t.throwsAsync(readDriftFile(folder, MODEL), {message: /not JSON/});
  await writeFile(path, ' '.repeat(1_000_001));
  await t.throwsAsync(readDriftFile(folder, MODEL), {message: /1000001 bytes/});
});

test('classes of hardware come back as well, and are checked like the whole', async t => {
  const folder = await makeFolder(t);
  const {features, ...counts} = drawSnapshot(1);
  const classes = [{hardware: 'a "{"name":" b', ...drawSnapshot(2)}];
  const snapshot = {...counts, features, isOwnFleet: true, classes};
  await writeDriftFile(folder, MODEL, snapshot);
  t.deepEqual(await readDriftFile(folder, MODEL), snapshot);
  for (const wrong of [
    {},
    [{...drawSnapshot(2)}],
    [{hardware: 'a', ...counts, features: [features[0]]}],
  ]) {
    await writeDriftFile(folder, MODEL, {...snapshot, classes: wrong as typeof classes});
    await t.throwsAsync(readDriftFile(folder, MODEL), {code: 'MODEL_UNREADABLE'});
  }
});

test('nobody waits for a pipe', async t => {
  const folder = await makeFolder(t);
  execFileSync('mkfifo', [join(folder, 'drift.json')]);
  await t.throwsAsync(readDriftFile(folder, MODEL), {code: 'MODEL_UNREADABLE'});
});
