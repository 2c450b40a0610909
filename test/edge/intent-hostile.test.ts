import {execFileSync} from 'node:child_process';
import {readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {INTENT_COLUMNS} from '../../core/domain/intent-step.ts';
import {openIntentModel} from '../../edge/intent-model.ts';
import {writeHandmade} from './intent-fixture.ts';

async function withManifest(t: ExecutionContext, fields: object): Promise<string> {
  const folder = await writeHandmade(t);
  const path = join(folder, 'manifest.json');
  writeFileSync(path, JSON.stringify({...JSON.parse(readFileSync(path, 'utf8')), ...fields}));
  return folder;
}

test('a graph of other sizes than its manifest says is refused as such, with what to do', async t => {
  await t.throwsAsync(openIntentModel(await withManifest(t, {hidden: 7})), {
    code: 'MODEL_SIGNATURE_MISMATCH',
    message: /model\.onnx of .* does not take and give .* --intent-model off/,
  });
  const model = await openIntentModel(await withManifest(t, {explainSteps: 3}));
  t.teardown(() => model.release());
  await t.throwsAsync(model.explain(new Float32Array(3 * INTENT_COLUMNS), 0), {
    code: 'MODEL_SIGNATURE_MISMATCH',
    message: /explain\.onnx of /,
  });
});

test('sizes beyond all measure are refused before memory is taken for them', async t => {
  for (const fields of [{hidden: 1e15}, {explainSteps: 1e15}, {hidden: -1}, {hidden: '3'}]) {
    await t.throwsAsync(openIntentModel(await withManifest(t, fields)), {code: 'MODEL_UNREADABLE'});
  }
});

test('a pipe and a loop of links are no parts of a model, and nobody waits for them', async t => {
  for (const name of ['manifest.json', 'golden.json', 'model.onnx', 'explain.onnx']) {
    const folder = await writeHandmade(t);
    rmSync(join(folder, name));
    execFileSync('mkfifo', [join(folder, name)]);
    await t.throwsAsync(openIntentModel(folder), {
      code: 'MODEL_UNREADABLE',
      message: new RegExp(`${name} is no file`),
    });
    rmSync(join(folder, name));
    symlinkSync(name, join(folder, name));
    await t.throwsAsync(openIntentModel(folder), {code: 'MODEL_UNREADABLE'});
  }
});
