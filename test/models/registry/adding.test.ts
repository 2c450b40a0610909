import {execFileSync} from 'node:child_process';
import {rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {writeDriftFile} from '../../../models/drift-file.ts';
import {decodeEntry, encodeEntry} from '../../../models/registry/entry.ts';
import {drawSnapshot} from '../drift-fixtures.ts';
import {addedBy, makeRegistry, writeComponentModel} from './fixtures.ts';

test('an entry takes the spread of its inputs from beside the model, unless another is given', async t => {
  const {registry} = await makeRegistry(t);
  const without = await registry.add(await writeComponentModel(t, 1), addedBy('ada'));
  t.is(without.drift, null);
  for (const seed of [2, 3]) {
    const folder = await writeComponentModel(t, seed);
    const {hash} = await registry.add(folder, addedBy('ada'));
    registry.prune({keep: 0, damaged: false, author: addedBy('ada').author});
    await writeDriftFile(folder, hash, drawSnapshot(seed));
    const given = seed === 2 ? {} : {drift: drawSnapshot(9)};
    const entry = await registry.add(folder, {...addedBy('ada'), ...given});
    t.deepEqual(entry.drift, drawSnapshot(seed === 2 ? 2 : 9));
    t.deepEqual(registry.read(hash).drift, entry.drift);
  }
});

test('a model with the spread of another one is not taken in', async t => {
  const {registry} = await makeRegistry(t);
  const folder = await writeComponentModel(t, 1);
  await writeDriftFile(folder, 'c'.repeat(64), drawSnapshot(1));
  await t.throwsAsync(registry.add(folder, addedBy('ada')), {code: 'MODEL_HASH_MISMATCH'});
  await writeFile(join(folder, 'drift.json'), '[]');
  await t.throwsAsync(registry.add(folder, addedBy('ada')), {code: 'MODEL_UNREADABLE'});
  t.is(registry.list().entries.length, 0);
});

test('an entry of before, whose spread was kept otherwise, has none', async t => {
  const {registry} = await makeRegistry(t);
  const entry = await registry.add(await writeComponentModel(t, 1), addedBy('ada'));
  const former = {...entry, drift: [{feature: 'x', edges: [1], shares: [0.4, 0.5], missing: 0.1}]};
  t.is(decodeEntry(encodeEntry(former as never), 'entry.json').drift, null);
});

test('a pipe in place of a file is refused, and nobody waits for it', async t => {
  const {registry} = await makeRegistry(t);
  for (const name of ['manifest.json', 'model.onnx', 'golden.json', 'README.md']) {
    const folder = await writeComponentModel(t, 1);
    await rm(join(folder, name));
    execFileSync('mkfifo', [join(folder, name)]);
    await t.throwsAsync(registry.add(folder, addedBy('ada')), {
      code: 'MODEL_UNREADABLE',
      message: new RegExp(name),
    });
  }
});
