import {setTimeout as sleep} from 'node:timers/promises';
import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs, timestampMs} from '@bufbuild/protobuf/wkt';
import {ForestayError, isForestayError} from '../core/domain/errors.ts';
import {
  type Event,
  EventSchema,
  EventService,
  type WatchEventsRequestSchema,
  type WatchEventsResponse,
} from '../proto/gen/forestay/v1/event_pb.ts';
import type {ClientOptions, Connection} from './client.ts';
import {openControl} from './control.ts';
import {logProblem} from './logger.ts';
import {type Format, print, printValue, toRecord} from './output.ts';
import {formatOutcome} from './table.ts';
import {harmlessName} from './terminal.ts';

export type EventsOptions = ClientOptions & {
  output: Format;
  filter: string;
  since?: string;
  watch?: boolean;
};

/** Pauses before another try, doubled up to the bound; without success for so long it gives up. */
const RETRY_MS = 500;
const RETRY_MS_MAX = 10_000;
const RETRY_FOR_MS = 300_000;

/** Prints events as they are asked for, until they end or, watching, until interrupted. */
export async function tellEvents(core: Connection, options: EventsOptions): Promise<void> {
  const {output, watch: follow = false} = options;
  const request = {filter: options.filter, follow, ...(await beginning(core, options.since))};
  const isOneObject = output === 'json' && !follow;
  const events: Event[] = [];
  const follower = new Follower(core, request);
  if (follow) process.once('exit', () => hint(follower.token));
  for await (const item of follower.items()) {
    if (item.case === 'bookmark') {
      if (output === 'ndjson' || (output === 'json' && follow)) {
        print(JSON.stringify({type: 'bookmark', resumeToken: item.value}));
      }
    } else if (isOneObject) events.push(item.value);
    else if (output === 'name') print(item.value.name);
    else if (output === 'table') print(harmlessName(lineOf(item.value)));
    else print(JSON.stringify({type: 'event', event: toRecord(EventSchema, item.value)}));
  }
  if (!isOneObject) return;
  const records = events.map(event => toRecord(EventSchema, event));
  await printValue('json', {events: records, resumeToken: follower.token}, () => '');
}

type Beginning = Pick<MessageInitShape<typeof WatchEventsRequestSchema>, 'since' | 'resumeToken'>;
type Request = Beginning & {filter: string; follow: boolean};
type Item = {case: 'event'; value: Event} | {case: 'bookmark'; value: string};

/** Reads events, each once, and begins anew with its token, maybe elsewhere, when a core goes away. */
class Follower {
  readonly #core: Connection;
  readonly #request: Request;
  /** Names since the newest token: what comes again after a break. */
  readonly #told = new Set<string>();
  token = '';

  constructor(core: Connection, request: Request) {
    this.#core = core;
    this.#request = request;
  }

