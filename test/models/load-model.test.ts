import {copyFile, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fromBinary, toBinary} from '@bufbuild/protobuf';
import test, {type ExecutionContext} from 'ava';
import {COMPONENTS} from '../../core/domain/components.ts';
import {FEATURE_COUNT, FEATURE_HASH} from '../../core/domain/features.ts';
import {loadModel} from '../../models/load-model.ts';
import type {Manifest} from '../../models/manifest.ts';
import {openSession} from '../../models/session.ts';
import {type ModelProto, ModelProtoSchema} from '../../proto/gen/onnx/v1/onnx_pb.ts';
import {writeModel} from './fixtures.ts';

/** A model folder without manifest whose graph was changed: a model of the user's own. */
async function writeOwnModel(t: ExecutionContext, change: (model: ModelProto) => void) {
  const folder = await writeModel(t);
  const path = join(folder, 'model.onnx');
  const model = fromBinary(ModelProtoSchema, await readFile(path));
  change(model);
  await writeFile(path, toBinary(ModelProtoSchema, model));
  await rm(join(folder, 'manifest.json'));
  return path;
}

const setProperty = (model: ModelProto, key: string, value: string | undefined) => {
  const rest = model.metadataProps.filter(property => property.key !== key);
  const added = value === undefined ? [] : [{...model.metadataProps[0], key, value} as never];
  model.metadataProps = [...rest, ...added];
};

const setInputWidth = (model: ModelProto, columns: bigint) => {
  const tensor = model.graph?.input[0]?.type?.value;
  if (tensor?.case !== 'tensorType') throw new Error('no tensor');
  const dimension = tensor.value.shape?.dim[1];
  if (dimension !== undefined) dimension.value = {case: 'dimValue', value: columns};
};

test('a model is loaded with its signature, usual values, trees and golden rows', async t => {
  const model = await loadModel(await writeModel(t));
  t.like(model.signature, {
    name: 'test-model',
    featureHash: FEATURE_HASH,
    featureCount: FEATURE_COUNT,
    components: [...COMPONENTS],
    requiredMetrics: ['cpu_utilisation_ratio'],
  });
  t.regex(model.signature.hash, /^[0-9a-f]{64}$/);
  t.is(model.usual[0], 0.5);
  t.true(Number.isNaN(model.usual[3]));
  t.is(model.trees?.forests.length, 5);
  t.is(model.golden?.features.length, 4);
});

test('a file that is not what its manifest says is refused', async t => {
  const folder = await writeModel(t);
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({...manifest, sha256: '0'.repeat(64)}));
  await t.throwsAsync(loadModel(folder), {
    code: 'MODEL_HASH_MISMATCH',
    message: /manifest says 000/,
  });
});

test('a file that is not there, or not ONNX, or empty, is unreadable', async t => {
  const folder = await writeModel(t);
  await rm(join(folder, 'manifest.json'));
  const path = join(folder, 'model.onnx');
  await t.throwsAsync(loadModel(join(folder, 'other.onnx')), {code: 'MODEL_UNREADABLE'});
  await writeFile(path, 'PK this is another format');
  await t.throwsAsync(loadModel(path), {code: 'MODEL_UNREADABLE', message: /not an ONNX file/});
  await writeFile(path, '');
  await t.throwsAsync(loadModel(path), {code: 'MODEL_UNREADABLE', message: /no graph/});
});

test('a manifest or golden file that is damaged is named', async t => {
  const folder = await writeModel(t);
  await writeFile(join(folder, 'golden.json'), '{"features": [[1]], "risks": []}');
  await t.throwsAsync(loadModel(folder), {code: 'MODEL_UNREADABLE', message: /golden\.json/});
  await writeFile(join(folder, 'manifest.json'), '{"sha256": 1}');
  await t.throwsAsync(loadModel(folder), {code: 'MODEL_UNREADABLE', message: /manifest\.json/});
  await writeFile(join(folder, 'manifest.json'), '{');
  await t.throwsAsync(loadModel(folder), {code: 'MODEL_UNREADABLE', message: /not JSON/});
});

test('a model of the user’s own is taken when its signature matches', async t => {
  const path = await writeOwnModel(t, model => {
    setProperty(model, 'components', undefined);
    setProperty(model, 'requiredMetrics', undefined);
    setProperty(model, 'name', undefined);
  });
  const {signature, usual, golden} = await loadModel(path);
  t.like(signature, {name: 'test-model', components: [...COMPONENTS], requiredMetrics: []});
  t.true(usual.every(Number.isNaN));
  t.is(golden, undefined);
});

