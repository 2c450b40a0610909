import {getCompileCacheDir} from 'node:module';
import {dirname} from 'node:path';
import {Worker} from 'node:worker_threads';
import {ForestayError, formatError} from '../core/domain/errors.ts';
import type {IntentManifest} from '../core/domain/intent-manifest.ts';
import type {IntentReply, IntentRequest, IntentWorkerData} from './intent-messages.ts';
import type {Clock, Note, Random} from './ports.ts';

export type IntentThreadOptions = {
  /** Of the artefact. */
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly note?: Note;
  /** The code of the thread; tests have threads that fail. */
  readonly worker?: URL;
};

/** The reboot-intent model on a thread of its own; several hosts may share it. */
export type IntentThread = {
  readonly manifest: IntentManifest;
  /**
   * The risks of a host after its next row; undefined: not known, as the thread is gone or there
   * was no room. Never rejects. One row of a host is under way and one may wait; a third takes the
   * place of the one that waits, which is counted as dropped.
   */
  next(key: string, row: Float32Array): Promise<Float32Array | undefined>;
  /**
   * What each input adds to an output over the last explainSteps rows; undefined as above. One is
   * under way at a time, so that a step waits for one at most, and {@link EXPLANATIONS_MAX} wait.
   */
  explain(samples: Float32Array, output: number): Promise<Float32Array | undefined>;
  /** The host begins anew with its next row, from a state of zeros; a row that waits is left out. */
  forget(key: string): void;
  /** Answers what was asked, then ends the thread. */
  close(): Promise<void>;
  readonly counters: Readonly<IntentCounters>;
};

export type IntentCounters = {
  predictions: number;
  explanations: number;
  /** Rows and explanations for which there was no room, or no thread. */
  dropped: number;
  /** Requests that the thread failed at, or took with it. */
  failed: number;
  crashes: number;
};

const EXPLANATIONS_MAX = 64;
/** So many crashes without ten quiet minutes between them: it stays off. */
const CRASHES_MAX = 5;
const CALM_MS = 10 * 60_000;
const RESTART_MS_MIN = 1_000;
const RESTART_MS_MAX = 60_000;
const CLOSE_MS = 5_000;

type Answer = Float32Array | undefined;
type Waiting = {row: Float32Array; resolve: (answer: Answer) => void};

/**
 * Starts the thread and waits until it has its model.
 *
 * @throws {ForestayError} Those of {@link import('./intent-model.ts').openIntentModel}.
 */
export async function openIntentThread(options: IntentThreadOptions): Promise<IntentThread> {
  // The runtime reports its use to its maker by default. It reads the process's own environment,
  // when it is loaded: a thread's copy would be too late.
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
  const thread = new RestartingThread(options);
  const manifest = await thread.start();
  return new SharedThread(thread, manifest);
}

/** Order and bounds of what is asked. */
class SharedThread implements IntentThread {
  readonly manifest: IntentManifest;
  readonly #thread: RestartingThread;
  /** Hosts with a row under way, and the row that waits behind it. */
  readonly #hosts = new Map<string, Waiting | undefined>();
  readonly #explanations: (() => void)[] = [];
  #isExplaining = false;

  constructor(thread: RestartingThread, manifest: IntentManifest) {
    this.#thread = thread;
    this.manifest = manifest;
  }

  get counters(): IntentCounters {
    return this.#thread.counters;
  }

  next(key: string, row: Float32Array): Promise<Answer> {
    if (!this.#hosts.has(key)) return this.#step(key, row);
    return new Promise(resolve => {
      const before = this.#hosts.get(key);
      if (before !== undefined) this.counters.dropped++;
      before?.resolve(undefined);
      this.#hosts.set(key, {row, resolve});
    });
  }

  async #step(key: string, row: Float32Array): Promise<Answer> {
    this.#hosts.set(key, undefined);
    const answer = await this.#thread.ask(id => ({kind: 'next', id, key, row}));
    if (answer !== undefined) this.counters.predictions++;
    const waiting = this.#hosts.get(key);
    if (waiting === undefined) this.#hosts.delete(key);
    else void this.#step(key, waiting.row).then(waiting.resolve);
    return answer;
  }

