import type * as grpc from '@grpc/grpc-js';
import type {ReadModel} from '../engine/read-model.ts';
import {watchChanges} from '../engine/read-model-watch.ts';
import {
  decodeResumeToken,
  encodeResumeToken,
  type JournalPlaces,
  placesOf,
} from '../engine/resume-token.ts';
import type {Clock} from '../ports.ts';
import {ReaderView} from './reader-view.ts';
import {type Outlet, serveStream} from './streams.ts';

const BOOKMARK_MS = 10_000;
/** A stream on which something happens all the time carries a token this often. */
const BOOKMARK_BUSY_MS = 1_000;

export type WatchEvent<Item> =
  | {kind: 'initial' | 'changed'; item: Item}
  | {kind: 'removed'; name: string}
  | {kind: 'bookmark'; atMs: number; resumeToken: string; complete: boolean};

type Shown = {name: string; partition: number; shownFrom: number};

export type WatchSource<Item> = {
  model: ReadModel;
  clock: Clock;
  prefix: 'hosts/' | 'vms/';
  /** Ends every stream when the server closes. */
  closing: AbortSignal;
  items: ReadonlyMap<string, Item>;
};

export type WatchRequest<Item> = {
  /** As it was asked for: a token is good for it alone. */
  filter: string;
  /** Empty: begin with everything. */
  resumeToken: string;
  /** Makes the filter's predicate. */
  parse(filter: string): (item: Item) => boolean;
};

/**
 * Streams what matches: first as it is, or what has changed since a token, then as it changes. While
 * the reader is behind, changes of one resource become one; memory is bounded by the fleet.
 */
export async function streamChanges<Item extends Shown, Response>(
  call: grpc.ServerWritableStream<unknown, Response>,
  source: WatchSource<Item>,
  request: WatchRequest<Item>,
  toResponse: (event: WatchEvent<Item>) => Response,
): Promise<void> {
  await serveStream(call, source.closing, async ({send, signal}) => {
    const watcher = watchChanges(source.model, source.prefix, source.clock, signal);
    try {
      const outlet = {signal, send: (event: WatchEvent<Item>) => send(toResponse(event))};
      await stream(source, request, watcher, outlet);
    } finally {
      watcher.close();
    }
  });
}

async function stream<Item extends Shown>(
  source: WatchSource<Item>,
  {filter, resumeToken, parse}: WatchRequest<Item>,
  watcher: ReturnType<typeof watchChanges>,
  {send, signal}: Outlet<WatchEvent<Item>>,
): Promise<void> {
  const {model, items, prefix, clock} = source;
  const scope = `${prefix}${filter}`;
  const matches = parse(filter);
  const since = resumeToken === '' ? undefined : decodeResumeToken(resumeToken, scope);
  const complete = since === undefined || !knowsGone(model, since);
  const places = placesOf(model);
  const names = complete ? [...items.keys()] : changedSince(source, since);
  const reader = new ReaderView(complete);
  const sendChange = async (name: string, kind: 'initial' | 'changed'): Promise<void> => {
    const item = items.get(name);
    if (item !== undefined && matches(item)) {
      reader.show(name);
      await send({kind, item});
    } else if (reader.hide(name, item === undefined)) await send({kind: 'removed', name});
  };
  let bookmarkedAtMs = clock.monotonicMs();
  const bookmark = (at: JournalPlaces, isComplete: boolean) => {
    bookmarkedAtMs = clock.monotonicMs();
    const token = encodeResumeToken(at, scope);
    return send({
      kind: 'bookmark',
      atMs: clock.nowMs(),
      resumeToken: token,
      complete: isComplete,
    });
  };

  for (const name of names.sort()) {
    if (signal.aborted) return;
    await sendChange(name, 'initial');
  }
  await bookmark(places, complete);
  while (!signal.aborted) {
    const changes = await watcher.next(BOOKMARK_MS);
    if (signal.aborted) return;
    for (const name of changes.names) await sendChange(name, 'changed');
    const isDue = clock.monotonicMs() - bookmarkedAtMs >= BOOKMARK_BUSY_MS;
    if (isDue || changes.names.length === 0) await bookmark(changes.places, false);
  }
}

/** Whether everything that was forgotten since these places is still known by name. */
function knowsGone({partitions, goneFrom}: ReadModel, since: JournalPlaces): boolean {
  return [...partitions.keys()].every(
    partition => (since.get(partition)?.offset ?? 0) >= (goneFrom.get(partition) ?? 0),
  );
}

function changedSince<Item extends Shown>(
  {model, items, prefix}: WatchSource<Item>,
  since: JournalPlaces,
): string[] {
  const isNews = ({partition, shownFrom}: Omit<Shown, 'name'>): boolean =>
    shownFrom > (since.get(partition)?.offset ?? 0);
  const gone = [...model.gone.newestFirst()].filter(
    ({name, ...entry}) => name.startsWith(prefix) && !items.has(name) && isNews(entry),
  );
  const changed = [...items.values()].filter(isNews);
  return [...new Set([...gone, ...changed].map(({name}) => name))];
}
