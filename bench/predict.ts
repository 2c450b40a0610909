/**
 * What the way through the worker pool costs: rows per CPU-second of the scorer against the same
 * sessions looped alone in threads of their own, in turns, on the same varied rows.
 *
 * `node bench/predict.ts [--model DIR] [--threads N] [--batch ROWS] [--rounds N] [--millis N]
 * [-o table|json]`. CPU is that of the whole process, feeding included.
 */
import {once} from 'node:events';
import {parseArgs} from 'node:util';
import {Worker} from 'node:worker_threads';
import {seededRandom} from '../core/adapters/random-seeded.ts';
import {createPiscinaScorer} from '../core/adapters/scorer-piscina.ts';
import {FEATURE_COUNT} from '../core/domain/features.ts';
import {simulateDataset} from '../core/simulation/dataset.ts';
import type {RawWorkerData} from './predict-raw.ts';

type Measure = {rows: number; cpuSeconds: number; wallSeconds: number};

const {values: options} = parseArgs({
  options: {
    model: {type: 'string', default: 'models/artefacts/component-failure'},
    threads: {type: 'string', default: '2'},
    batch: {type: 'string', default: '256'},
    rounds: {type: 'string', default: '6'},
    millis: {type: 'string', default: '1000'},
    output: {type: 'string', short: 'o', default: 'table'},
  },
});
const modelPath = options.model;
const threads = Number(options.threads);
const batchRows = Number(options.batch);
const millis = Number(options.millis);

/** Rows of simulated hosts, healthy and failing: one row again and again would be learned by heart. */
function drawRows(batches: number): Float32Array<SharedArrayBuffer> {
  const random = seededRandom(3000);
  const data = simulateDataset({random, fleets: 1, minutesEach: 60, rowEverySeconds: 5});
  const wanted = batches * batchRows * FEATURE_COUNT;
  const shared = new Float32Array(new SharedArrayBuffer(4 * wanted));
  for (let at = 0; at < wanted; at += data.features.length) {
    shared.set(data.features.subarray(0, Math.min(data.features.length, wanted - at)), at);
  }
  return shared;
}

async function measure(run: () => Promise<number>): Promise<Measure> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const rows = await run();
  const {user, system} = process.cpuUsage(cpu);
  return {
    rows,
    cpuSeconds: (user + system) / 1e6,
    wallSeconds: (performance.now() - start) / 1000,
  };
}

const features = drawRows(32);
const batches = 32;
const workerData: RawWorkerData = {modelPath, batchRows, rows: features.buffer};
const raw = Array.from(
  {length: threads},
  () => new Worker(new URL('./predict-raw.ts', import.meta.url), {workerData}),
);
await Promise.all(raw.map(worker => once(worker, 'message')));
const scorer = await createPiscinaScorer({modelPath, threads, rowsPerTask: batchRows});
const {hash} = scorer.signature();

async function runRaw(): Promise<number> {
  const deadlineMs = Date.now() + millis;
  const runs = raw.map(async worker => {
    worker.postMessage(deadlineMs);
    const [count] = await once(worker, 'message');
    return count as number;
  });
  const counts = await Promise.all(runs);
  return counts.reduce((sum, count) => sum + count, 0) * batchRows;
}

async function runPool(): Promise<number> {
  const deadlineMs = Date.now() + millis;
  let runs = 0;
  const feeders = Array.from({length: 3 * threads}, async () => {
    while (Date.now() < deadlineMs) {
      const start = (runs++ % batches) * batchRows * FEATURE_COUNT;
      const rows = features.subarray(start, start + batchRows * FEATURE_COUNT);
      await scorer.score(hash, batchRows, rows);
    }
  });
  await Promise.all(feeders);
  return runs * batchRows;
}

await measure(runRaw);
await measure(runPool);
const rounds: {raw: number; pool: number; rawWall: number; poolWall: number}[] = [];
for (let round = 0; round < Number(options.rounds); round++) {
  const one = await measure(runRaw);
  const other = await measure(runPool);
  rounds.push({
    raw: one.rows / one.cpuSeconds,
    pool: other.rows / other.cpuSeconds,
    rawWall: one.rows / one.wallSeconds,
    poolWall: other.rows / other.wallSeconds,
  });
}
await scorer.close();
await Promise.all(raw.map(worker => worker.terminate()));

const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[numbers.length >> 1] as number;
const result = {
  batchRows,
  threads,
  rounds: rounds.length,
  rawRowsPerCpuSecond: Math.round(median(rounds.map(round => round.raw))),
  poolRowsPerCpuSecond: Math.round(median(rounds.map(round => round.pool))),
  rawRowsPerSecond: Math.round(median(rounds.map(round => round.rawWall))),
  poolRowsPerSecond: Math.round(median(rounds.map(round => round.poolWall))),
  ratio: Number(median(rounds.map(round => round.pool / round.raw)).toFixed(3)),
};
if (options.output === 'json') console.log(JSON.stringify(result));
else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(22)} ${value}`);
