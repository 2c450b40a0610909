import {BroadcastChannel, threadId, workerData} from 'node:worker_threads';
import {ForestayError, isForestayError} from '../core/domain/errors.ts';
import {explainByOcclusion} from '../models/occlusion.ts';
import {openSession, type ScoringSession} from '../models/session.ts';
import {explainTrees} from '../models/trees/tree-shap.ts';
import {
  type ScoreReply,
  type ScoreTask,
  type ScoreWorkerData,
  type ServedModel,
  slotFeatures,
  slotRisks,
  type ThreadMessage,
} from './score-task.ts';

const data = workerData as ScoreWorkerData;
/** By hash. A thread that took the place of another opens what it is asked for when it is asked. */
const sessions = new Map<string, Promise<ScoringSession>>();

const channel = new BroadcastChannel(data.channel);
channel.onmessage = async event => {
  const message = (event as {data: ThreadMessage}).data;
  if (message.kind === 'open' && message.thread === threadId) {
    const {model, thread} = message;
    const reply = await replyOf(async () => void (await sessionOf(model)));
    tell({kind: 'opened', thread, hash: model.hash, reply});
  } else if (message.kind === 'release') {
    const session = sessions.get(message.hash);
    sessions.delete(message.hash);
    await (await session?.catch(() => undefined))?.release();
  }
};
tell({kind: 'ready', thread: threadId});

function tell(message: ThreadMessage): void {
  channel.postMessage(message);
}

function sessionOf(model: ServedModel): Promise<ScoringSession> {
  let session = sessions.get(model.hash);
  if (session === undefined) {
    session = open(model);
    sessions.set(model.hash, session);
    session.catch(() => sessions.delete(model.hash));
  }
  return session;
}

async function open({hash, path}: ServedModel): Promise<ScoringSession> {
  const session = await openSession(path);
  const found = session.model.signature.hash;
  if (found === hash) return session;
  await session.release();
  throw new ForestayError(
    'MODEL_HASH_MISMATCH',
    `cannot serve model ${path}: its SHA-256 was ${hash} and is ${found} now; a file that is ` +
      'served must not be changed: put the new model beside it',
    {details: {path, hash, found}},
  );
}

/** One Piscina task. Errors are returned, not thrown: see {@link ScoreReply}. */
export default function runTask(task: ScoreTask): Promise<ScoreReply<Float32Array | undefined>> {
  return replyOf(async () => {
    const session = await sessionOf(task.model);
    if (task.kind === 'explain') return await explain(session, task);
    await session.run(task.rows, slotFeatures(data, task), slotRisks(data, task));
    return undefined;
  });
}

async function replyOf<Value>(run: () => Promise<Value>): Promise<ScoreReply<Value>> {
  try {
    return {ok: true, value: await run()};
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

async function explain(session: ScoringSession, task: ScoreTask): Promise<Float32Array> {
  const features = slotFeatures(data, task);
  const {trees} = session.model;
  return trees === undefined
    ? explainByOcclusion(session, task.rows, features)
    : explainTrees(trees, task.rows, features);
}
