import {appendFileSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {INTENT_COLUMNS} from '../../core/domain/intent-step.ts';
import {RISK_OUTPUTS, riskColumn} from '../../core/domain/reboot-risks.ts';
import {openIntentModel} from '../../edge/intent-model.ts';
import {FAULTS, rowOf, SCHEDULED, startThread, writeHandmade} from './intent-fixture.ts';

function edit(folder: string, name: string, change: (content: Record<string, unknown>) => void) {
  const path = join(folder, name);
  const content = JSON.parse(readFileSync(path, 'utf8'));
  change(content);
  writeFileSync(path, JSON.stringify(content));
}

test('a model of the folder goes from row to row, and says why', async t => {
  const model = await openIntentModel(await writeHandmade(t));
  const state = new Float32Array(model.stateLength);
  const intentional = riskColumn('intentional', 30);
  const crash = riskColumn('crash', 1);
  const calm = (await model.next(rowOf({}), state)).slice();
  t.true((calm[intentional] as number) < 0.02, `${calm[intentional]}`);
  const planned = (await model.next(rowOf({[SCHEDULED]: 1}), state)).slice();
  t.true((planned[intentional] as number) > 0.8, `${planned[intentional]}`);
  t.is(planned[riskColumn('intentional', 15)]?.toFixed(2), '0.00');
  for (let step = 0; step < 5; step++) await model.next(rowOf({[FAULTS]: 2}), state);
  const worn = (await model.next(rowOf({}), state)).slice();
  t.true((worn[crash] as number) > 0.8, `faults are remembered: ${worn[crash]}`);

  const samples = new Float32Array(60 * INTENT_COLUMNS);
  samples.set(rowOf({[SCHEDULED]: 1}), 59 * INTENT_COLUMNS);
  const {parts, risk, usual, residual} = await model.explain(samples, intentional);
  const at = INTENT_INPUTS.findIndex(({name}) => name === SCHEDULED);
  t.true((parts[at] as number) > 0.8);
  t.true(parts.every((part, input) => input === at || part === 0));
  t.true(Math.abs(usual + (parts[at] as number) + residual - risk) < 1e-5);
  t.is(RISK_OUTPUTS.length, calm.length);
  await model.release();
});

test('a file that is not the one of the manifest is refused, the predicting and the explaining one', async t => {
  for (const name of ['model.onnx', 'explain.onnx']) {
    const folder = await writeHandmade(t);
    appendFileSync(join(folder, name), 'x');
    const message = new RegExp(`SHA-256 of ${name} is [0-9a-f]{64}, its manifest says`);
    await t.throwsAsync(startThread(t, folder), {code: 'MODEL_HASH_MISMATCH', message});
  }
});

test('a model of other rows is refused, both hashes and the first difference named', async t => {
  const folder = await writeHandmade(t);
  edit(folder, 'manifest.json', manifest => {
    manifest.inputHash = 7;
    (manifest.inputs as string[])[2] = 'cpu_other_ratio';
  });
  const own = JSON.parse(readFileSync(join(await writeHandmade(t), 'manifest.json'), 'utf8'));
  const error = await t.throwsAsync(openIntentModel(folder), {code: 'MODEL_SIGNATURE_MISMATCH'});
  t.regex(error?.message ?? '', new RegExp(`hash 7, .*hash ${own.inputHash} .*cpu_other_ratio`));
});

test('risks other than known are refused', async t => {
  const folder = await writeHandmade(t);
  edit(folder, 'manifest.json', manifest => {
    manifest.outputs = ['doom'];
  });
  await t.throwsAsync(openIntentModel(folder), {code: 'MODEL_SIGNATURE_MISMATCH', message: /doom/});
});

test('a runtime that computes something else than the golden risks is not trusted', async t => {
  const folder = await writeHandmade(t);
  edit(folder, 'golden.json', golden => {
    const risks = golden.risks as number[][];
    (risks[3] as number[])[0] = 0.123;
  });
  await t.throwsAsync(openIntentModel(folder), {code: 'SCORER_FAILED', message: /golden row 3/});
});

test('parts of a model that are missing or no JSON are told by name', async t => {
  for (const name of ['model.onnx', 'explain.onnx', 'manifest.json', 'golden.json']) {
    const folder = await writeHandmade(t);
    rmSync(join(folder, name));
    const message = new RegExp(name.replace('.', '\\.'));
    await t.throwsAsync(openIntentModel(folder), {code: 'MODEL_UNREADABLE', message});
  }
  for (const text of ['{', 'null', '{"rows": [], "risks": []}']) {
    const folder = await writeHandmade(t);
    writeFileSync(join(folder, 'golden.json'), text);
    await t.throwsAsync(openIntentModel(folder), {code: 'MODEL_UNREADABLE', message: /golden/});
  }
});
