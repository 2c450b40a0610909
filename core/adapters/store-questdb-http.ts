/** Statements to QuestDB over HTTP, how long they are waited for, and how their failures are told. */
import {setTimeout as sleep} from 'node:timers/promises';
import {ForestayError} from '../domain/errors.ts';
import type {Cell} from './store-questdb-sql.ts';

/** Before something is asked again. */
export const POLL_MS = 50;
const BACKOFF_MS_MAX = 2_000;

/** One statement; gives the rows of its answer. Throws `STORE_WRITE_FAILED` (retryable). */
export async function execute(
  address: string,
  sql: string,
  msMax: number,
): Promise<readonly (readonly Cell[])[]> {
  const query = new URLSearchParams({query: sql});
  let answer: {dataset?: Cell[][]; error?: string};
  try {
    const signal = AbortSignal.timeout(msMax);
    const response = await fetch(`http://${address}/exec?${query}`, {signal});
    answer = (await response.json()) as typeof answer;
  } catch (error) {
    throw unreadable(`no answer from ${address}: ${reasonOf(error as Error)}`, error);
  }
  if (answer.error !== undefined) throw unreadable(`${answer.error} in ${sql}`);
  return answer.dataset ?? [];
}

/** Errors: `DEPENDENCY_UNREACHABLE`. */
export async function waitUntilReachable({
  address,
  connectMsMax,
}: {
  address: string;
  connectMsMax: number;
}): Promise<void> {
  const until = performance.now() + connectMsMax;
  for (let attempt = 1; ; attempt++) {
    try {
      const leftMs = Math.ceil(until - performance.now());
      await execute(address, 'SELECT 1', Math.max(100, Math.min(2_000, leftMs)));
      return;
    } catch (error) {
      if (performance.now() >= until) throw unreachable(address, connectMsMax, error as Error);
    }
    await backOff(attempt);
  }
}

function unreachable(address: string, waitedMs: number, cause: Error): ForestayError {
  return new ForestayError(
    'DEPENDENCY_UNREACHABLE',
    `cannot reach QuestDB at ${address} within ${waitedMs} ms (${cause.message}); start it, correct ` +
      'the address of the store, or use the store sqlite',
    {retryable: true, details: {address}, cause},
  );
}

export function unreadable(what: string, cause?: unknown): ForestayError {
  return new ForestayError('STORE_WRITE_FAILED', `QuestDB cannot answer: ${what}`, {
    retryable: true,
    cause,
  });
}

/** fetch hides the reason in the cause. */
export function reasonOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** Full jitter: a fleet of cores must not come back in step. */
export function backOff(attempt: number): Promise<void> {
  return sleep(Math.random() * Math.min(BACKOFF_MS_MAX, POLL_MS * 2 ** attempt));
}
