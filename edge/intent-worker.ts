/** The thread of the reboot-intent model: it keeps the state of every host that it is asked about. */
import {parentPort, workerData} from 'node:worker_threads';
import {isForestayError} from '../core/domain/errors.ts';
import type {IntentReply, IntentRequest, IntentWorkerData} from './intent-messages.ts';
import type {IntentModel} from './intent-model.ts';

if (parentPort === null) throw new Error('this is a thread of edge/intent-thread.ts');
const port = parentPort;
const {folder} = workerData as IntentWorkerData;
const states = new Map<string, Float32Array>();

// The runtime is loaded here, so that one that this machine cannot load is told of, too.
const opening = import('./intent-model.ts').then(({openIntentModel}) => openIntentModel(folder));
opening.then(
  ({manifest}) => reply({id: 0, manifest}),
  error => reply(failureOf(0, error)),
);

/** One after another: the model has one row and one state. */
let last: Promise<unknown> = opening.catch(() => {});
port.on('message', (request: IntentRequest) => {
  last = last.then(() => answer(request));
});

async function answer(request: IntentRequest): Promise<void> {
  if (request.kind === 'forget') states.delete(request.key);
  else if (request.kind === 'close') await close();
  else {
    try {
      const model = await opening;
      const values =
        request.kind === 'next'
          ? await model.next(request.row, stateOf(model, request.key))
          : (await model.explain(request.samples, request.output)).parts;
      reply({id: request.id, values});
    } catch (error) {
      reply(failureOf(request.id, error));
    }
  }
}

function stateOf({stateLength}: IntentModel, key: string): Float32Array {
  const state = states.get(key) ?? new Float32Array(stateLength);
  states.set(key, state);
  return state;
}

/** The thread ends by itself once nothing listens: never while it is inside the runtime. */
async function close(): Promise<void> {
  await opening.then(
    model => model.release(),
    () => {},
  );
  port.close();
}

function reply(message: IntentReply): void {
  port.postMessage(message);
}

function failureOf(id: number, error: unknown): IntentReply {
  return {
    id,
    code: isForestayError(error) ? error.code : 'SCORER_FAILED',
    message: error instanceof Error ? error.message : String(error),
    cause: error instanceof Error && error.cause instanceof Error ? error.cause.message : '',
  };
}
