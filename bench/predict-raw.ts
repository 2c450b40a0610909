/** A thread of the raw loop: the session alone, on buffers that stay where they are. */
import {parentPort, workerData} from 'node:worker_threads';
import {FEATURE_COUNT} from '../core/domain/features.ts';
import {openSession} from '../models/session.ts';

export type RawWorkerData = {modelPath: string; batchRows: number; rows: SharedArrayBuffer};

const {modelPath, batchRows, rows} = workerData as RawWorkerData;
const session = await openSession(modelPath);
const features = new Float32Array(rows);
const batchValues = batchRows * FEATURE_COUNT;
const batches = features.length / batchValues;
const risks = new Float32Array(batchRows * session.model.signature.components.length);

parentPort?.on('message', async (deadlineMs: number) => {
  let runs = 0;
  for (; Date.now() < deadlineMs; runs++) {
    const start = (runs % batches) * batchValues;
    await session.run(batchRows, features.subarray(start, start + batchValues), risks);
  }
  parentPort?.postMessage(runs);
});
parentPort?.postMessage('ready');