  async explain(samples: Float32Array, output: number): Promise<Answer> {
    if (this.#isExplaining) {
      if (this.#explanations.length >= EXPLANATIONS_MAX) {
        this.counters.dropped++;
        return undefined;
      }
      await new Promise<void>(resolve => this.#explanations.push(resolve));
    }
    this.#isExplaining = true;
    const answer = await this.#thread.ask(id => ({kind: 'explain', id, samples, output}));
    if (answer !== undefined) this.counters.explanations++;
    const next = this.#explanations.shift();
    if (next === undefined) this.#isExplaining = false;
    else next();
    return answer;
  }

  forget(key: string): void {
    const waiting = this.#hosts.get(key);
    if (waiting !== undefined) {
      // It is of the life that is over.
      this.#hosts.set(key, undefined);
      waiting.resolve(undefined);
    }
    this.#thread.tell({kind: 'forget', key});
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}

/** A worker that is started again when it ends although nobody has told it to. */
class RestartingThread {
  readonly counters = {predictions: 0, explanations: 0, dropped: 0, failed: 0, crashes: 0};
  readonly #options: IntentThreadOptions;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  readonly #closing = new AbortController();
  #worker: Worker | undefined;
  #ended: Promise<void> = Promise.resolve();
  #nextId = 1;
  #crashesInARow = 0;
  #startedAtMs = 0;

  constructor(options: IntentThreadOptions) {
    this.#options = options;
  }

  /** Resolves when the thread has its model. */
  start(): Promise<IntentManifest> {
    const {
      folder,
      clock,
      worker: file = new URL('./intent-worker.ts', import.meta.url),
    } = this.#options;
    const workerData: IntentWorkerData = {folder};
    // It holds one model: a small heap is enough.
    const resourceLimits = {maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8};
    const worker = new Worker(startOf(file), {
      eval: true,
      workerData,
      resourceLimits,
      name: 'reboot-intent',
    });
    this.#worker = worker;
    this.#startedAtMs = clock.monotonicMs();
    return new Promise((resolve, reject) => {
      let failure: unknown;
      let isReady = false;
      worker.on('message', (reply: IntentReply) => {
        if ('manifest' in reply) {
          isReady = true;
          resolve(reply.manifest);
        } else if (reply.id === 0 && 'code' in reply) {
          failure = errorOf(reply);
          worker.postMessage({kind: 'close'} satisfies IntentRequest);
        } else this.#answered(reply);
      });
      worker.on('error', error => {
        failure = error;
      });
      this.#ended = new Promise(ended => {
        worker.on('exit', () => {
          ended();
          this.#worker = undefined;
          this.#giveUpAsked();
          if (isReady) void this.#restart(failure);
          else reject(failure ?? gone());
        });
      });
    });
  }

  #answered(reply: IntentReply): void {
    const resolve = this.#asked.get(reply.id);
    this.#asked.delete(reply.id);
    if ('values' in reply) resolve?.(reply.values);
    else {
      this.counters.failed++;
      if ('code' in reply) this.#note(formatError(errorOf(reply)));
      resolve?.(undefined);
    }
  }

  #giveUpAsked(): void {
    this.counters.failed += this.#asked.size;
    for (const resolve of this.#asked.values()) resolve(undefined);
    this.#asked.clear();
  }

  async #restart(failure: unknown): Promise<void> {
    const {signal} = this.#closing;
    if (signal.aborted) return;
    const {clock, random} = this.#options;
    this.counters.crashes++;
    const ranMs = clock.monotonicMs() - this.#startedAtMs;
    this.#crashesInARow = ranMs >= CALM_MS ? 1 : this.#crashesInARow + 1;
    const why = failure === undefined ? '' : `: ${formatError(failure)}`;
    if (this.#crashesInARow > CRASHES_MAX) {
      this.#note(
        `the thread of the reboot-intent model ended ${CRASHES_MAX + 1} times; it stays off${why}`,
      );
      return;
    }
    const longestMs = Math.min(RESTART_MS_MAX, RESTART_MS_MIN * 2 ** this.#crashesInARow);
    const waitMs = Math.round(longestMs * (0.5 + random.next() / 2));
    this.#note(
      `the thread of the reboot-intent model ended; it is started again in ${waitMs} ms${why}`,
    );
    await clock.sleep(waitMs, signal);
    if (signal.aborted) return;
    await this.start().catch(error => this.#restart(error));
  }

  /** Without a thread the answer is undefined at once. */
  ask(request: (id: number) => IntentRequest): Promise<Answer> {
    const worker = this.#worker;
    if (worker === undefined || this.#closing.signal.aborted) {
      this.counters.dropped++;
      return Promise.resolve(undefined);
    }
    const id = this.#nextId++;
    return new Promise(resolve => {
      this.#asked.set(id, resolve);
      worker.postMessage(request(id));
    });
  }

  tell(request: IntentRequest): void {
    this.#worker?.postMessage(request);
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#closing.abort();
    if (worker === undefined) return;
    // Never terminated: a thread that is inside the runtime would take the process with it.
    worker.postMessage({kind: 'close'} satisfies IntentRequest);
    const {clock} = this.#options;
    const over = new AbortController();
    await Promise.race([this.#ended, clock.sleep(CLOSE_MS, over.signal)]);
    over.abort('over');
    worker.unref();
  }

  #note(line: string): void {
    this.#options.note?.(`edge: ${line}`);
  }
}

/** Compiled code is kept for the thread too, where it is for the process: 10 to 20 MiB less. */
function startOf({href}: URL): string {
  const cache = getCompileCacheDir?.();
  const enable =
    cache === undefined
      ? ''
      : `require('node:module').enableCompileCache(${JSON.stringify(dirname(cache))});`;
  return `${enable} import(${JSON.stringify(href)});`;
}

function errorOf({code, message, cause}: Extract<IntentReply, {code: unknown}>): ForestayError {
  return new ForestayError(code, message, cause === '' ? {} : {cause: new Error(cause)});
}

function gone(): ForestayError {
  return new ForestayError(
    'SCORER_FAILED',
    'the thread of the reboot-intent model ended before it had its model; use --intent-model off',
  );
}
