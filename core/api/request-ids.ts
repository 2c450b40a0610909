import {ForestayError} from '../domain/errors.ts';
import type {Clock} from '../ports.ts';

const KEEP_MS = 24 * 3_600_000;

const LENGTH_MAX = 64;
/** What the engine's own records begin with. */
const RESERVED = ['effect/', 'configuration/', 'register-metric-set/'];

/**
 * The id of a request as a client gave it; empty: none.
 *
 * @throws {ForestayError} `INVALID_ARGUMENT` if it is too long or looks like one of the engine's own.
 */
export function checkedRequestId(id: string): string {
  if (id.length > LENGTH_MAX) {
    throw illegal(`request_id has ${id.length} characters, at most ${LENGTH_MAX} are kept`);
  }
  const prefix = RESERVED.find(reserved => id.startsWith(reserved));
  if (prefix === undefined) return id;
  throw illegal(`request_id ${id} begins with ${prefix}, which is reserved; choose another one`);
}

export function reused(requestId: string, when: string): ForestayError {
  const message = `request_id ${requestId} came with another body ${when}; use a new id for a new request`;
  return new ForestayError('REQUEST_ID_REUSED', message, {details: {requestId}});
}

function illegal(message: string): ForestayError {
  return new ForestayError('INVALID_ARGUMENT', message, {details: {field: 'request_id'}});
}

type Known = {body: string; answer: Promise<unknown>; atMs: number};

/**
 * Makes a repeated request harmless: the same id with the same body gets the same answer for 24 h.
 * What failed is forgotten, so that it can be tried again. When full, the oldest ids go first.
 */
export class RequestIds {
  readonly #known = new Map<string, Known>();
  readonly #clock: Clock;
  readonly #max: number;

  constructor(clock: Clock, max = 10_000) {
    this.#clock = clock;
    this.#max = max;
  }

  /** @throws {ForestayError} `REQUEST_ID_REUSED` for an id that came with another body. */
  once<Answer>(id: string, body: string, act: () => Promise<Answer>): Promise<Answer> {
    this.#forget();
    const known = this.#known.get(id);
    if (known !== undefined && known.body !== body) throw reused(id, `${this.#age(known)} s ago`);
    if (known !== undefined) return known.answer as Promise<Answer>;
    const answer = act();
    this.#known.set(id, {body, answer, atMs: this.#clock.monotonicMs()});
    answer.catch(() => this.#known.delete(id));
    return answer;
  }

  #age({atMs}: Known): number {
    return Math.round((this.#clock.monotonicMs() - atMs) / 1000);
  }

  #forget(): void {
    for (const [id, {atMs}] of this.#known) {
      const tooOld = this.#clock.monotonicMs() - atMs > KEEP_MS;
      if (!tooOld && this.#known.size < this.#max) return;
      this.#known.delete(id);
    }
  }
}
