import {once} from 'node:events';
import type * as grpc from '@grpc/grpc-js';
import {ForestayError} from '../domain/errors.ts';
import {toServiceError} from './errors.ts';

/** One server-side stream: how to send, and when nobody listens any more. */
export type Outlet<Response> = {
  /** Resolves when there is room for the next one, or the stream has ended. */
  send(response: Response): Promise<void>;
  /** Aborts when the reader is gone or the server closes. */
  signal: AbortSignal;
};

/**
 * Runs `work` for a stream and ends it: with the error that `work` throws, or that the core is
 * shutting down. Nothing is buffered for a reader that does not read but what the transport takes.
 */
export async function serveStream<Response>(
  call: grpc.ServerWritableStream<unknown, Response>,
  closing: AbortSignal,
  work: (outlet: Outlet<Response>) => Promise<void>,
): Promise<void> {
  const gone = new AbortController();
  call.once('cancelled', () => gone.abort());
  call.once('error', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, closing]);
  const send = async (response: Response): Promise<void> => {
    if (signal.aborted || call.write(response)) return;
    await once(call, 'drain', {signal}).catch(() => undefined);
  };
  try {
    await work({send, signal});
    if (closing.aborted) throw shuttingDown();
    call.end();
  } catch (error) {
    call.emit('error', toServiceError(error));
  }
}

function shuttingDown(): ForestayError {
  return new ForestayError('SERVER_UNREACHABLE', 'the core is shutting down; watch again', {
    retryable: true,
  });
}
