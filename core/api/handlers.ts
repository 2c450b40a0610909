import type * as grpc from '@grpc/grpc-js';
import {toServiceError} from './errors.ts';

/** A unary gRPC handler from a function; what it throws becomes a rich error. */
export function unary<Request, Response>(
  handle: (request: Request, peer: string) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handle(call.request, call.getPeer()))
      .then(
        response => callback(null, response),
        error => callback(toServiceError(error)),
      );
  };
}