test('a model of another contract is refused with what differs', async t => {
  const refused = async (change: (model: ModelProto) => void, message: RegExp) => {
    const path = await writeOwnModel(t, change);
    await t.throwsAsync(loadModel(path), {code: 'MODEL_SIGNATURE_MISMATCH', message});
  };
  await refused(
    model => setProperty(model, 'featureHash', '7'),
    /is 7, the feature contract is 1038701892/,
  );
  await refused(model => {
    setProperty(model, 'featureHash', '8');
    setInputWidth(model, 7n);
  }, /reads 7 features \(featureHash 8\), the feature contract 1038701892 has 78/);
  await refused(model => setProperty(model, 'featureHash', undefined), /featureHash is not there/);
  await refused(model => setProperty(model, 'components', 'cpu,disk'), /5 outputs for cpu, disk/);
  await refused(model => setProperty(model, 'components', 'a,b,c,d,e'), /known are cpu/);
  await refused(model => setInputWidth(model, 7n), /reads 7 features/);
  await refused(model => {
    if (model.graph?.output[0]) model.graph.output[0].name = 'y';
  }, /must have "features" and "risks"/);
});

test('a graph that the runtime refuses is unreadable', async t => {
  const path = await writeOwnModel(t, model => {
    const last = model.graph?.node.at(-1);
    if (last !== undefined) last.opType = 'Sigmoidal';
  });
  await t.throwsAsync(openSession(path), {code: 'MODEL_UNREADABLE', message: /runtime refuses/});
});

test('a runtime that gives other risks than the golden ones is not trusted', async t => {
  const folder = await writeModel(t);
  const path = join(folder, 'golden.json');
  const golden = JSON.parse(await readFile(path, 'utf8'));
  golden.risks[1][0] += 0.001;
  await writeFile(path, JSON.stringify(golden));
  await t.throwsAsync(openSession(folder), {code: 'SCORER_FAILED', message: /golden row 1/});
});

const PEER = new URL('../../bench/peer/models/mlp', import.meta.url).pathname;

/** The peers' perceptron with another manifest. */
async function writePeer(t: ExecutionContext, change: (manifest: Manifest) => object) {
  const folder = await writeModel(t);
  await copyFile(join(PEER, 'model.onnx'), join(folder, 'model.onnx'));
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(join(PEER, 'manifest.json'), 'utf8')) as Manifest;
  await writeFile(path, JSON.stringify({...manifest, ...change(manifest)}));
  return folder;
}

test('a manifest declares features, the names of the graph and which output is the risk', async t => {
  const {signature, graph, usual} = await loadModel(PEER);
  t.like(signature, {featureCount: 48, components: ['overload'], name: 'peer-mlp'});
  t.like(signature.contract, {family: 'count-window', window: 60, stride: 5});
  t.deepEqual(graph, {input: 'x', output: 'y', width: 3, columns: [2]});
  t.is(usual.length, 48);
});

test('a manifest whose contract no core can serve is refused with what is wrong', async t => {
  const refused = async (change: (manifest: Manifest) => object, code: string, message: RegExp) => {
    await t.throwsAsync(loadModel(await writePeer(t, change)), {code, message});
  };
  const contract = (fields: object) => (manifest: Manifest) => ({
    contract: {...manifest.contract, ...fields},
  });
  await refused(contract({family: 'fourier'}), 'MODEL_UNREADABLE', /count-window of last, mean/);
  await refused(contract({kinds: ['last']}), 'MODEL_UNREADABLE', /count-window of last, mean/);
  await refused(contract({metrics: []}), 'MODEL_UNREADABLE', /must name metrics/);
  await refused(contract({window: 61}), 'MODEL_UNREADABLE', /window of 61 by 5/);
  await refused(contract({window: 5000}), 'MODEL_UNREADABLE', /window of 5000 by 5/);
  await refused(contract({window: 65}), 'MODEL_SIGNATURE_MISMATCH', /featureHash/);
  await refused(contract({metrics: ['m0']}), 'MODEL_SIGNATURE_MISMATCH', /48 features/);
  await refused(
    () => ({graph: {input: 'x', output: 'y', columns: [3]}}),
    'MODEL_SIGNATURE_MISMATCH',
    /3 outputs/,
  );
  await refused(() => ({graph: {input: 'in', output: 'y'}}), 'MODEL_SIGNATURE_MISMATCH', /"in"/);
});

test('an operator that the runtime does not know is told as such, with what to do', async t => {
  const path = await writeOwnModel(t, model => {
    for (const node of model.graph?.node ?? []) if (node.opType === 'Sigmoid') node.opType = 'Wish';
  });
  const error = await t.throwsAsync<Error>(openSession(path), {code: 'MODEL_UNREADABLE'});
  t.regex(error.message, /the ONNX runtime refuses it; check its operators and opset/);
  t.regex(String((error.cause as Error).message), /Wish/);
});
