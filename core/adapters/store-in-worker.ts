/**
 * A store behind a thread boundary: the main thread pays for copying the rows (about 1 µs each)
 * and never waits for a disk or for the encoding of a request.
 */
import {parentPort, Worker, workerData} from 'node:worker_threads';
import {ForestayError, isDefect, isForestayError} from '../domain/errors.ts';
import {storeClosed} from '../domain/table-rules.ts';
import type {Store} from '../ports.ts';

type StoreCall = {id: number; name: keyof Store; args: readonly unknown[]};
type StoreFailure = Pick<ForestayError, 'code' | 'message' | 'retryable' | 'details'>;
type StoreReply = {id: number; value: unknown} | {id: number; error: StoreFailure};

export type WorkerBounds = {
  /** Calls that may be under way; one more is refused. */
  queueLengthMax: number;
  /** How long opening or one call may take. */
  callMsMax: number;
};

type Waiting = {
  resolve(value: unknown): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
};

/** The id of the reply that says whether the store could be opened. */
const OPENED = 0;

/**
 * Runs in the worker: opens the store, then answers the calls of the other side.
 */
export async function serveStore<Options>(
  open: (options: Options) => Promise<Store>,
): Promise<void> {
  const port = parentPort;
  if (port === null) return;
  const answer = async (id: number, name: string, act: () => unknown): Promise<void> => {
    try {
      port.postMessage({id, value: await act()} satisfies StoreReply);
    } catch (error) {
      port.postMessage({id, error: describe(name, error)} satisfies StoreReply);
    }
  };
  let store: Store | undefined;
  await answer(OPENED, 'open', async () => {
    store = await open(workerData as Options);
  });
  if (store === undefined) return;
  const opened = store;
  port.on('message', async ({id, name, args}: StoreCall) => {
    const method = opened[name] as (...args: readonly unknown[]) => unknown;
    await answer(id, name, () => method(...args));
    if (name === 'close') port.close();
  });
}

/** What is not one of our errors (disk full, file locked) may pass; nothing was written. */
function describe(name: string, error: unknown): StoreFailure {
  if (isForestayError(error)) {
    const {code, message, retryable, details} = error;
    return {code, message, retryable, details};
  }
  const text = error instanceof Error ? error.message : String(error);
  return {
    code: 'STORE_WRITE_FAILED',
    message: `the store cannot ${name}: ${text}`,
    // A defect is the same at the next try: the recorder ends with it, and readiness says so.
    retryable: !isDefect(error),
    details: {},
  };
}

/** Runs in the main thread: the store that `module` serves. Throws what opening it throws. */
export async function openStoreInWorker<Options>(
  module: URL,
  options: Options,
  bounds: WorkerBounds,
): Promise<Store> {
  const worker = new Worker(module, {workerData: options});
  const {opened, call, close} = createCalls(worker, bounds);
  try {
    await opened;
  } catch (error) {
    await worker.terminate();
    throw error;
  }
  return {
    ensure: table => call('ensure', [table]),
    write: (batches, offsets) => call('write', [batches, offsets]),
    readOffsets: () => call('readOffsets', []),
    query: query => call('query', [query]),
    count: (table, where) => call('count', [table, where]),
    close,
  };
}

/** Calls on their way to the worker and back. */
function createCalls(worker: Worker, {queueLengthMax, callMsMax}: WorkerBounds) {
  const waiting = new Map<number, Waiting>();
  const exited = new Promise<void>(resolve => worker.once('exit', () => resolve()));
  let lastId = OPENED;
  let closing: Promise<void> | undefined;

  const expect = (id: number, name: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(refused(`${name}: no answer after ${callMsMax} ms`));
      }, callMsMax);
      waiting.set(id, {resolve, reject, timer});
    });

  const settle = (id: number, end: (call: Waiting) => void) => {
    const call = waiting.get(id);
    if (call === undefined) return;
    waiting.delete(id);
    clearTimeout(call.timer);
    end(call);
  };

  const fail = (error: Error) => {
    closing ??= exited;
    for (const id of [...waiting.keys()]) settle(id, call => call.reject(error));
  };

  worker.on('message', (reply: StoreReply) => settle(reply.id, call => finish(call, reply)));
  worker.on('error', error => fail(error as Error));
  worker.once('exit', () => fail(storeClosed()));

  const post = (name: keyof Store, args: readonly unknown[]): Promise<unknown> => {
    lastId++;
    worker.postMessage({id: lastId, name, args} satisfies StoreCall);
    return expect(lastId, name);
  };

  return {
    opened: expect(OPENED, 'open'),
    async call<Result>(name: keyof Store, args: readonly unknown[]): Promise<Result> {
      if (closing !== undefined) throw storeClosed();
      if (waiting.size >= queueLengthMax) {
        throw refused(`${name}: ${waiting.size} of ${queueLengthMax} calls are under way`);
      }
      return (await post(name, args)) as Result;
    },
    /** What was called before is done before. */
    close: (): Promise<void> => {
      closing ??= post('close', []).then(() => exited);
      return closing;
    },
  };
}

function finish(call: Waiting, reply: StoreReply): void {
  if ('value' in reply) {
    call.resolve(reply.value);
    return;
  }
  const {code, message, retryable, details} = reply.error;
  call.reject(new ForestayError(code, message, {retryable, details}));
}

function refused(what: string): ForestayError {
  return new ForestayError('STORE_WRITE_FAILED', `the store did not ${what}`, {retryable: true});
}
