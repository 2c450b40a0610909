import {readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fromBinary, toBinary} from '@bufbuild/protobuf';
import test from 'ava';
import {FEATURE_COUNT} from '../../core/domain/features.ts';
import {createConstantScorer, createTreesScorer} from '../../models/scorer-trees.ts';
import {ModelProtoSchema} from '../../proto/gen/onnx/v1/onnx_pb.ts';
import {scorerContract} from '../contracts/scorer.ts';
import {writeModel} from './fixtures.ts';

scorerContract('trees', createTreesScorer);

test('a graph that cannot be walked is refused by the plain scorer', async t => {
  const folder = await writeModel(t);
  const path = join(folder, 'model.onnx');
  const file = fromBinary(ModelProtoSchema, await readFile(path));
  file.graph?.node.pop();
  await writeFile(path, toBinary(ModelProtoSchema, file));
  await rm(join(folder, 'manifest.json'));
  await t.throwsAsync(createTreesScorer(folder), {
    code: 'MODEL_UNREADABLE',
    message: /cannot walk/,
  });
});

test('the constant scorer knows one risk and no reasons', async t => {
  const scorer = createConstantScorer(0.25);
  const {hash, components} = scorer.signature();
  const features = new Float32Array(2 * FEATURE_COUNT);
  t.deepEqual(
    [...(await scorer.score(hash, 2, features))],
    Array(2 * components.length).fill(0.25),
  );
  const {contributions, usual} = await scorer.explain(hash, 2, features);
  t.true(contributions.every(value => value === 0) && usual.every(Number.isNaN));
  await t.throwsAsync(scorer.score('other', 2, features), {code: 'MODEL_HASH_MISMATCH'});
  await t.notThrowsAsync(scorer.close());
});
