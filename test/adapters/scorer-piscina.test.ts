import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fromBinary, toBinary} from '@bufbuild/protobuf';
import test, {type ExecutionContext} from 'ava';
import {
  createPiscinaScorer,
  createScoringPool,
  type PiscinaScorerOptions,
} from '../../core/adapters/scorer-piscina.ts';
import {FEATURE_COUNT} from '../../core/domain/features.ts';
import {loadModel} from '../../models/load-model.ts';
import {scoreTrees, type TreeModel} from '../../models/trees/tree-model.ts';
import {ModelProtoSchema} from '../../proto/gen/onnx/v1/onnx_pb.ts';
import {scorerContract} from '../contracts/scorer.ts';
import {drawContractSample, writeModel} from '../models/fixtures.ts';

scorerContract('piscina', modelPath => createPiscinaScorer({modelPath, threads: 2}));

async function start(t: ExecutionContext, options: Partial<PiscinaScorerOptions> = {}) {
  const modelPath = await writeModel(t);
  const scorer = await createPiscinaScorer({modelPath, threads: 1, ...options});
  t.teardown(() => scorer.close());
  const {hash} = scorer.signature();
  return {scorer, hash, trees: (await loadModel(modelPath)).trees as TreeModel};
}

test('scores resolve in the order of the calls, whatever their size', async t => {
  const {scorer, hash} = await start(t, {threads: 2});
  const order: number[] = [];
  const calls = [1000, 1, 300, 1, 1].map(async (rows, index) => {
    await scorer.score(hash, rows, drawContractSample(index, rows).features);
    order.push(index);
  });
  await Promise.all(calls);
  t.deepEqual(order, [0, 1, 2, 3, 4]);
});

test('a request of more tasks than there are slots comes back whole and in its order', async t => {
  const {scorer, hash, trees} = await start(t, {slots: 1, rowsPerTask: 8});
  const {features} = drawContractSample(51, 50);
  const wanted = scoreTrees(trees, 50, features);
  const risks = await scorer.score(hash, 50, features);
  t.true(risks.every((risk, at) => Math.abs(risk - (wanted[at] as number)) <= 1e-6));
});

test('a request that finds no room is refused as a whole, and the others go on', async t => {
  const {scorer, hash} = await start(t, {slots: 1, rowsPerTask: 10, waitingMax: 2});
  const rows = (count: number) => drawContractSample(count, count).features;
  const accepted = scorer.score(hash, 30, rows(30));
  const refused = scorer.score(hash, 10, rows(10));
  const error = await t.throwsAsync(refused, {
    code: 'SCORER_SATURATED',
    message: /3 tasks would wait, 2 may/,
  });
  t.like(error, {retryable: true});
  t.is((await accepted).length, 150);
  t.is((await scorer.score(hash, 10, rows(10))).length, 50);
});

test('closing waits for what is in flight and refuses what comes after', async t => {
  const {scorer, hash} = await start(t, {threads: 2, slots: 2});
  const {features} = drawContractSample(61, 5000);
  const scored = scorer.score(hash, 5000, features);
  const explained = scorer.explain(hash, 20, features.subarray(0, 20 * FEATURE_COUNT));
  const closed = scorer.close();
  await t.throwsAsync(scorer.score(hash, 5000, features), {code: 'SCORER_FAILED'});
  t.is((await scored).length, 25_000);
  t.is((await explained).usual.length, FEATURE_COUNT);
  await closed;
  await t.notThrowsAsync(scorer.close());
});

test('a model that cannot be served is refused at the start with its code', async t => {
  const folder = await writeModel(t);
  const create = () => createPiscinaScorer({modelPath: folder, threads: 2});
  const golden = JSON.parse(await readFile(join(folder, 'golden.json'), 'utf8'));
  golden.risks[0][0] = 2;
  await writeFile(join(folder, 'golden.json'), JSON.stringify(golden));
  await t.throwsAsync(create(), {code: 'SCORER_FAILED', message: /golden row 0/});
  await writeFile(join(folder, 'model.onnx'), 'nothing');
  const error = await t.throwsAsync(create(), {code: 'MODEL_HASH_MISMATCH'});
  t.like(error, {details: {path: join(folder, 'model.onnx')}});
  await rm(join(folder, 'model.onnx'));
  const unreadable = await t.throwsAsync(create(), {code: 'MODEL_UNREADABLE'});
  t.regex(String(unreadable?.cause), /ENOENT/);
});

