import {setTimeout as sleep} from 'node:timers/promises';
import {BroadcastChannel} from 'node:worker_threads';
import type {ScoreReply, ServedModel, ThreadMessage} from '../../workers/score-task.ts';
import {ForestayError} from '../domain/errors.ts';
import {unwrap} from './scorer-piscina-served.ts';

const START_DEADLINE_MS = 60_000;
const POLL_MS = 2;

/**
 * Tells scoring threads which models to hold. A pool gives its tasks to whichever thread it likes, so
 * what every thread must do travels beside it.
 */
export class ModelThreads {
  readonly #channel: BroadcastChannel;
  readonly #count: number;
  readonly #listening = new Set<number>();
  /** By thread and hash. */
  readonly #replies = new Map<string, ScoreReply<undefined>>();

  constructor(channel: string, count: number) {
    this.#count = count;
    this.#channel = new BroadcastChannel(channel);
    this.#channel.unref();
    this.#channel.onmessage = event => this.#take((event as {data: ThreadMessage}).data);
  }

  #take(message: ThreadMessage): void {
    if (message.kind === 'ready') this.#listening.add(message.thread);
    if (message.kind !== 'opened') return;
    this.#replies.set(`${message.thread}/${message.hash}`, message.reply);
  }

  /** Resolves when every thread listens. Errors: `SCORER_FAILED`. */
  async ready(): Promise<void> {
    const started = await this.#until(() => this.#listening.size >= this.#count);
    if (!started) throw this.#late(`${this.#listening.size} of ${this.#count} started`);
  }

  /**
   * One thread after the other. Errors: those of the threads, `SCORER_FAILED`.
   *
   * @param threads Those of the pool now: of one that is gone no answer comes.
   */
  async open(model: ServedModel, threads: readonly number[]): Promise<void> {
    await this.ready();
    for (const thread of threads) {
      if (!this.#listening.has(thread)) continue;
      const key = `${thread}/${model.hash}`;
      this.#tell({kind: 'open', thread, model});
      const answered = await this.#until(() => this.#replies.has(key));
      const reply = this.#replies.get(key);
      this.#replies.delete(key);
      if (!answered || reply === undefined) throw this.#late(`one did not open ${model.path}`);
      unwrap(reply);
    }
  }

  release(hash: string): void {
    this.#tell({kind: 'release', hash});
  }

  close(): void {
    this.#channel.close();
  }

  #tell(message: ThreadMessage): void {
    this.#channel.postMessage(message);
  }

  async #until(condition: () => boolean): Promise<boolean> {
    const deadline = performance.now() + START_DEADLINE_MS;
    while (!condition()) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      await sleep(Math.min(leftMs, POLL_MS));
    }
    return true;
  }

  #late(what: string): ForestayError {
    return new ForestayError(
      'SCORER_FAILED',
      `scoring threads are late: ${what} within ${START_DEADLINE_MS} ms; start again on a machine ` +
        'with less load or ask for fewer threads',
      {retryable: true},
    );
  }
}