  async *items(): AsyncGenerator<Item> {
    let waitMs = RETRY_MS;
    let failingMs = 0;
    while (true) {
      const resumeToken = this.token || (this.#request.resumeToken ?? '');
      const stream = this.#core.client(EventService).watchEvents({...this.#request, resumeToken});
      try {
        for await (const response of this.#core.read(stream)) {
          [waitMs, failingMs] = [RETRY_MS, 0];
          const item = this.#take(response);
          if (item !== undefined) yield item;
        }
        return;
      } catch (error) {
        // The first answer decides whether there is a core at all.
        const mayReturn = this.token !== '' && isBreak(error);
        if (!this.#request.follow || !mayReturn || failingMs >= RETRY_FOR_MS) throw error;
        if (failingMs === 0) logProblem('the core went away; going on when it is back');
      }
      const pauseMs = waitMs * (0.5 + Math.random() / 2);
      await sleep(pauseMs);
      await this.#core.moveOn();
      failingMs += pauseMs;
      waitMs = Math.min(2 * waitMs, RETRY_MS_MAX);
    }
  }

  #take({item}: WatchEventsResponse): Item | undefined {
    if (item.case === 'event') {
      if (this.#told.has(item.value.name)) return undefined;
      this.#told.add(item.value.name);
      return item;
    }
    // The first bookmark after a break is where the token before it was.
    if (item.case !== 'bookmark' || item.value.resumeToken === this.token) return undefined;
    this.token = item.value.resumeToken;
    this.#told.clear();
    return {case: 'bookmark', value: this.token};
  }
}

/** Whether a core went away, and did not say no. */
function isBreak(error: unknown): boolean {
  if (isForestayError(error)) return error.retryable;
  return BREAKS.includes((error as {code?: number}).code ?? -1);
}

/** CANCELLED, INTERNAL and UNAVAILABLE: what a connection that breaks off looks like. */
const BREAKS: readonly number[] = [1, 13, 14];

/** A time, an age or a token. */
async function beginning(core: Connection, since: string | undefined): Promise<Beginning> {
  if (since === undefined) return {};
  const age = /^(\d+)(s|m|h|d)$/.exec(since);
  if (age !== null) {
    const [, count, unit] = age as unknown as [string, string, keyof typeof UNIT_MS];
    return {since: timestampFromMs((await coreNowMs(core)) - Number(count) * UNIT_MS[unit])};
  }
  const isTime = /^\d{4}-/.test(since);
  if (!isTime && since.length >= TOKEN_LENGTH_MIN) return {resumeToken: since};
  const ms = isTime ? Date.parse(since) : Number.NaN;
  if (!Number.isNaN(ms)) return {since: timestampFromMs(ms)};
  throw new ForestayError(
    'INVALID_ARGUMENT',
    `--since ${since} is no time, age or token; write 2026-01-31T12:00:00Z, an age such as 90s, ` +
      '15m, 2h or 1d, or the token that an earlier call gave',
  );
}

/** What is shorter was meant to be something else. */
const TOKEN_LENGTH_MIN = 12;

const UNIT_MS = {s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000} as const;

/** The newest time of all ticks: a simulated fleet lives in a time of its own. */
async function coreNowMs(core: Connection): Promise<number> {
  const control = await openControl(core);
  const {partitions, time} = await core.call(control, control.getStatus, {});
  const ticks = partitions.flatMap(({tickTime}) => (tickTime ? [timestampMs(tickTime)] : []));
  return ticks.length > 0 ? Math.max(...ticks) : time ? timestampMs(time) : Date.now();
}

function hint(token: string): void {
  if (token !== '' && process.stderr.isTTY) {
    process.stderr.write(`go on with: forestay events -w --since ${token}\n`);
  }
}

function lineOf({time, entity, partition, what}: Event): string {
  const at = time ? new Date(timestampMs(time)).toISOString() : '-'.repeat(24);
  return [at, (what.case ?? '').padEnd(10), entity || `partition ${partition}`, textOf(what)]
    .filter(cell => cell !== '')
    .join('  ');
}

function textOf(what: Event['what']): string {
  switch (what.case) {
    case 'transition':
      return `${what.value.from} → ${what.value.to}  on ${what.value.event}`;
    case 'decision': {
      const {action, targetHost, outcome, blockedBy, because} = what.value;
      const chosen = targetHost ? `${action} to ${targetHost}` : action;
      return `${chosen} (${formatOutcome(outcome, blockedBy)}): ${because}`;
    }
    case 'effect': {
      const {kind, targetHost, id} = what.value;
      return `${kind}${targetHost ? ` to ${targetHost}` : ''}  ${id}`;
    }
    case 'result': {
      const {id, status, code, message} = what.value;
      return [id, status, code, message].filter(text => text !== '').join('  ');
    }
    case 'command':
      return [what.value.kind, what.value.detail, `by ${what.value.author}`]
        .filter(text => text !== '')
        .join('  ');
    case 'ownership':
      return `epoch ${what.value.epoch} of ${what.value.owner}`;
    case undefined:
      return '';
  }
}
