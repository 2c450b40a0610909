import {once} from 'node:events';
import type * as grpc from '@grpc/grpc-js';
import {ForestayError} from '../domain/errors.ts';
import type {ReadModel} from '../engine/read-model.ts';
import {watchChanges} from '../engine/read-model-watch.ts';
import type {Clock} from '../ports.ts';
import {toServiceError} from './errors.ts';

const BOOKMARK_MS = 10_000;

export type WatchEvent<Item> =
  | {kind: 'initial' | 'changed'; item: Item}
  | {kind: 'removed'; name: string}
  | {kind: 'bookmark'; atMs: number};

export type WatchSource<Item> = {
  model: ReadModel;
  clock: Clock;
  prefix: 'hosts/' | 'vms/';
  /** Ends every stream when the server closes. */
  closing: AbortSignal;
  items: ReadonlyMap<string, Item>;
};

/**
 * Streams what matches: first as it is, then as it changes. While the reader is behind, changes of
 * one resource become one; memory is bounded by the fleet.
 */
export async function streamChanges<Item, Response>(
  call: grpc.ServerWritableStream<unknown, Response>,
  source: WatchSource<Item>,
  filter: () => (item: Item) => boolean,
  toResponse: (event: WatchEvent<Item>) => Response,
): Promise<void> {
  const gone = new AbortController();
  call.once('cancelled', () => gone.abort());
  call.once('error', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, source.closing]);
  const watcher = watchChanges(source.model, source.prefix, source.clock, signal);
  const sent = new Set<string>();

  const send = async (event: WatchEvent<Item>): Promise<void> => {
    if (!call.write(toResponse(event))) {
      await once(call, 'drain', {signal}).catch(() => undefined);
    }
  };
  type Matches = (item: Item) => boolean;
  const sendChange = async (
    name: string,
    kind: 'initial' | 'changed',
    matches: Matches,
  ): Promise<void> => {
    const item = source.items.get(name);
    if (item !== undefined && matches(item)) {
      sent.add(name);
      await send({kind, item});
    } else if (sent.delete(name)) {
      await send({kind: 'removed', name});
    }
  };

  try {
    const matches = filter();
    for (const name of [...source.items.keys()].sort()) {
      if (signal.aborted) break;
      await sendChange(name, 'initial', matches);
    }
    while (!signal.aborted) {
      const names = await watcher.next(BOOKMARK_MS);
      if (signal.aborted) break;
      for (const name of names) await sendChange(name, 'changed', matches);
      if (names.length === 0) await send({kind: 'bookmark', atMs: source.clock.nowMs()});
    }
    if (source.closing.aborted) throw shuttingDown();
    call.end();
  } catch (error) {
    call.emit('error', toServiceError(error));
  } finally {
    watcher.close();
  }
}

function shuttingDown(): ForestayError {
  return new ForestayError('SERVER_UNREACHABLE', 'the core is shutting down; watch again', {
    retryable: true,
  });
}
