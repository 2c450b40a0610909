import {fromBinary} from '@bufbuild/protobuf';
import test from 'ava';
import * as ort from 'onnxruntime-node';
import {createForestBuilder, type Forest, finishForest} from '../../models/trees/forest.ts';
import {readTreeModel} from '../../models/trees/tree-ensemble.ts';
import {scoreTrees, type TreeModel} from '../../models/trees/tree-model.ts';
import {encodeOnnx, INPUT, OUTPUT} from '../../models/trees/tree-onnx.ts';
import {ModelProtoSchema} from '../../proto/gen/onnx/v1/onnx_pb.ts';
import {drawSample, modelOn, xorRisk} from './fixtures.ts';

const METADATA = {
  name: 'test',
  featureHash: 1,
  components: ['a', 'b', 'c', 'd', 'e'],
  requiredMetrics: ['x'],
  seed: 1,
  data: 'drawn',
};

test('the runtime gives the risks of the plain trees, for missing values and ties too', async t => {
  const sample = drawSample(21, 2000, 6, xorRisk, 0.15);
  const model = modelOn(sample, 5);
  const thresholds = model.forests[0]?.threshold as Float32Array;
  // Rows that sit exactly on thresholds: ≤ and < differ only here.
  for (let at = 0; at < 600; at++)
    sample.features[at] = thresholds[at % thresholds.length] as number;
  const session = await ort.InferenceSession.create(encodeOnnx(model, METADATA));
  const input = new ort.Tensor('float32', sample.features, [2000, 6]);
  const risks = (await session.run({[INPUT]: input}))[OUTPUT]?.data as Float32Array;
  await session.release();
  const wanted = scoreTrees(model, 2000, sample.features);
  t.is(risks.length, 10_000);
  const apart = risks.reduce(
    (most, risk, at) => Math.max(most, Math.abs(risk - (wanted[at] as number))),
    0,
  );
  t.true(apart <= 1e-6, `apart by ${apart}`);
});

test('a component whose forest has no tree has its base risk', async t => {
  const sample = drawSample(25, 300, 4, xorRisk);
  const model = modelOn(sample, 2);
  const empty = finishForest(createForestBuilder(), -2);
  const mixed = {...model, forests: [model.forests[0] as Forest, empty]};
  const bytes = encodeOnnx(mixed, {...METADATA, components: ['a', 'b']});
  const session = await ort.InferenceSession.create(bytes);
  const input = new ort.Tensor('float32', sample.features.slice(0, 4), [1, 4]);
  const risks = (await session.run({[INPUT]: input}))[OUTPUT]?.data as Float32Array;
  await session.release();
  const [, wanted] = scoreTrees(mixed, 1, sample.features);
  t.true(Math.abs((risks[1] as number) - (wanted as number)) < 1e-6);
  t.deepEqual(readTreeModel(fromBinary(ModelProtoSchema, bytes), 4), mixed);
});

test('a model read back from its file is the model that was written', t => {
  const model = modelOn(drawSample(22, 500, 4, xorRisk), 3);
  const bytes = encodeOnnx(model, {...METADATA, components: ['a', 'b', 'c']});
  t.deepEqual(readTreeModel(fromBinary(ModelProtoSchema, bytes), 4), model);
});

test('equal models give equal bytes', t => {
  const sample = drawSample(23, 500, 4, xorRisk);
  t.deepEqual(encodeOnnx(modelOn(sample, 2), METADATA), encodeOnnx(modelOn(sample, 2), METADATA));
});

test('a graph that is not ours cannot be walked', t => {
  const model: TreeModel = modelOn(drawSample(24, 300, 4, xorRisk), 1);
  const file = fromBinary(ModelProtoSchema, encodeOnnx(model, METADATA));
  t.is(readTreeModel({...file, graph: undefined} as never, 4), undefined);
  const attributes = file.graph?.node[0]?.attribute ?? [];
  attributes.splice(
    attributes.findIndex(one => one.name === 'nodes_hitrates'),
    1,
  );
  t.is(readTreeModel(file, 4), undefined);
  file.graph?.initializer.splice(0, 1);
  t.is(readTreeModel(file, 4), undefined);
  file.graph?.node.splice(0, 1);
  t.is(readTreeModel(file, 4), undefined);
});
