/**
 * What the way through the worker pool costs: rows per CPU-second of the scorer against the same
 * sessions looped alone in threads of their own, in turns, on the same varied rows. CPU is that of
 * the whole process, feeding included.
 */
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Worker} from 'node:worker_threads';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {createPiscinaScorer} from '../core/adapters/scorer-piscina.ts';
import {COMPONENTS} from '../core/domain/components.ts';
import {FEATURE_COUNT, FEATURE_HASH, FIRST_HOST_CONTRACT} from '../core/domain/features.ts';
import {simulateComponentDataset} from '../core/simulation/component-dataset.ts';
import {encodeLstm} from './lstm-graph.ts';
import {watchSteal} from './machine.ts';
import type {RawWorkerData} from './predict-raw.ts';
import {numberOf, resultOf, wordsOf} from './result.ts';
import type {BenchArgs, BenchResult, BenchVerb} from './verb.ts';

/** Rows are drawn once: this many batches of the largest size, so that no row is learned by heart. */
const BATCHES = 32;
const LSTM = {steps: 26, columns: 3, hidden: 64};
const SEED = 3000;

type Case = {modelPath: string; batchRows: number};
type Load = {threads: number; rounds: number; millis: number};
type Rates = {raw: number[]; pool: number[]};

export const predict: BenchVerb = {
  name: 'predict',
  summary: 'the scoring pool against the raw ONNX loop, rows per CPU-second',
  options: [
    {
      flags: '--model <dir>',
      description: 'the forest',
      default: 'models/artefacts/component-failure-1',
    },
    {flags: '--models <names>', description: 'forest, lstm or both', default: 'forest,lstm'},
    {
      flags: '--batches <rows>',
      description: 'rows a batch, several with commas',
      default: '64,256',
    },
    {flags: '--threads <n>', description: 'threads of the pool and of the loop', default: '2'},
    {flags: '--rounds <n>', description: 'turns of loop and pool', default: '7'},
    {flags: '--millis <n>', description: 'how long a turn is', default: '700'},
  ],
  run: measurePredict,
};

async function measurePredict({options}: BenchArgs): Promise<BenchResult> {
  const load: Load = {
    threads: numberOf(options.threads, 'threads', 1),
    rounds: numberOf(options.rounds, 'rounds', 1),
    millis: numberOf(options.millis, 'millis', 1),
  };
  const models = wordsOf(options.models, 'models', ['forest', 'lstm']);
  const batches = String(options.batches).split(',');
  const directory = await mkdtemp(join(tmpdir(), 'forestay-bench-'));
  const steal = watchSteal();
  const runs: Record<string, number[]> = {};
  try {
    const lstmPath = join(directory, 'model.onnx');
    const shape = {...LSTM, components: COMPONENTS, featureHash: FEATURE_HASH};
    await writeFile(lstmPath, encodeLstm(shape, seededRandom(SEED)));
    for (const model of models) {
      const modelPath = model === 'forest' ? String(options.model) : lstmPath;
      for (const batch of batches) {
        const batchRows = numberOf(batch, 'batches', 1);
        const {raw, pool} = await measureCase({modelPath, batchRows}, load);
        const name = `${model}.${batchRows}`;
        runs[`predict.ratio.${name}`] = pool.map((rate, turn) => rate / (raw[turn] as number));
        runs[`predict.rawRowsPerCpuSecond.${name}`] = raw;
        runs[`predict.poolRowsPerCpuSecond.${name}`] = pool;
      }
    }
  } finally {
    await rm(directory, {recursive: true});
  }
  const {steps, columns, hidden} = LSTM;
  const lstm = `lstm: ${steps} steps of ${columns}, ${hidden} hidden, ${COMPONENTS.length} heads`;
  const notes = models.includes('lstm') ? [lstm] : [];
  return resultOf({runs, notes, steal: steal()});
}

/** Rows per CPU-second of both ways, in turns; the first turn warms up and does not count. */
async function measureCase(
  {modelPath, batchRows}: Case,
  {threads, rounds, millis}: Load,
): Promise<Rates> {
  const features = await drawRows(batchRows);
  // First, as it reads the model in this thread: of an error in another one the code is lost.
  const scorer = await createPiscinaScorer({modelPath, threads, rowsPerTask: batchRows});
  const workerData: RawWorkerData = {modelPath, batchRows, rows: features.buffer};
  const loops = Array.from(
    {length: threads},
    () => new Worker(new URL('./predict-raw.ts', import.meta.url), {workerData}),
  );
  await Promise.all(loops.map(worker => once(worker, 'message')));
  const {hash} = scorer.signature();
  const batchValues = batchRows * FEATURE_COUNT;

  const runRaw = async (): Promise<number> => {
    const deadlineMs = Date.now() + millis;
    const counts = loops.map(async worker => {
      worker.postMessage(deadlineMs);
      const [count] = await once(worker, 'message');
      return count as number;
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0) * batchRows;
  };
  const runPool = async (): Promise<number> => {
    const deadlineMs = Date.now() + millis;
    let batches = 0;
    const feeders = Array.from({length: 3 * threads}, async () => {
      while (Date.now() < deadlineMs) {
        const start = (batches++ % BATCHES) * batchValues;
        await scorer.score(hash, batchRows, features.subarray(start, start + batchValues));
      }
    });
    await Promise.all(feeders);
    return batches * batchRows;
  };

  const rates: Rates = {raw: [], pool: []};
  for (let turn = 0; turn <= rounds; turn++) {
    const raw = await rowsPerCpuSecond(runRaw);
    const pool = await rowsPerCpuSecond(runPool);
    if (turn === 0) continue;
    rates.raw.push(raw);
    rates.pool.push(pool);
  }
  await scorer.close();
  await Promise.all(loops.map(worker => worker.terminate()));
  return rates;
}

/** Rows of simulated hosts, healthy and failing, over and over until there are enough. */
async function drawRows(batchRows: number): Promise<Float32Array<SharedArrayBuffer>> {
  const fleets = simulateComponentDataset({
    random: seededRandom(SEED),
    fleets: 1,
    minutesEach: 60,
    rowEverySeconds: 5,
    contract: FIRST_HOST_CONTRACT,
  });
  const wanted = BATCHES * batchRows * FEATURE_COUNT;
  const shared = new Float32Array(new SharedArrayBuffer(4 * wanted));
  for await (const {features} of fleets) {
    for (let at = 0; at < wanted; at += features.length) {
      shared.set(features.subarray(0, wanted - at), at);
    }
  }
  return shared;
}

async function rowsPerCpuSecond(run: () => Promise<number>): Promise<number> {
  const before = process.cpuUsage();
  const rows = await run();
  const {user, system} = process.cpuUsage(before);
  return rows / ((user + system) / 1e6);
}
