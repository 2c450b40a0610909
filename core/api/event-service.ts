import {timestampFromMs, timestampMs} from '@bufbuild/protobuf/wkt';
import type {
  EventService,
  WatchEventsRequest,
  WatchEventsResponseSchema,
} from '../../proto/gen/forestay/v1/event_pb.ts';
import type {Handlers, Outgoing} from '../../proto/grpc.ts';
import {PARTITIONS} from '../domain/hash.ts';
import {type EventCursor, type EventSource, openEvents} from '../engine/journal-events.ts';
import {placeAt} from '../engine/journal-search.ts';
import type {ReadModel} from '../engine/read-model.ts';
import {
  decodeResumeToken,
  encodeResumeToken,
  type JournalPlace,
  type JournalPlaces,
  placesOf,
} from '../engine/resume-token.ts';
import type {Clock} from '../ports.ts';
import {eventFields, toEventMessage} from './event-messages.ts';
import {parseFilter} from './filter.ts';
import {type Outlet, serveStream} from './streams.ts';

/** How soon after its tick an event is told. */
const LOOK_MS = 200;
/** A quiet stream says so this often. */
const BOOKMARK_MS = 10_000;
const SCOPE = 'events';

export type EventDeps = {
  model: ReadModel;
  events: EventSource;
  clock: Clock;
  /** Ends every stream when the server closes. */
  closing: AbortSignal;
};

type Response = Outgoing<typeof WatchEventsResponseSchema>;

/** Handlers of EventService over the journals; the read model says when there is more to read. */
export function eventHandlers(deps: EventDeps): Handlers<(typeof EventService)['method']> {
  return {
    watchEvents: call => {
      void serveStream<Response>(call, deps.closing, outlet => tell(deps, call.request, outlet));
    },
  };
}

async function tell(
  deps: EventDeps,
  request: WatchEventsRequest,
  {send, signal}: Outlet<Response>,
): Promise<void> {
  const {clock, model, events: source} = deps;
  const {filter, follow, since} = request;
  const matches = parseFilter(filter, eventFields);
  const sinceMs = since ? timestampMs(since) : Number.NEGATIVE_INFINITY;
  const lastEnds = follow ? undefined : await endsOf(source);
  const cursor = await openEvents(source, await placesToBegin(deps, request));
  await send(bookmark(cursor, clock));
  let quietMs = 0;
  while (!signal.aborted) {
    const found = await cursor.next(lastEnds ?? shownEnds(model));
    for (const event of found) {
      if (signal.aborted) return;
      if (event.atMs >= sinceMs && matches(event)) {
        await send({item: {case: 'event', value: toEventMessage(event)}});
      }
    }
    if (found.length > 0 || quietMs >= BOOKMARK_MS) {
      quietMs = 0;
      await send(bookmark(cursor, clock));
    }
    if (lastEnds !== undefined && cursor.isThrough(lastEnds)) return;
    if (found.length > 0) continue;
    quietMs += LOOK_MS;
    await clock.sleep(LOOK_MS, signal);
  }
}

async function placesToBegin(
  {model, events}: EventDeps,
  {resumeToken, since, follow}: WatchEventsRequest,
): Promise<JournalPlaces> {
  // Events are of the whole fleet: the bookmark of any watch says where to begin.
  if (resumeToken !== '') return decodeResumeToken(resumeToken, undefined);
  if (since === undefined && follow) return placesOf(model);
  return await placesOfAll(partition =>
    placeAt(events, partition, since ? timestampMs(since) : Number.NEGATIVE_INFINITY),
  );
}

async function placesOfAll(
  placeOf: (partition: number) => Promise<JournalPlace>,
): Promise<JournalPlaces> {
  return new Map(
    await Promise.all(
      PARTITIONS.map(async partition => [partition, await placeOf(partition)] as const),
    ),
  );
}

/** Where the journals end now. */
async function endsOf({log}: EventSource): Promise<ReadonlyMap<number, number>> {
  return new Map(
    await Promise.all(
      PARTITIONS.map(
        async partition => [partition, await log.endOffset('journal', partition)] as const,
      ),
    ),
  );
}

/** What this core has read itself: asking costs nothing. */
function shownEnds(model: ReadModel): ReadonlyMap<number, number> {
  return new Map(Array.from(model.partitions, ([partition, row]) => [partition, row.nextOffset]));
}

function bookmark(cursor: EventCursor, clock: Clock): Response {
  return {
    item: {
      case: 'bookmark',
      value: {
        time: timestampFromMs(clock.nowMs()),
        resumeToken: encodeResumeToken(cursor.places(), SCOPE),
      },
    },
  };
}
