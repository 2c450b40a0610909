import {createHash} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {INTENT_INPUTS} from '../../core/domain/host-metrics.ts';
import {intentInputHash} from '../../core/domain/intent-manifest.ts';
import {INTENT_COLUMNS} from '../../core/domain/intent-step.ts';
import {writeIntentArtefact} from '../../models/intent/artefact.ts';
import {RISK_CLASSES} from '../../models/network/competing-risks.ts';
import {identityCalibration} from '../../models/network/temperature.ts';
import {handmadeNetwork, writeHandmade} from '../edge/intent-fixture.ts';
import {temporaryFolder} from '../support/process.ts';

const bytesOf = (folder: string) =>
  readdirSync(folder).map(name => [name, readFileSync(join(folder, name)).toString('base64')]);

test('equal models give equal files, and the manifest names their hashes', async t => {
  const [one, other] = [await writeHandmade(t), await writeHandmade(t)];
  t.deepEqual(bytesOf(one), bytesOf(other));
  t.deepEqual(readdirSync(one), ['explain.onnx', 'golden.json', 'manifest.json', 'model.onnx']);
  const manifest = JSON.parse(readFileSync(join(one, 'manifest.json'), 'utf8'));
  for (const [name, hash] of [
    ['model.onnx', manifest.sha256],
    ['explain.onnx', manifest.explainSha256],
  ]) {
    t.is(
      createHash('sha256')
        .update(readFileSync(join(one, name)))
        .digest('hex'),
      hash,
    );
  }
  t.is(
    manifest.inputHash,
    intentInputHash(
      INTENT_INPUTS.map(({name}) => name),
      10_000,
    ),
  );
});

test('the hash of inputs depends on names, their order and the step', t => {
  const hashes = [
    intentInputHash(['a', 'b'], 10_000),
    intentInputHash(['b', 'a'], 10_000),
    intentInputHash(['a', 'b'], 1_000),
    intentInputHash(['a'], 10_000),
  ];
  t.is(new Set(hashes).size, hashes.length);
});

test('a window, or a network of other rows, is no model for agents', async t => {
  const network = handmadeNetwork();
  const {normalisation} = network;
  const centre = normalisation.centre.subarray(1);
  for (const wrong of [
    {...network, form: 'window'} as const,
    {...network, normalisation: {...normalisation, centre}},
  ]) {
    const written = writeIntentArtefact(
      join(temporaryFolder(t), 'model'),
      {network: wrong, calibration: identityCalibration(RISK_CLASSES)},
      {
        version: '0',
        seed: 1,
        data: '',
        metrics: [],
        limits: [],
        usual: new Float32Array(INTENT_COLUMNS),
      },
      new Float32Array(INTENT_COLUMNS),
    );
    await t.throwsAsync(written, {code: 'INVALID_ARGUMENT', message: /streams of \d+/});
  }
});
