import {workerData} from 'node:worker_threads';
import {isForestayError} from '../core/domain/errors.ts';
import {explainByOcclusion} from '../models/occlusion.ts';
import {openSession, type ScoringSession} from '../models/session.ts';
import {explainTrees} from '../models/trees/tree-shap.ts';
import {
  type ModelDescription,
  type ScoreReply,
  type ScoreTask,
  type ScoreWorkerData,
  slotFeatures,
  slotRisks,
} from './score-task.ts';

const data = workerData as ScoreWorkerData;
const {modelPath, started} = data;
const opening = openSession(modelPath);
// Every task awaits `opening` and reports its failure; nobody may end this thread before it settles.
opening.then(countStarted, countStarted);

function countStarted(): void {
  Atomics.add(new Int32Array(started), 0, 1);
}

/** One Piscina task. Errors are returned, not thrown: see {@link ScoreReply}. */
export default async function runTask(
  task: ScoreTask,
): Promise<ScoreReply<ModelDescription | Float32Array | undefined>> {
  try {
    const session = await opening;
    if (task.kind === 'describe') {
      const {signature, usual} = session.model;
      return {ok: true, value: {signature, usual}};
    }
    if (task.kind === 'explain') return {ok: true, value: await explain(session, task)};
    await score(session, task);
    return {ok: true, value: undefined};
  } catch (error) {
    return {
      ok: false,
      code: isForestayError(error) ? error.code : 'SCORER_FAILED',
      message: error instanceof Error ? error.message : String(error),
      details: isForestayError(error) ? error.details : {},
      cause: error instanceof Error && error.cause instanceof Error ? error.cause.message : '',
    };
  }
}

async function score(session: ScoringSession, {slot, rows}: ScoreTask): Promise<void> {
  await session.run(rows, slotFeatures(data, slot, rows), slotRisks(data, slot, rows));
}

async function explain(session: ScoringSession, {slot, rows}: ScoreTask): Promise<Float32Array> {
  const features = slotFeatures(data, slot, rows);
  const {trees} = session.model;
  return trees === undefined
    ? explainByOcclusion(session, rows, features)
    : explainTrees(trees, rows, features);
}
