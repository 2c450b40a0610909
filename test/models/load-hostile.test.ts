/** Models that are not what they seem: each is refused with a code, none hangs. */
import {execFileSync} from 'node:child_process';
import {mkdir, readFile, rm, symlink, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fromBinary, toBinary} from '@bufbuild/protobuf';
import test, {type ExecutionContext} from 'ava';
import {loadModel} from '../../models/load-model.ts';
import {openSession} from '../../models/session.ts';
import {type ModelProto, ModelProtoSchema} from '../../proto/gen/onnx/v1/onnx_pb.ts';
import {writeModel} from './fixtures.ts';

/** A model without manifest, changed. */
async function ownModel(t: ExecutionContext, change: (model: ModelProto) => void): Promise<string> {
  const folder = await writeModel(t);
  const path = join(folder, 'model.onnx');
  const model = fromBinary(ModelProtoSchema, await readFile(path));
  change(model);
  await writeFile(path, toBinary(ModelProtoSchema, model));
  await rm(join(folder, 'manifest.json'));
  return path;
}

/** With `change` applied to what a JSON file of the model's folder says. */
async function withJson(t: ExecutionContext, file: string, change: (content: never) => object) {
  const folder = await writeModel(t);
  const path = join(folder, file);
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')) as never)));
  return folder;
}

test('a pipe, a loop of links, a folder and half a file are unreadable', async t => {
  const folder = await writeModel(t);
  await rm(join(folder, 'manifest.json'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await symlink('loop', join(folder, 'loop'));
  await mkdir(join(folder, 'sub', 'model.onnx'), {recursive: true});
  await truncate(join(folder, 'model.onnx'), 2000);
  for (const name of ['pipe', 'loop', 'sub', 'sub/model.onnx', 'model.onnx']) {
    const error = await t.throwsAsync<Error>(loadModel(join(folder, name)));
    t.like(error, {code: 'MODEL_UNREADABLE'}, `${name}: ${error}`);
  }
});

test('another opset than the runtime has is told as such', async t => {
  const path = await ownModel(t, model => {
    for (const imported of model.opsetImport) imported.version = 999n;
  });
  await t.throwsAsync(openSession(path), {
    code: 'MODEL_UNREADABLE',
    message: /operators and opset/,
  });
});

test('a graph that takes one row only, or wants more than features, is refused when it is opened', async t => {
  const setRows = (model: ModelProto, rows: bigint) => {
    for (const end of [model.graph?.input[0], model.graph?.output[0]]) {
      const tensor = end?.type?.value;
      const dimension = tensor?.case === 'tensorType' ? tensor.value.shape?.dim[0] : undefined;
      if (dimension !== undefined) dimension.value = {case: 'dimValue', value: rows};
    }
  };
  const more = (model: ModelProto) => {
    const [first] = model.graph?.input ?? [];
    if (first !== undefined) model.graph?.input.push({...first, name: 'state'});
  };
  for (const change of [(model: ModelProto) => setRows(model, 1n), more]) {
    await t.throwsAsync(openSession(await ownModel(t, change)), {
      code: 'MODEL_SIGNATURE_MISMATCH',
      message: /any number of rows of "features"/,
    });
  }
});

test('trees that go round in a circle, or ask otherwise than ours, are not walked', async t => {
  const walked = async (
    change: (node: Map<string, {ints: bigint[]; strings: Uint8Array[]}>) => void,
  ) => {
    const path = await ownModel(t, model => {
      const node = model.graph?.node[0];
      change(new Map(node?.attribute.map(attribute => [attribute.name, attribute])) as never);
    });
    return (await loadModel(path)).trees !== undefined;
  };
  t.true(await walked(() => {}));
  t.false(await walked(node => node.get('nodes_truenodeids')?.ints.fill(0n)));
  t.false(await walked(node => node.get('nodes_falsenodeids')?.ints.fill(1_000_000n)));
  t.false(await walked(node => node.get('nodes_featureids')?.ints.fill(1000n)));
  t.false(await walked(node => node.get('nodes_modes')?.strings.fill(Buffer.from('BRANCH_GT'))));
  t.false(await walked(node => node.get('target_nodeids')?.ints.fill(1_000_000n)));
});

const damaged: [string, string, (content: never) => object, RegExp][] = [
  [
    'golden rows that are too short',
    'golden.json',
    () => ({features: [[1]], risks: [[1]]}),
    /golden/,
  ],
  ['golden rows that are none', 'golden.json', () => ({features: [null], risks: [null]}), /golden/],
  [
    'golden rows of texts',
    'golden.json',
    ({features, risks}: {features: []; risks: []}) => ({
      features: features.map((row: []) => row.map(() => 'x')),
      risks,
    }),
    /golden/,
  ],
  ['a golden file that holds nothing', 'golden.json', () => [], /golden/],
  [
    'a contract without components',
    'manifest.json',
    (all: object) => ({
      ...all,
      contract: {family: 'averages', metrics: ['a'], kinds: ['level', 'trend', 'noise']},
      components: null,
    }),
    /manifest/,
  ],
  ['a graph that is a word', 'manifest.json', (all: object) => ({...all, graph: 'x'}), /manifest/],
  [
    'columns that are words',
    'manifest.json',
    (all: object) => ({...all, graph: {input: 'features', output: 'risks', columns: 'ab'}}),
    /manifest/,
  ],
];

for (const [what, file, change, message] of damaged) {
  test(`${what}: unreadable, and the file is named`, async t => {
    const folder = await withJson(t, file, change);
    await t.throwsAsync(openSession(folder), {code: 'MODEL_UNREADABLE', message});
  });
}