test('a model that is not made of trees is explained by leaving out one feature at a time', async t => {
  const folder = await writeModel(t);
  const path = join(folder, 'model.onnx');
  const file = fromBinary(ModelProtoSchema, await readFile(path));
  for (const node of file.graph?.node ?? []) {
    node.attribute = node.attribute.filter(attribute => attribute.name !== 'nodes_hitrates');
  }
  await writeFile(path, toBinary(ModelProtoSchema, file));
  await rm(join(folder, 'manifest.json'));
  const scorer = await createPiscinaScorer({modelPath: folder, threads: 1});
  t.teardown(() => scorer.close());
  const {hash} = scorer.signature();
  const {features} = drawContractSample(71, 1);
  const {contributions} = await scorer.explain(hash, 1, features);
  const without = features.slice();
  without[1] = Number.NaN;
  const [before] = await scorer.score(hash, 1, features);
  const [after] = await scorer.score(hash, 1, without);
  const logOdds = (risk = 0) => Math.log(risk / (1 - risk));
  t.true(Math.abs(logOdds(before) - logOdds(after) - (contributions[1] as number)) < 1e-3);
  t.not(contributions[1], 0);
});

async function startPool(t: ExecutionContext) {
  const pool = createScoringPool({threads: 2});
  t.teardown(() => pool.close());
  return pool;
}

test('a pool serves several models at once, each under its own hash', async t => {
  const pool = await startPool(t);
  const paths = await Promise.all([1, 2].map(seed => writeModel(t, seed)));
  const {features} = drawContractSample(81, 300);
  await Promise.all(
    paths.map(async path => {
      const scorer = await pool.open(path);
      const {signature, trees} = await loadModel(path);
      const risks = await scorer.score(signature.hash, 300, features);
      const wanted = scoreTrees(trees as TreeModel, 300, features);
      t.true(risks.every((risk, at) => Math.abs(risk - (wanted[at] as number)) <= 1e-6));
    }),
  );
});

test('while a model is opened and another is let go of, a third goes on scoring', async t => {
  const pool = await startPool(t);
  const [path, other] = await Promise.all([1, 2].map(seed => writeModel(t, seed)));
  const scorer = await pool.open(path as string);
  const {hash} = scorer.signature();
  const {features} = drawContractSample(82, 64);
  const wanted = await scorer.score(hash, 64, features);
  let ended = false;
  const loop = (async () => {
    while (!ended) t.deepEqual(await scorer.score(hash, 64, features), wanted);
  })();
  for (let time = 0; time < 5; time++) {
    const opened = await pool.open(other as string);
    const flying = opened.score(opened.signature().hash, 64, features);
    await opened.close();
    t.is((await flying).length, 64 * 5);
  }
  ended = true;
  await loop;
});

test('a model that was opened twice is served until both have let go of it', async t => {
  const pool = await startPool(t);
  const path = await writeModel(t);
  const [first, second] = await Promise.all([pool.open(path), pool.open(path)]);
  const {features} = drawContractSample(83, 1);
  const {hash} = first.signature();
  await first.close();
  await t.throwsAsync(first.score(hash, 1, features), {code: 'SCORER_FAILED'});
  t.is((await second.score(hash, 1, features)).length, 5);
});

test('a model that fails to open leaves the pool and its other models as they were', async t => {
  const pool = await startPool(t);
  const [path, broken] = await Promise.all([1, 2].map(seed => writeModel(t, seed)));
  const scorer = await pool.open(path as string);
  const golden = join(broken as string, 'golden.json');
  const sound = await readFile(golden, 'utf8');
  await writeFile(golden, sound.replace('"risks": [\n  [\n   ', '"risks": [\n  [\n   2'));
  await t.throwsAsync(pool.open(broken as string), {
    code: 'SCORER_FAILED',
    message: /golden row 0/,
  });
  const {features} = drawContractSample(84, 1);
  t.is((await scorer.score(scorer.signature().hash, 1, features)).length, 5);
  await writeFile(golden, sound);
  await t.notThrowsAsync(pool.open(broken as string));
});

test('a process that is told to end in the middle of scoring drains and exits with 0', async t => {
  const modelPath = await writeModel(t);
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'scorer-process.ts'), modelPath],
    {stdio: ['ignore', 'pipe', 'inherit']},
  );
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  const [code, signal] = await once(child, 'exit');
  t.deepEqual([code, signal], [0, null]);
});
